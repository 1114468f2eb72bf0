/// Texts of a filebeat.yml in the form that they have here.
enum FilebeatText {
    /// `${NAME:default}` becomes `${NAME:-default}`, and `${NAME:?message}` what fails without it,
    /// `${NAME}`. Nil where it refers to something else than the environment, as to another key.
    static func references(_ text: String) -> String? {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            result += rest[..<start.lowerBound]
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: "}") else { return nil }
            let inside = rest[..<end]
            rest = rest[rest.index(after: end)...]
            let name = inside.prefix { $0 != ":" }
            guard Template.isName(String(name)) else { return nil }
            let fallback = inside.dropFirst(name.count)
            if fallback.isEmpty || fallback.hasPrefix(":?") {
                result += "${\(name)}"
            } else {
                let plain = fallback.dropFirst(1)
                // Unlike in a shell, the dash would be a part of Filebeat's default.
                guard !plain.contains("${") else { return nil }
                result += "${\(name):-\(plain)}"
            }
        }
        return result + rest
    }

    /// What commas separate, but for those of a variable's default; without blanks.
    static func hosts(_ text: String) -> [String] {
        var hosts: [String] = []
        var host = ""
        var isInside = false
        for character in text where character != " " {
            if character == "," && !isInside {
                hosts.append(host)
                host = ""
                continue
            }
            if character == "{" { isInside = true } else if character == "}" { isInside = false }
            host.append(character)
        }
        return (hosts + [host]).filter { !$0.isEmpty }
    }

    /// Names of variables that have no default, each once.
    static func variables(_ text: String) -> [String] {
        var names: [String] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            rest = rest[start.upperBound...]
            let name = String(rest.prefix { $0 != "}" })
            if !name.contains(":"), !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// A duration of Go's (`1m30s`, `250ms`, `10`, which is seconds) as the configuration writes
    /// it; nil for what is none, or not of whole milliseconds.
    static func duration(_ text: String) -> Duration? {
        if let seconds = Int(text), (0...1_000_000_000).contains(seconds) {
            return .seconds(seconds)
        }
        var total = 0.0
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            guard let number = Double(digits), number < 1e12 else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let milliseconds = units[String(unit)] else { return nil }
            total += number * milliseconds
        }
        guard total < 1e15, total == total.rounded() else { return nil }
        return .milliseconds(Int(total))
    }

    private static let units: [String: Double] = [
        "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "us": 0.001, "ns": 0.000_001,
    ]

    /// Bytes, as Filebeat counts them: `10MiB`, `10MB`, `10485760`.
    static func size(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let number = Int(digits), let factor = sizes[unit] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    private static let sizes: [String: Int] = [
        "": 1, "b": 1, "kb": 1_000, "kib": 1 << 10, "k": 1_000, "ki": 1 << 10, "mb": 1_000_000,
        "mib": 1 << 20, "m": 1_000_000, "mi": 1 << 20, "gb": 1_000_000_000, "gib": 1 << 30,
        "g": 1_000_000_000, "gi": 1 << 30,
    ]

    /// A regular expression that finds exactly this text.
    static func quoted(_ text: String) -> String {
        var result = ""
        // A mark that stands over an operator leaves it one.
        for scalar in text.unicodeScalars {
            if #"\.+*?()|[]{}^$"#.unicodeScalars.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
