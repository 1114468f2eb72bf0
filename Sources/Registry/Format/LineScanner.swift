import Platform

/// Reads one line of flat JSON, keys in the order in which `LineWriter` was told to write them. It
/// is strict, so that no two readings of a line exist, and nothing in a line can make it trap:
/// every index is checked, every number bounded, and there is no nesting to descend into.
struct LineScanner {
    private let bytes: [UInt8]
    private var at: Int
    /// One past the last byte before the checksum.
    private let end: Int

    /// Checks the checksum of the line `range` of `bytes`, which comes without its newline.
    init(_ bytes: [UInt8], _ range: Range<Int>) throws(LineFault) {
        let key = JournalFormat.checksumKey
        let tail = range.upperBound - JournalFormat.checksumLength
        guard tail > range.lowerBound, bytes[range.upperBound - 1] == UInt8(ascii: "}"),
            bytes[range.upperBound - 2] == UInt8(ascii: "\""),
            bytes[tail..<(tail + key.count)].elementsEqual(key)
        else { throw LineFault(what: "ends without a checksum") }
        var stated: UInt32 = 0
        for index in (tail + key.count)..<(range.upperBound - 2) {
            guard let digit = Self.hexValue(bytes[index]) else {
                throw LineFault(what: "has a checksum that is no number")
            }
            stated = stated << 4 | UInt32(digit)
        }
        let actual = Checksum.crc32(bytes.span.extracting(range.lowerBound..<tail))
        guard stated == actual else { throw LineFault(what: "does not match its checksum") }
        self.bytes = bytes
        at = range.lowerBound
        end = tail
    }

    /// Whether the next key is `key`; moves behind it if so.
    mutating func has(_ key: String) -> Bool {
        var next = at
        guard next < end, bytes[next] == UInt8(ascii: "{") || bytes[next] == UInt8(ascii: ",")
        else { return false }
        next += 1
        guard next < end, bytes[next] == UInt8(ascii: "\"") else { return false }
        next += 1
        for byte in key.utf8 {
            guard next < end, bytes[next] == byte else { return false }
            next += 1
        }
        guard next + 1 < end, bytes[next] == UInt8(ascii: "\""),
            bytes[next + 1] == UInt8(ascii: ":")
        else { return false }
        at = next + 2
        return true
    }

    private mutating func require(_ key: String) throws(LineFault) {
        guard has(key) else { throw LineFault(what: "lacks \"\(key)\" where it belongs") }
    }

    /// 0...`OutsideNumber.most`.
    mutating func integer(_ key: String) throws(LineFault) -> Int {
        try require(key)
        return try integer()
    }

    /// The number after a key that was just found.
    mutating func integer() throws(LineFault) -> Int {
        guard let value = digits(), value <= UInt64(OutsideNumber.most) else {
            throw LineFault(what: "has no number, or none that makes sense, where one belongs")
        }
        return Int(value)
    }

    /// The same, of what a file system may have said: what is larger is read as the largest.
    mutating func quantity(_ key: String) throws(LineFault) -> Int {
        try require(key)
        return try quantity()
    }

    /// The quantity after a key that was just found.
    mutating func quantity() throws(LineFault) -> Int {
        guard let value = digits() else {
            throw LineFault(what: "has no number where one belongs")
        }
        return OutsideNumber.count(value)
    }

    /// An Int64 of any sign, or nil where the key is absent.
    mutating func optionalSigned(_ key: String) throws(LineFault) -> Int64? {
        guard has(key) else { return nil }
        let isNegative = at < end && bytes[at] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        guard let magnitude = digits() else {
            throw LineFault(what: "has no number for \"\(key)\"")
        }
        if isNegative, magnitude <= 1 << 63 { return Int64(truncatingIfNeeded: 0 &- magnitude) }
        if !isNegative, let value = Int64(exactly: magnitude) { return value }
        throw LineFault(what: "has too large a number for \"\(key)\"")
    }

    /// A UInt64 written as a decimal string.
    mutating func decimal(_ key: String) throws(LineFault) -> UInt64 {
        try require(key)
        guard take("\""), let value = digits(), take("\"") else {
            throw LineFault(what: "has no decimal string for \"\(key)\"")
        }
        return value
    }

