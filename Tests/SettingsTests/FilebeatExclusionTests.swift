import Expressions
import Patterns
import TestSupport
import Testing

@testable import Settings

@Suite("exclude_files of Filebeat's as globs that choose the very same files")
struct FilebeatExclusionTests {
    @Test(
        "What a glob can say is said",
        arguments: [
            (#"\.gz$"#, ["**/*.gz"]), ("debug", ["**/*debug*", "**/*debug*/**/*"]),
            ("/old/", ["**/old/**/*"]), (#"^/var/log/a\.log$"#, ["/var/log/a.log"]),
            (#"\.(gz|zip)$"#, ["**/*.gz", "**/*.zip"]),
            (#"^/a/[^/]+\.log$"#, ["/a/?*.log"]), (#"/x\d$"#, ["**/x[0-9]"]),
            (#"a.*b$"#, ["**/*a*b", "**/*a*/**/*b"]), ("log/$", []),
            (".*/old", ["**/old*", "**/old*/**/*"]),
        ])
    func said(expression: String, globs: [String]) {
        #expect(FilebeatExclusion.globs(expression) == globs)
    }

    @Test(
        "What none can say is not guessed at",
        arguments: [
            "x[^a]y", #"\d+$"#, "(?i)debug", "a{2,}", "^(a|b", #"\bx"#, "a.?b", "(^a)", "a$b", "[",
            "a**", #"\p{L}"#, "a.*?b", "[+-9]", "(a|b)(c|d)(e|f)(g|h)", ".+b",
        ])
    func unsaid(expression: String) {
        #expect(FilebeatExclusion.globs(expression) == nil)
    }

    @Test("For random expressions and paths both choose alike")
    func alike() throws {
        var random = SplitMix(seed: 18_2)
        let pieces = [
            "a", "b", #"\."#, "/", "ab", ".*", ".+", "[ab]", "[^/]*", "[^/]+", #"\d"#, "(a|b/)",
            "a?",
            "(?:b|1)",
        ]
        var translated = 0
        for _ in 0..<2_000 {
            let count = Int.random(in: 1...4, using: &random)
            let middle = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "a" }
                .joined()
            let begin = ["", "", "^/", "^/a/"].randomElement(using: &random) ?? ""
            let end = ["", "$"].randomElement(using: &random) ?? ""
            let text = begin + middle + end
            guard let texts = FilebeatExclusion.globs(text) else { continue }
            let expression = try Expression(text)
            var globs: [PathGlob] = []
            for text in texts {
                do {
                    globs.append(try PathGlob(text))
                } catch {
                    // The converter tells of it, and writes none.
                    globs = []
                    break
                }
            }
            guard globs.count == texts.count else { continue }
            translated += 1
            for _ in 0..<20 {
                let depth = Int.random(in: 1...3, using: &random)
                let path = (0..<depth).map { _ in
                    let length = Int.random(in: 1...3, using: &random)
                    return "/"
                        + (0..<length).map { _ in
                            ["a", "b", ".", "1"].randomElement(using: &random) ?? "a"
                        }.joined()
                }.joined()
                // No path has them.
                guard !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
                else { continue }
                let finds = ExpressionText.with(Array(path.utf8).span) { $0.contains(expression) }
                #expect(
                    finds == globs.contains { $0.matches(path) }, "\(text) \(texts) \(path)")
            }
        }
        #expect(translated > 500)
    }
}
