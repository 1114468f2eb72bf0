import Platform

/// The line in a record, as a consumer takes it out of the JSON document.
enum RecordMessage {
    private static let key = Array(#""message":""#.utf8)

    /// The first `message` of the document. Nil when there is none or it holds an escape: the
    /// demo's lines need none, so such a line was never written.
    static func line(_ value: Span<UInt8>) -> [UInt8]? {
        guard let start = start(value) else { return nil }
        var line: [UInt8] = []
        line.reserveCapacity(256)
        for index in start..<value.count {
            let byte = value[index]
            if byte == UInt8(ascii: "\"") { return line }
            if byte == UInt8(ascii: "\\") { return nil }
            line.append(byte)
        }
        return nil
    }

    private static func start(_ value: Span<UInt8>) -> Int? {
        var matched = 0
        for index in 0..<value.count {
            let byte = value[index]
            // No proper prefix of the key is also its suffix but its first byte.
            if byte == key[matched] {
                matched += 1
            } else {
                matched = byte == key[0] ? 1 : 0
            }
            if matched == key.count { return index + 1 }
        }
        return nil
    }
}