    mutating func string(_ key: String) throws(LineFault) -> String {
        try require(key)
        return try string()
    }

    /// The text after a key that was just found.
    mutating func string() throws(LineFault) -> String {
        guard let text = quoted() else {
            throw LineFault(what: "has no text, or none that is UTF-8, where one belongs")
        }
        return text
    }

    /// Bytes written as hex, at most `limit` of them.
    mutating func hex(_ key: String, limit: Int) throws(LineFault) -> [UInt8] {
        try require(key)
        guard let value = hexDigits(limit: limit) else {
            throw LineFault(what: "has no hexadecimal text of sensible length for \"\(key)\"")
        }
        return value
    }

    mutating func optionalHex(_ key: String, limit: Int) throws(LineFault) -> [UInt8]? {
        guard has(key) else { return nil }
        guard let value = hexDigits(limit: limit) else {
            throw LineFault(what: "has no hexadecimal text of sensible length for \"\(key)\"")
        }
        return value
    }

    /// Exactly 16 hex digits.
    mutating func hex64(_ key: String) throws(LineFault) -> UInt64 {
        let value = try hex(key, limit: 8)
        guard value.count == 8 else { throw LineFault(what: "has too few digits for \"\(key)\"") }
        return value.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Whether the key is there with `true`; what is false is left out.
    mutating func flag(_ key: String) throws(LineFault) -> Bool {
        guard has(key) else { return false }
        for byte in "true".utf8 {
            guard at < end, bytes[at] == byte else {
                throw LineFault(what: "has something other than true for \"\(key)\"")
            }
            at += 1
        }
        return true
    }

    mutating func time(_ key: String) throws(LineFault) -> Timestamp {
        try require(key)
        let length = Timestamp.textCount
        guard take("\""), end - at > length,
            let value = Timestamp(text: bytes.span.extracting(at..<(at + length)))
        else { throw LineFault(what: "has no time for \"\(key)\"") }
        at += length
        guard take("\"") else { throw LineFault(what: "has no time for \"\(key)\"") }
        return value
    }

    /// Nothing but the checksum may follow.
    func finish() throws(LineFault) {
        guard at == end else { throw LineFault(what: "says more than it should") }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < end, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    /// A run of decimal digits without leading zeros; nil for none and for what passes 64 bits.
    private mutating func digits() -> UInt64? {
        let start = at
        var value: UInt64 = 0
        while at < end, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") {
            let (scaled, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, above) = scaled.addingReportingOverflow(UInt64(bytes[at] - 0x30))
            if over || above { return nil }
            value = sum
            at += 1
        }
        guard at > start, at == start + 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
        return value
    }

    private mutating func hexDigits(limit: Int) -> [UInt8]? {
        guard take("\"") else { return nil }
        var value: [UInt8] = []
        value.reserveCapacity(min(limit, 32))
        while at + 1 < end, let high = Self.hexValue(bytes[at]) {
            guard let low = Self.hexValue(bytes[at + 1]), value.count < limit else { return nil }
            value.append(high << 4 | low)
            at += 2
        }
        return take("\"") ? value : nil
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private mutating func quoted() -> String? {
        guard take("\"") else { return nil }
        let start = at
        while at < end, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") {
            guard bytes[at] >= 0x20 else { return nil }
            at += 1
        }
        if take("\"") { return String(validating: bytes[start..<(at - 1)], as: UTF8.self) }
        var text = Array(bytes[start..<at])
        while at < end {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"): guard escape(into: &text) else { return nil }
            case ..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    /// Reads on behind a backslash. Only the forms that `LineWriter` writes are known.
    private mutating func escape(into text: inout [UInt8]) -> Bool {
        guard at < end else { return false }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard end - at >= 4, bytes[at] == 0x30, bytes[at + 1] == 0x30,
                let high = Self.hexValue(bytes[at + 2]), high < 8,
                let low = Self.hexValue(bytes[at + 3])
            else { return false }
            text.append(high << 4 | low)
            at += 4
        default: return false
        }
        return true
    }
}

/// Why a line cannot be used; a phrase that follows "the line at byte N of FILE".
struct LineFault: Error, Hashable {
    let what: String
    /// The version of the file, where that is the reason.
    var version: Int?
}
