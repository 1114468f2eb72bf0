import Platform

/// A reader of JSON by itself, stricter than the standard: no key twice, no half a pair of
/// surrogates, no newline, nothing that is no UTF-8. What it does not take is nil.
package indirect enum StrictJSON: Hashable {
    case object([String: StrictJSON])
    case array([StrictJSON])
    case string(String)
    case number(String)
    case word(String)

    package init?(_ bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0x0A) else {
            return nil
        }
        var reader = Reader(bytes: bytes)
        guard let value = reader.value(), reader.blanks() == nil else { return nil }
        self = value
    }

    package subscript(key: String) -> StrictJSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var number: String? {
        guard case .number(let digits) = self else { return nil }
        return digits
    }

    package var keys: Set<String> {
        guard case .object(let members) = self else { return [] }
        return Set(members.keys)
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        /// The next byte that is no blank.
        mutating func blanks() -> UInt8? {
            while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
            return index < bytes.count ? bytes[index] : nil
        }

        mutating func take(_ byte: Character) -> Bool {
            guard blanks() == byte.asciiValue else { return false }
            index += 1
            return true
        }

        mutating func value() -> StrictJSON? {
            switch blanks() {
            case UInt8(ascii: "{")?: return object()
            case UInt8(ascii: "[")?: return array()
            case UInt8(ascii: "\"")?: return string().map { .string($0) }
            default: return scalar()
            }
        }

        private mutating func object() -> StrictJSON? {
            var members: [String: StrictJSON] = [:]
            index += 1
            if take("}") { return .object(members) }
            repeat {
                guard blanks() == UInt8(ascii: "\""), let key = string(), members[key] == nil,
                    take(":"), let value = value()
                else { return nil }
                members[key] = value
            } while take(",")
            return take("}") ? .object(members) : nil
        }

        private mutating func array() -> StrictJSON? {
            var elements: [StrictJSON] = []
            index += 1
            if take("]") { return .array(elements) }
            repeat {
                guard let value = value() else { return nil }
                elements.append(value)
            } while take(",")
            return take("]") ? .array(elements) : nil
        }

        private mutating func string() -> String? {
            var units: [UInt16] = []
            index += 1
            var plain: [UInt8] = []
            func flushed() -> [UInt16] { Array(String(decoding: plain, as: UTF8.self).utf16) }
            while index < bytes.count {
                let byte = bytes[index]
                index += 1
                switch byte {
                case 0x22:
                    units += flushed()
                    return String(validating: units, as: UTF16.self)
                case 0x5C:
                    units += flushed()
                    plain = []
                    guard index < bytes.count else { return nil }
                    let letter = bytes[index]
                    index += 1
                    let simple: [UInt8: UInt16] = [
                        0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13,
                        0x74: 9,
                    ]
                    if let unit = simple[letter] {
                        units.append(unit)
                        continue
                    }
                    guard letter == 0x75, index + 4 <= bytes.count,
                        let unit = UInt16(
                            String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
                    else { return nil }
                    units.append(unit)
                    index += 4
                case ..<0x20: return nil
                default: plain.append(byte)
                }
            }
            return nil
        }

        private mutating func scalar() -> StrictJSON? {
            let start = index
            while index < bytes.count, !Array(",]} \t".utf8).contains(bytes[index]) { index += 1 }
            let text = String(decoding: bytes[start..<index], as: UTF8.self)
            if ["true", "false", "null"].contains(text) { return .word(text) }
            let pattern = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+\-]?[0-9]+)?/
            guard text.wholeMatch(of: pattern) != nil, Double(text)?.isFinite == true else {
                return nil
            }
            return .number(text)
        }
    }
}
