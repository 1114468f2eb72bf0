import Platform

/// A key, and the number by which it is found.
struct JSONKey: Sendable {
    let bytes: [UInt8]
    let hash: UInt64

    init(_ name: String) {
        let bytes = Array(name.utf8)
        self.bytes = bytes
        hash = ByteSearch.hash(of: 0..<bytes.count, in: bytes.span)
    }
}
