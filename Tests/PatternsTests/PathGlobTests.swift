import TestSupport
import Testing

@testable import Patterns

@Suite("Globs that choose among paths")
struct PathGlobTests {
    @Test(
        "an exclusion matches anywhere unless it is absolute",
        arguments: [
            ("**/*.gz", "/d/e/a.gz", true), ("*.gz", "/d/e/a.gz", true),
            ("/d/*.gz", "/d/a.gz", true), ("/d/*.gz", "/d/e/a.gz", false),
            ("*.gz", "/d/a.gz.log", false), ("e/*.log", "/d/e/a.log", true),
        ])
    func matches(pattern: String, path: String, excluded: Bool) throws {
        #expect(try PathGlob(pattern).matches(path) == excluded)
    }

    @Test(
        "what an input reads in hidden places is left out as elsewhere",
        arguments: [
            ("*.gz", "/srv/.pm2/logs/a.gz", true), ("**/*.gz", "/d/.a.gz", true),
            ("/srv/*/logs/*", "/srv/.pm2/logs/a.log", true), ("?a.log", "/d/.a.log", true),
            ("logs/**/a.log", "/logs/.x/y/a.log", true), ("a.log", "/d/.a.log", false),
        ])
    func hidden(pattern: String, path: String, excluded: Bool) throws {
        #expect(try PathGlob(pattern).matches(path) == excluded)
    }

    @Test(
        "an exclusion that leaves out nothing of a pattern is told from one that may",
        arguments: [
            ("*.gz", "/d/*", true), ("*.gz", "/d/*.log", false), ("*.log*", "/d/*.log", true),
            ("/d/e/*", "/d/{app}/*.log", true), ("/d/e", "/d/{app}/*.log", false),
            ("e/**/*", "/d/{app}/*.log", true), ("e", "/d/**/*", true), ("e", "/d/**/*.log", false),
            ("/d/*/*/*", "/d/**/a", true), ("/d/*/*", "/d/*/*/a", false),
            ("/d/**/x/**/a", "/d/*/*/a", true), ("/d/**/x/y/z/**/a", "/d/*/*/a", false),
            ("?", "/d/{app}", true), ("??", "/d/?", false), ("[a-c]*", "/d/[c-f]", true),
            ("[ab]*", "/d/[c-f]", false), ("[!c]", "/d/[c]", false), ("[!c]", "/d/[bc]", true),
            ("*a*b*", "/d/*b*a*", true), ("a*b", "/d/b*a", false),
            // `*` of a pattern stands for no hidden name; that of an exclusion does.
            (".*", "/d/*", false), (".*", "/d/.*", true), ("*.gz", "/d/.x/*.gz", true),
            ("*.gz", "/d/.*", true), (".x/*", "/d/**/*", false), ("[.]x", "/d/*", false),
            ("/d/**/*", "/d/.x/.y", true),
        ])
    func canMeet(exclusion: String, pattern: String, can: Bool) throws {
        let exclusion = try PathGlob(exclusion)
        #expect(exclusion.canMeet(try PathPattern(pattern)) == can)
    }

    @Test("no exclusion that leaves out a path of a pattern is told to leave out nothing")
    func canMeetWhatItDoes() throws {
        var random = SplitMix(seed: 42)
        let parts = ["a", "b", ".", "*", "?", "[ab]", "[!a]", "**"]
        func segments(_ count: Int, _ length: Int, _ from: [String]) -> String {
            (0..<count).map { _ in
                if from.contains("**"), random.next() % 4 == 0 { return "**" }
                let usable = from.filter { $0 != "**" }
                let name = (0..<length).map { _ in usable[Int(random.next() % UInt64(usable.count))]
                }
                return name.joined()
            }.joined(separator: "/")
        }
        var met = 0
        for _ in 0..<20_000 {
            let left = "/d/" + segments(2, 2, parts) + "/a*"
            let right = (random.next() % 2 == 0 ? "/d/" : "") + segments(2, 2, parts) + "/*b"
            let path = "/d/" + segments(Int(random.next() % 3), 2, ["a", "b", "."]) + "/aab"
            guard let pattern = try? PathPattern(left), let exclusion = try? PathGlob(right)
            else { continue }
            guard pattern.match(path) != nil, exclusion.matches(path) else { continue }
            met += 1
            #expect(exclusion.canMeet(pattern), "\(right) of \(left): \(path)")
        }
        #expect(met > 100)
    }

    @Test("a capture in an exclusion is refused")
    func captures() {
        #expect(throws: PathPatternError.captureInGlob("a", in: "{a}/x")) {
            try PathGlob("{a}/x")
        }
    }
}
