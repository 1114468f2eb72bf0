import Platform

/// The line in a record's value.
package enum RecordLine {
    /// The first `limit` bytes of the line that `value` holds, or one of them less where they would
    /// end within a character. What `value` was made of, but for bytes that were no UTF-8.
    package static func head(
        of value: Span<UInt8>, codec: RecordCodec, limit: Int
    ) -> [UInt8] {
        switch codec {
        case .raw: cut(value, limit)
        case .json: message(value, limit)
        }
    }

    private static func cut(_ line: Span<UInt8>, _ limit: Int) -> [UInt8] {
        let count =
            line.count <= limit ? line.count : ByteSearch.boundary(in: line, upTo: limit)
        return (0..<count).map { line[$0] }
    }

    /// Nothing that stands before it in a document is anybody's text, so the first key of that name
    /// is the right one.
    private static let key = Array(#""message":""#.utf8)

    private static func message(_ document: Span<UInt8>, _ limit: Int) -> [UInt8] {
        guard var index = end(of: key, in: document) else { return cut(document, limit) }
        var line: [UInt8] = []
        // A byte more than the limit tells whether the line ends there.
        while index < document.count, line.count <= limit, document[index] != 0x22 {
            guard document[index] == 0x5C, index + 1 < document.count else {
                line.append(document[index])
                index += 1
                continue
            }
            let escaped = document[index + 1]
            index += 2
            switch escaped {
            case UInt8(ascii: "n"): line.append(0x0A)
            case UInt8(ascii: "r"): line.append(0x0D)
            case UInt8(ascii: "t"): line.append(0x09)
            case UInt8(ascii: "u"):
                line.append(contentsOf: character(document, at: index))
                index += 4
            default: line.append(escaped)
            }
        }
        return cut(line.span, limit)
    }

    /// Of four hexadecimal digits, as encoders of records write them: never half of a pair.
    private static func character(_ document: Span<UInt8>, at index: Int) -> [UInt8] {
        guard index + 4 <= document.count else { return [] }
        let digits = (index..<index + 4).map { document[$0] }
        guard let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(number)
        else { return [] }
        return Array(String(scalar).utf8)
    }

    private static func end(of key: [UInt8], in document: Span<UInt8>) -> Int? {
        guard document.count >= key.count else { return nil }
        for start in 0...(document.count - key.count)
        where key.indices.allSatisfy({ document[start + $0] == key[$0] }) {
            return start + key.count
        }
        return nil
    }
}
