import Patterns
import Testing

@testable import Settings

@Suite("What Filebeat's exclude_files would take is known, and told as a glob")
struct RegularExpressionTextTests {
    @Test(
        "Globs are no regular expressions",
        arguments: [
            "**/*.gz", "app.*", ".*.swp", "a (1).log", "a(1)*", "[0-9]*", "[^a]*", "[!$]", "a$b",
            "[|]",
            "\\[x\\]", "\\*", "{app}", "a^", "a+b", "x.log.?",
        ])
    func globs(text: String) {
        #expect(RegularExpressionText.sign(in: text, escapes: true) == nil)
    }

    @Test(
        "Regular expressions are told by what is nothing special in a glob",
        arguments: [
            (#"\.gz$"#, #"\."#), ("gz$", "$"), ("^/var", "^"), ("a|b", "|"), ("a.+b", ".+"),
            ("[0-9]+", "]+"), ("(ab)+", ")+"), ("(?:a)", "(?"), (#"\d"#, #"\d"#), ("a\\", "\\"),
            (#"[\d]$"#, "$"),
        ])
    func signs(text: String, sign: String) {
        #expect(RegularExpressionText.sign(in: text, escapes: true) == sign)
    }

    @Test(
        "They are told as globs that leave out the same",
        arguments: [
            (#"\.gz$"#, ["*.gz"]), (".gz$", ["*.gz"]), (#".*\.gz$"#, ["*.gz"]),
            (#"\.(gz|zip)$"#, ["*.gz", "*.zip"]), ("^/a/b/", ["/a/b/**/*"]),
            ("/old/", ["old/**/*"]),
            (#"^/a/.*\.log$"#, ["/a/**/*.log"]), (#"^/a/[^/]+\.log$"#, ["/a/?*.log"]),
            (#"-\d{4}-\d+$"#, ["*-[0-9][0-9][0-9][0-9]-[0-9]*"]),
            (#"\w?x"#, ["*[A-Za-z0-9_]x*", "*x*"]),
            ("debug", ["*debug*"]), (".*/old/.*", ["old/**/*"]), (#"\*x$"#, [#"*\*x"#]),
            (".*", ["*"]), ("(?:a|b)c$", ["*ac", "*bc"]),
        ])
    func translated(text: String, globs: [String]) throws {
        #expect(RegularExpressionText(text: text).globs == globs)
        for glob in globs { #expect(throws: Never.self) { try PathGlob(glob) } }
    }

    @Test(
        "What no glob can say is not told as one, however long it is",
        arguments: [
            "(?i)x", #"\bx"#, "(a", "a)", "*a", "a{99}", "a{x}", "[a", "a\\", #"[\d]x"#,
            String(repeating: "(", count: 100_000), String(repeating: "(a|b)", count: 10),
            // 2^32 letters, and as many ways through few of them.
            String(repeating: "(", count: 8) + "a" + String(repeating: "{16})", count: 7) + "{16}$",
            String(repeating: "(", count: 3) + "[a-z]" + String(repeating: "{16})", count: 3) + "$",
        ])
    func untranslated(text: String) {
        #expect(RegularExpressionText(text: text).globs == nil)
    }
}
