import Platform

/// Writes lines of flat JSON objects into one buffer, each closed by its checksum.
struct LineWriter: Sendable {
    /// Whole lines, but while one is being written.
    private(set) var bytes: [UInt8] = []
    /// Lines closed since the last `clear`.
    private(set) var lines = 0
    private var lineStart = 0

    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Forgets every line and keeps the memory.
    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        lines = 0
        lineStart = 0
    }

    /// Within 0...`OutsideNumber.most`, whatever the value: what is written can be read.
    mutating func integer(_ key: String, _ value: Int) {
        name(key)
        bytes += String(OutsideNumber.count(value)).utf8
    }

    /// Any number.
    mutating func signed(_ key: String, _ value: Int64) {
        name(key)
        bytes += String(value).utf8
    }

    mutating func string(_ key: String, _ value: String) {
        name(key)
        Self.quote(value, into: &bytes)
    }

    mutating func hex(_ key: String, _ value: [UInt8]) {
        name(key)
        bytes.append(UInt8(ascii: "\""))
        for byte in value {
            bytes.append(Self.hexDigits[Int(byte >> 4)])
            bytes.append(Self.hexDigits[Int(byte & 15)])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// 16 hex digits.
    mutating func hex(_ key: String, _ value: UInt64) {
        name(key)
        bytes.append(UInt8(ascii: "\""))
        Self.hex(value, digits: 16, into: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes `true`; what is false is left out.
    mutating func flag(_ key: String) {
        name(key)
        bytes += "true".utf8
    }

    mutating func time(_ key: String, _ value: Timestamp) {
        name(key)
        bytes.append(UInt8(ascii: "\""))
        value.append(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Closes the line with the checksum of all of it so far.
    mutating func end() {
        let sum = Checksum.crc32(bytes.span.extracting(lineStart..<bytes.count))
        bytes += JournalFormat.checksumKey
        Self.hex(UInt64(sum), digits: 8, into: &bytes)
        bytes += "\"}\n".utf8
        lineStart = bytes.count
        lines += 1
    }

    private mutating func name(_ key: String) {
        bytes.append(UInt8(ascii: bytes.count == lineStart ? "{" : ","))
        bytes.append(UInt8(ascii: "\""))
        bytes += key.utf8
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private static func hex(_ value: UInt64, digits: Int, into bytes: inout [UInt8]) {
        for shift in stride(from: (digits - 1) * 4, through: 0, by: -4) {
            bytes.append(hexDigits[Int(truncatingIfNeeded: value >> UInt64(shift)) & 15])
        }
    }

    /// A JSON string: `"` and `\` escaped, control characters as `\n \r \t` or `\u00xx`, all else
    /// raw.
    private static func quote(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case ..<0x20, 0x7F:
                bytes += "\\u00".utf8
                hex(UInt64(byte), digits: 2, into: &bytes)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
