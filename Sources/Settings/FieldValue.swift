package import YAML

/// A value of `fields` as it is printed into each record, typed by the YAML 1.2 core schema.
package indirect enum FieldValue: Hashable, Sendable {
    case string(String)
    case int(Int)
    /// Never infinite, never NaN: JSON has neither.
    case double(Double)
    case bool(Bool)
    case null
    case list([FieldValue])
    /// In the order of the file.
    case map([Field])

    /// A scalar as a template shows it; nil for null, lists and maps.
    package var text: String? {
        switch self {
        case .string(let value): value
        case .int(let value): String(value)
        case .double(let value): String(value)
        case .bool(let value): String(value)
        case .null, .list, .map: nil
        }
    }

    /// Why a plain scalar has no value that JSON could carry.
    package enum Refusal: Error, Hashable {
        /// An integer beyond 64 bits, which readers would round.
        case integerTooLarge
        /// Infinite, not a number, or beyond what a double holds.
        case notFinite
    }

    /// The core schema's value of `scalar`; everything in quotes is a string.
    package init(_ scalar: Node.Scalar) throws(Refusal) {
        guard scalar.isPlain else {
            self = .string(scalar.text)
            return
        }
        switch scalar.text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        case let text: self = try Self.number(text) ?? .string(text)
        }
    }

    private static func number(_ text: String) throws(Refusal) -> FieldValue? {
        let bytes = Array(text.utf8)
        if let (digits, radix) = integerDigits(text, bytes) {
            guard let value = Int(digits, radix: radix) else { throw .integerTooLarge }
            return .int(value)
        }
        let unsigned = bytes.first.map(isSign) == true ? String(text.dropFirst()) : text
        if [".inf", ".Inf", ".INF"].contains(unsigned) || [".nan", ".NaN", ".NAN"].contains(text) {
            throw .notFinite
        }
        guard isFloat(bytes), let value = Double(text) else { return nil }
        guard value.isFinite else { throw .notFinite }
        return .double(value)
    }

    /// `[-+]? [0-9]+`, `0o [0-7]+`, `0x [0-9a-fA-F]+`.
    private static func integerDigits(_ text: String, _ bytes: [UInt8]) -> (Substring, Int)? {
        for (prefix, radix) in [("0o", 8), ("0x", 16)] where text.hasPrefix(prefix) {
            let digits = text.dropFirst(2)
            let fits = digits.unicodeScalars.allSatisfy { digit in
                digit.properties.isASCIIHexDigit && Int(String(digit), radix: radix) != nil
            }
            return !digits.isEmpty && fits ? (digits, radix) : nil
        }
        let digits = bytes.first.map(isSign) == true ? bytes.dropFirst() : bytes[...]
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        return (text[...], 10)
    }

    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
    private static func isFloat(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        func digits() -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        if let first = rest.first, isSign(first) { rest = rest.dropFirst() }
        let whole = digits()
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            if digits() == 0, whole == 0 { return false }
        } else if whole == 0 {
            return false
        }
        if let exponent = rest.first, exponent | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if let first = rest.first, isSign(first) { rest = rest.dropFirst() }
            if digits() == 0 { return false }
        }
        return rest.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isSign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }
}

/// A name of `fields` with its value.
package struct Field: Hashable, Sendable {
    /// The key in `fields`, in the document and in templates.
    package let name: String
    /// The value as each record has it.
    package let value: FieldValue

    package init(name: String, value: FieldValue) {
        self.name = name
        self.value = value
    }
}
