import Platform

/// The first bytes of a file: 64 of them at the most.
struct Beginning {
    private(set) var count: Int
    private var bytes: [64 of UInt8]

    private static let longest = 64
    /// Agrees with everything.
    static let unknown = Beginning(head: [])

    /// Of a file that begins with `chunk`.
    init(_ chunk: Span<UInt8>) {
        count = min(chunk.count, Self.longest)
        var bytes: [64 of UInt8] = .init(repeating: 0)
        for index in 0..<count { bytes[index] = chunk[index] }
        self.bytes = bytes
    }

    init(head: [UInt8]) {
        self.init(head.span)
    }

    /// As far as they are known.
    var known: [UInt8] { (0..<count).map { bytes[$0] } }

    /// Its content goes on with `chunk`.
    mutating func extend(_ chunk: Span<UInt8>) {
        for index in 0..<min(chunk.count, Self.longest - count) {
            bytes[count] = chunk[index]
            count += 1
        }
    }

    func cut(to count: Int) -> Beginning {
        var shorter = self
        shorter.count = min(count, self.count)
        return shorter
    }

    /// Whether what begins with `head` begins so, as far as both are known; not without any byte.
    func agrees(with head: [UInt8]) -> Bool {
        let common = min(count, head.count)
        for index in 0..<common where bytes[index] != head[index] { return false }
        return common > 0
    }

    /// Whether an open file begins so.
    func isAt(_ file: borrowing Descriptor) throws(SystemError) -> Bool {
        guard count > 0 else { return true }
        return try file.holds(bytes.span.extracting(0..<count), at: 0)
    }
}
