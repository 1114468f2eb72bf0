import Platform
import TestSupport
import Testing

/// One case of `Tests/Fixtures/settings/errors/*.txt`:
///
/// ```
/// === WHERE
/// YAML
/// =>
/// what is wrong with it, line by line
/// (an empty line)
/// ```
///
/// WHERE is `whole` when the YAML is all of the file, or the place of `settingsText` that it goes
/// to.
struct GoldenCase: Sendable, CustomTestStringConvertible {
    let text: String
    let expected: [String]
    var testDescription: String { text }

    static func all() throws -> [GoldenCase] {
        let names = [
            "structure", "keys", "types", "quantities", "inputs", "brokers", "templates",
            "environment", "http", "exclude", "security", "lines", "multiline", "json",
        ]
        return try names.flatMap { name in
            let cases = try read(fixture("settings/errors/\(name).txt"))
            // A file that lost its cases would pass.
            try #require(cases.count >= 10, "\(name)")
            return cases
        }
    }

    private static func read(_ file: String) -> [GoldenCase] {
        var cases: [GoldenCase] = []
        var place = ""
        var text: [Substring] = []
        var expected: [String]?
        func finish() {
            if let expected { cases.append(GoldenCase(place, text, expected)) }
        }
        for line in file.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("=== ") {
                finish()
                place = String(line.dropFirst(4))
                text = []
                expected = nil
            } else if line == "=>" {
                expected = []
            } else if expected != nil {
                if !line.isEmpty { expected?.append(String(line)) }
            } else {
                text.append(line)
            }
        }
        finish()
        return cases
    }

    private init(_ place: String, _ lines: [Substring], _ expected: [String]) {
        let given = lines.joined(separator: "\n")
        text =
            switch place {
            case "input": settingsText(input: given)
            case "kafka": settingsText(kafka: given)
            case "rest": settingsText(rest: given)
            default: given
            }
        self.expected = expected
    }
}

/// The text of a file beneath `Tests/Fixtures`.
func fixture(_ name: String) throws -> String {
    let here = #filePath
    let root = try #require(here.firstRange(of: "/Tests/SettingsTests/"))
    let path = here[..<root.lowerBound] + "/Tests/Fixtures/" + name
    let file = try Descriptor.open(String(path), 0)
    return String(decoding: try file.read(count: 1 << 20, at: 0), as: UTF8.self)
}
