/// The bytes of a document without their byte order mark, and the places in them.
struct SourceText {
    let bytes: [UInt8]

    init(_ given: [UInt8]) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        bytes = given.starts(with: mark) ? Array(given.dropFirst(mark.count)) : given
    }

    /// Index of the first byte that makes the text no UTF-8; nil if there is none.
    var firstInvalidByte: Int? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var start = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar):
                start += UTF8.width(scalar)
            case .emptyInput:
                return nil
            case .error:
                return start
            }
        }
    }

    /// The place of the byte at `index`; lines end as libyaml's do at LF, CR or CR LF.
    func mark(at index: Int) -> Mark {
        var place = Mark(line: 1, column: 1)
        for position in 0..<min(index, bytes.count) { place = self.place(after: position, place) }
        return place
    }

    /// Whether `byte`, an ASCII character, stands at `mark`.
    func holds(_ byte: UInt8, at mark: Mark) -> Bool {
        var place = Mark(line: 1, column: 1)
        for position in bytes.indices {
            if place == mark { return bytes[position] == byte }
            place = self.place(after: position, place)
        }
        return false
    }

    /// The byte at `mark`, and the last one before it that is no blank; nil where there is none.
    func bytes(around mark: Mark) -> (before: UInt8?, at: UInt8?) {
        var place = Mark(line: 1, column: 1)
        var before: UInt8?
        for position in bytes.indices {
            if place == mark { return (before, bytes[position]) }
            if ![0x20, 0x09].contains(bytes[position]) { before = bytes[position] }
            place = self.place(after: position, place)
        }
        return (before, nil)
    }

    /// Where the byte after `position` stands when that one stands at `place`.
    private func place(after position: Int, _ place: Mark) -> Mark {
        let next = position + 1 < bytes.count ? bytes[position + 1] : 0
        switch bytes[position] {
        case UInt8(ascii: "\n"): return Mark(line: place.line + 1, column: 1)
        case UInt8(ascii: "\r") where next != UInt8(ascii: "\n"):
            return Mark(line: place.line + 1, column: 1)
        default:
            // The bytes of one character stand at one place.
            if next & 0xC0 == 0x80 { return place }
            return Mark(line: place.line, column: place.column + 1)
        }
    }
}
