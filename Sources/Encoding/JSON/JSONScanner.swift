import Platform

/// Goes over values of JSON (RFC 8259), and tells whether they may stand in a document as they are.
///
/// A value is clean where nothing in it is to be changed: all is UTF-8, no surrogate is alone, no
/// key stands twice in one object, no number is beyond what readers take, and no end of a line
/// stands between two tokens. What is not surely clean counts as if it were not.
struct JSONScanner {
    /// Objects and arrays within one another, the line's own object among them: Elasticsearch takes
    /// twenty by default. Each is a bit of a word.
    static let mostDepth = 32
    /// Keys of all objects of a line together: four times the fields that an index of Elasticsearch
    /// may have by default.
    static let mostMembers = 4096
    /// Bytes of a number that every reader takes; what is longer is looked at.
    static let plainNumber = 64
    private static let shortKey = 12

    /// Of all that was gone over since it was set.
    var isClean = true
    /// Of the last string.
    private(set) var hasEscapes = false
    private var members = 0
    /// Of the keys of objects that are open.
    private var hashes: [UInt64] = []
    /// Where in `hashes` those of each open object or array begin.
    private var begins: [Int] = []

    /// Another line begins.
    mutating func begin() {
        isClean = true
        members = 0
        if !hashes.isEmpty { hashes.removeAll(keepingCapacity: true) }
        if !begins.isEmpty { begins.removeAll(keepingCapacity: true) }
    }

    /// Moves `index` over blanks.
    @inline(__always)
    mutating func blanks(_ text: Span<UInt8>, _ index: inout Int) {
        // Most often there are none.
        if index < text.count, text[index] > 0x20 { return }
        manyBlanks(text, &index)
    }

    private mutating func manyBlanks(_ text: Span<UInt8>, _ index: inout Int) {
        while index < text.count {
            switch text[index] {
            case 0x20, 0x09: index += 1
            case 0x0A, 0x0D:
                index += 1
                isClean = false
            default: return
            }
        }
    }

