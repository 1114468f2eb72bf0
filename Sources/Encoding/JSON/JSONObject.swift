import Platform

/// The members of the object that a line is. It holds places in the line and nothing of it; its
/// memory is used again for the next line.
struct JSONObject {
    struct Member {
        let hash: UInt64
        // Half as long as ranges: most of what a line costs is to remember where things are.
        private let keyStart: UInt32
        private let keyEnd: UInt32
        private let valueStart: UInt32
        private let valueEnd: UInt32
        let keyHasEscapes: Bool
        /// The value may stand in a document as it is.
        let isClean: Bool

        /// Without quotes.
        var key: Range<Int> { Int(keyStart)..<Int(keyEnd) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

        /// Places in a line, which is never as long as 32 bits have numbers.
        fileprivate init(
            key: Range<Int>, keyHasEscapes: Bool, hash: UInt64, value: Range<Int>, isClean: Bool
        ) {
            self.hash = hash
            keyStart = UInt32(truncatingIfNeeded: key.lowerBound)
            keyEnd = UInt32(truncatingIfNeeded: key.upperBound)
            valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
            valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
            self.keyHasEscapes = keyHasEscapes
            self.isClean = isClean
        }
    }

    private(set) var members: [Member] = []
    /// All of it may stand in a document as it is, and no key stands there twice.
    private(set) var isPlain = true
    private var scanner = JSONScanner()
    /// A bit for each key's hash.
    private var bits: UInt64 = 0
    /// Two keys may be the same.
    private var mayRepeat = false

    /// From the first key's quote to the end of the last value; empty where there is no member.
    var inner: Range<Int> {
        guard let first = members.first, let last = members.last else { return 0..<0 }
        return first.key.lowerBound - 1..<last.value.upperBound
    }

    /// Reads a line that is nothing but an object.
    mutating func read(_ text: Span<UInt8>) throws(JSONFault) {
        members.removeAll(keepingCapacity: true)
        (bits, mayRepeat) = (0, false)
        isPlain = true
        scanner.begin()
        var index = 0
        scanner.blanks(text, &index)
        guard index < text.count else {
            throw JSONFault(reason: .unexpectedEnd, place: index)
        }
        guard text[index] == UInt8(ascii: "{") else {
            throw JSONFault(reason: .noObject, place: index)
        }
        // What stands around the object does not stand in a document.
        scanner.isClean = true
        index += 1
        scanner.blanks(text, &index)
        if index < text.count, text[index] == UInt8(ascii: "}") {
            index += 1
        } else {
            try readMembers(text, &index)
            if mayRepeat, repeats() { isPlain = false }
        }
        if !scanner.isClean { isPlain = false }
        scanner.blanks(text, &index)
        guard index == text.count else {
            throw JSONFault(reason: .behindTheEnd, place: index)
        }
    }

    private mutating func readMembers(
        _ text: Span<UInt8>, _ index: inout Int
    ) throws(JSONFault) {
        while true {
            let key = try scanner.key(text, &index)
            let keyHasEscapes = scanner.hasEscapes
            let hash = ByteSearch.hash(of: key, in: text)
            let bit: UInt64 = 1 << (hash >> 58)
            if bits & bit != 0 { mayRepeat = true }
            bits |= bit
            if !scanner.isClean || keyHasEscapes { isPlain = false }
            scanner.isClean = true
            let start = index
            try scanner.value(text, &index)
            members.append(
                Member(
                    key: key, keyHasEscapes: keyHasEscapes, hash: hash, value: start..<index,
                    isClean: scanner.isClean))
            if !scanner.isClean { isPlain = false }
            scanner.isClean = true
            scanner.blanks(text, &index)
            guard index < text.count else {
                throw JSONFault(reason: .unexpectedEnd, place: index)
            }
            index += 1
            switch text[index - 1] {
            case UInt8(ascii: ","): scanner.blanks(text, &index)
            case UInt8(ascii: "}"): return
            default: throw JSONFault(reason: .unexpected, place: index - 1)
            }
        }
    }

    private func repeats() -> Bool {
        var hashes = members.map(\.hash)
        return JSONScanner.mayRepeat(&hashes, from: 0)
    }

    /// The last member of that name.
    func member(_ name: JSONKey, in text: Span<UInt8>) -> Member? {
        for index in members.indices.reversed() {
            let member = members[index]
            if member.keyHasEscapes {
                var key: [UInt8] = []
                guard JSONString.decode(text.extracting(member.key), into: &key),
                    key == name.bytes
                else { continue }
                return member
            }
            if member.hash == name.hash, ByteSearch.isEqual(member.key, of: text, name.bytes) {
                return member
            }
        }
        return nil
    }
}

extension JSONObject.Member {
    /// Where the value's text stands between its quotes; nil where it is no string.
    func string(in text: Span<UInt8>) -> Range<Int>? {
        guard text[value.lowerBound] == UInt8(ascii: "\"") else { return nil }
        return value.lowerBound + 1..<value.upperBound - 1
    }
}
