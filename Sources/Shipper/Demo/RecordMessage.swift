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
        var from = 0
        while from + key.count <= value.count {
            if value[from] == key[0], stands(key, value, at: from) { return from + key.count }
            from += 1
        }
        return nil
    }

    private static func stands(_ key: [UInt8], _ value: Span<UInt8>, at from: Int) -> Bool {
        for index in key.indices where value[from + index] != key[index] { return false }
        return true
    }
}