    /// Moves `index` over the value that begins there.
    mutating func value(_ text: Span<UInt8>, _ index: inout Int) throws(JSONFault) {
        var depth = 1
        // Whether each is an object, the innermost in the lowest bit.
        var objects: UInt64 = 0
        values: while true {
            guard index < text.count else { throw fault(.unexpectedEnd, index) }
            switch text[index] {
            case UInt8(ascii: "\""): try string(text, &index)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = text[index] == UInt8(ascii: "{")
                guard depth < Self.mostDepth else { throw fault(.tooDeep, index) }
                depth += 1
                objects = objects << 1 | (isObject ? 1 : 0)
                begins.append(hashes.count)
                index += 1
                blanks(text, &index)
                guard index < text.count else { throw fault(.unexpectedEnd, index) }
                if text[index] != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    if isObject { try nestedKey(text, &index) }
                    continue values
                }
                index += 1
                begins.removeLast()
                depth -= 1
                objects >>= 1
            case UInt8(ascii: "t"): try literal(text, &index, 0x7472_7565, 4)
            case UInt8(ascii: "f"): try literal(text, &index, 0x66_616C_7365, 5)
            case UInt8(ascii: "n"): try literal(text, &index, 0x6E75_6C6C, 4)
            default: try number(text, &index)
            }
            while depth > 1 {
                blanks(text, &index)
                guard index < text.count else { throw fault(.unexpectedEnd, index) }
                let isObject = objects & 1 == 1
                if text[index] == UInt8(ascii: ",") {
                    index += 1
                    blanks(text, &index)
                    if isObject { try nestedKey(text, &index) }
                    continue values
                }
                guard text[index] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw fault(.unexpected, index)
                }
                index += 1
                let begin = begins.removeLast()
                if isObject {
                    if Self.mayRepeat(&hashes, from: begin) { isClean = false }
                    hashes.removeLast(hashes.count - begin)
                }
                depth -= 1
                objects >>= 1
            }
            return
        }
    }

    /// Whether two of the hashes from `begin` on may be the same. They are in no order after that.
    static func mayRepeat(_ hashes: inout [UInt64], from begin: Int) -> Bool {
        let count = hashes.count - begin
        if count < 2 { return false }
        if count > 24 {
            hashes[begin...].sort()
            for index in begin + 1..<hashes.count where hashes[index] == hashes[index - 1] {
                return true
            }
            return false
        }
        let span = hashes.span
        for index in begin + 1..<span.count {
            let hash = span[index]
            for other in begin..<index where span[other] == hash { return true }
        }
        return false
    }

    private mutating func nestedKey(
        _ text: Span<UInt8>, _ index: inout Int
    ) throws(JSONFault) {
        let key = try self.key(text, &index)
        if hasEscapes { isClean = false }
        hashes.append(ByteSearch.hash(of: key, in: text))
    }

    /// Moves `index` over a key, its colon, and blanks; where the key stands, without its quotes.
    @inline(__always)
    mutating func key(_ text: Span<UInt8>, _ index: inout Int) throws(JSONFault) -> Range<Int> {
        members += 1
        guard members <= Self.mostMembers else { throw fault(.tooManyKeys, index) }
        guard index < text.count else { throw fault(.unexpectedEnd, index) }
        guard text[index] == UInt8(ascii: "\"") else { throw fault(.unexpected, index) }
        let start = index + 1
        try string(text, &index)
        let key = start..<index - 1
        blanks(text, &index)
        guard index < text.count else { throw fault(.unexpectedEnd, index) }
        guard text[index] == UInt8(ascii: ":") else { throw fault(.unexpected, index) }
        index += 1
        blanks(text, &index)
        return key
    }

    /// Moves `index` over the string that begins there.
    @inline(__always)
    private mutating func string(
        _ text: Span<UInt8>, _ index: inout Int
    ) throws(JSONFault) {
        hasEscapes = false
        index += 1
        // Most keys are shorter than it takes to begin a search.
        let near = min(text.count, index + Self.shortKey)
        while index < near, text[index] >= 0x20, text[index] < 0x80, text[index] != 0x22,
            text[index] != 0x5C
        {
            index += 1
        }
        while true {
            if index == text.count || text[index] != UInt8(ascii: "\"") {
                index = ByteSearch.special(in: text, from: index)
            }
            guard index < text.count else { throw fault(.unexpectedEnd, index) }
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                index += 1
                return
            }
            try special(byte, text, &index)
        }
    }

    /// Moves `index` over an escape, or a character that is not ASCII.
    private mutating func special(
        _ byte: UInt8, _ text: Span<UInt8>, _ index: inout Int
    ) throws(JSONFault) {
        if byte == UInt8(ascii: "\\") {
            hasEscapes = true
            guard let length = JSONString.escape(text, at: index) else {
                throw fault(.badEscape, index)
            }
            if length.isAlone { isClean = false }
            index += length.bytes
        } else if byte >= 0x80 {
            let length = ByteSearch.sequence(in: text, at: index)
            if length == 0 { isClean = false }
            index += max(length, 1)
        } else {
            throw fault(.controlCharacter, index)
        }
    }

    private func literal(
        _ text: Span<UInt8>, _ index: inout Int, _ word: UInt64, _ count: Int
    ) throws(JSONFault) {
        guard text.count - index >= count else { throw fault(.unexpectedEnd, text.count) }
        var read: UInt64 = 0
        for place in index..<index + count { read = read << 8 | UInt64(text[place]) }
        guard read == word else { throw fault(.unexpected, index) }
        index += count
    }

    private mutating func number(
        _ text: Span<UInt8>, _ index: inout Int
    ) throws(JSONFault) {
        let start = index
        if text[index] == UInt8(ascii: "-") { index += 1 }
        guard index < text.count else { throw fault(.unexpectedEnd, index) }
        let first = text[index]
        guard first &- 0x30 <= 9 else { throw fault(.unexpected, start) }
        let whole = digits(text, &index)
        if first == 0x30, whole > 1 { throw fault(.badNumber, start) }
        if index < text.count, text[index] == UInt8(ascii: ".") {
            index += 1
            guard digits(text, &index) > 0 else { throw fault(.badNumber, start) }
        }
        if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < text.count, text[index] == 0x2B || text[index] == 0x2D { index += 1 }
            let exponent = digits(text, &index)
            guard exponent > 0 else { throw fault(.badNumber, start) }
            if exponent > 2 { isClean = false }
        }
        if index - start > Self.plainNumber { isClean = false }
    }

    private func digits(_ text: Span<UInt8>, _ index: inout Int) -> Int {
        let start = index
        while index < text.count, text[index] &- 0x30 <= 9 { index += 1 }
        return index - start
    }

    private func fault(_ reason: JSONFault.Reason, _ place: Int) -> JSONFault {
        JSONFault(reason: reason, place: place)
    }
}
