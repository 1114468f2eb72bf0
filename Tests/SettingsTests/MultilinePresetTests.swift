import Expressions
import Settings
import TestSupport
import Testing

@Suite("Patterns that have a name") struct MultilinePresetTests {
    /// The events of a text, as such a pattern groups its lines.
    private func events(_ preset: String, _ text: String) throws -> [String] {
        let settings = try Settings.parse(settingsText(input: "    multiline: \(preset)"))
        let multiline = try #require(settings.inputs[0].multiline)
        guard case .pattern(let pattern, let negate, .after) = multiline.grouping else {
            throw SettingsError(file: "", faults: [])
        }
        var events: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let bytes = Array(line.utf8)
            let matches = ExpressionText.with(bytes.span) { $0.contains(pattern) }
            if matches == !negate, !events.isEmpty {
                events[events.count - 1] += "\n" + line
            } else {
                events.append(String(line))
            }
        }
        return events
    }

    static let stories: [(preset: String, events: [String])] = [
        (
            "java",
            [
                "2026-11-23 ERROR boom\njava.lang.IllegalStateException: no\n\tat a.b.C(C.java:1)\n"
                    + "\tSuppressed: x.Y: z\n\t\tat a.D(D.java)\nCaused by: a.b.MyError: y\n\t... 3 more",
                "2026-11-23 INFO fine",
            ]
        ),
        (
            "python",
            [
                "ERROR:root:failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n"
                    + "    x()\nValueError: bad\n\nDuring handling of the above exception, another exception occurred:\n"
                    + "\nTraceback (most recent call last):\n  File \"a.py\", line 3, in g\nmy.mod.CustomError",
                "INFO:root:fine", "Errors were 3",
            ]
        ),
        (
            "go",
            [
                "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\n"
                    + "main.main()\n\t/tmp/x.go:5 +0x1d\ncreated by main.f in goroutine 7\nexit status 2",
                "2026/11/23 05:00:00 fine",
            ]
        ),
        (
            "dotnet",
            [
                "Unhandled exception. System.InvalidOperationException: no\n ---> System.Exception: inner\n"
                    + "   at N.C.M() in /f.cs:line 1\n   --- End of inner exception stack trace ---\n"
                    + "   at N.P.Main()",
                "info: fine",
            ]
        ),
        (
            "ruby",
            [
                "f.rb:1:in 'x': boom (RuntimeError)\n\tfrom f.rb:3:in 'y'\n\tfrom f.rb:5:in '<main>'",
                "I, [2026-11-23] fine",
            ]
        ),
        (
            "php",
            [
                "PHP Fatal error:  Uncaught Exception: no in /f.php:3\nStack trace:\n#0 /f.php(7): f()\n"
                    + "#1 {main}\n  thrown in /f.php on line 3",
                "PHP Notice: fine",
            ]
        ),
        (
            "timestamp",
            [
                "2026-11-23T05:00:00Z a\nmore\n\teven more", "[2026-11-23 05:00:00] b",
                "2026/11/23 05:00:00 c\nx", "23.11.2026 d", "23/Nov/2026:05:00:00 e",
                "Nov 23 05:00:00 host f", "Mon, Nov  3 05:00 g", "I1123 05:00:00.1 h\n1 line",
                "05:00:00.123 i",
            ]
        ),
    ]

    @Test("Each groups what its runtime writes", arguments: stories.map(\.preset))
    func groups(preset: String) throws {
        let story = try #require(Self.stories.first { $0.preset == preset })
        #expect(try events(preset, story.events.joined(separator: "\n")) == story.events)
    }

    @Test("Every preset has its story")
    func all() {
        #expect(Self.stories.map(\.preset) == MultilinePreset.allCases.map(\.rawValue))
    }
}
