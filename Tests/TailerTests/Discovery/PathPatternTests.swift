import Testing

@testable import Tailer

@Suite("Path patterns")
struct PathPatternTests {
    @Test(
        "captures, globs and ** match as glob(7) says",
        arguments: [
            ("/d/{a}/log/current", "/d/x/log/current", ["a": "x"]),
            ("/d/{a}/log/current", "/d/x/y/log/current", nil),
            ("/d/{ns}/{pod}/log/**/current", "/d/n/p/log/current", ["ns": "n", "pod": "p"]),
            ("/d/{ns}/{pod}/log/**/current", "/d/n/p/log/a/b/current", ["ns": "n", "pod": "p"]),
            ("/d/{ns}/{pod}/log/**/current", "/d/n/p/log/.git/current", nil),
            ("/d/**/x/**/y.log", "/d/x/y.log", [:]),
            ("/d/**/x/**/y.log", "/d/a/x/b/c/y.log", [:]),
            ("/d/**/x/**/y.log", "/d/a/b/y.log", nil),
            ("/d/*.log", "/d/a.log", [:]),
            ("/d/*.log", "/d/.a.log", nil),
            ("/d/.*.log", "/d/.a.log", [:]),
            ("/d/a?[0-9x]", "/d/ab7", [:]),
            ("/d/a?[!0-9]", "/d/ab7", nil),
            ("/d/{app}-{n}.log", "/d/web-1-2.log", ["app": "web", "n": "1-2"]),
            ("/d/{app}.log", "/d/.log", nil),
            (#"/d/a\*b"#, "/d/a*b", [:]),
            ("/d//e/*.log", "/d/e/x.log", [:]),
        ] as [(String, String, [String: String]?)])
    func matches(pattern: String, path: String, captures: [String: String]?) throws {
        #expect(try PathPattern(pattern).match(path) == captures)
    }

    @Test("the fixed prefix ends before the first segment that is not literal")
    func prefix() throws {
        #expect(try PathPattern("/data/logs/{ns}/x").prefix == "/data/logs")
        #expect(try PathPattern("/data/logs/current").prefix == "/data/logs")
        #expect(try PathPattern("/data/**/x").prefix == "/data")
    }

    @Test(
        "a pattern that cannot be followed safely is refused with its reason",
        arguments: [
            ("logs/*.log", "relative"), ("/*/x.log", "no fixed prefix"),
            ("/{a}/x.log", "no fixed prefix"), ("/x.log", "no fixed prefix"),
            ("/d/{a}/{a}/x", "captures {a} twice"), ("/d/{}/x", "a capture is a word"),
            ("/d/{a-b}/x", "a capture is a word"), ("/d/{1}/x", "a capture is a word"),
            ("/d/{a/x", "does not close"), ("/d/[a/x", "does not close"),
            ("/d/../x", ". or .. segment"), ("/d/x/", "ends in a directory"),
            ("/d/**", "ends in a directory"), ("/d/a**b", "** has to be a whole segment"),
        ])
    func refused(pattern: String, reason: String) {
        let error = #expect(throws: PathPatternError.self) { try PathPattern(pattern) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test("a name that is not UTF-8 becomes text that no other name has")
    func invalidNames() {
        #expect(PathText.text([0x61, 0xFF, 0xC3, 0xA9]) == #"a\xffé"#)
        #expect(PathText.text([0xE2, 0x82]) == #"\xe2\x82"#)
        #expect(PathText.text(Array(#"foo\x2dbar\xff"#.utf8)) == #"foo\x2dbar\x5cxff"#)
    }
}

@Suite("Exclusions")
struct PathExclusionTests {
    @Test(
        "an exclusion matches anywhere unless it is absolute",
        arguments: [
            ("**/*.gz", "/d/e/a.gz", true), ("*.gz", "/d/e/a.gz", true),
            ("/d/*.gz", "/d/a.gz", true), ("/d/*.gz", "/d/e/a.gz", false),
            ("*.gz", "/d/a.gz.log", false), ("e/*.log", "/d/e/a.log", true),
        ])
    func matches(pattern: String, path: String, excluded: Bool) throws {
        #expect(try PathExclusion(pattern).matches(path) == excluded)
    }

    @Test("a capture in an exclusion is refused")
    func captures() {
        #expect(throws: PathPatternError.captureInExclusion("a", in: "{a}/x")) {
            try PathExclusion("{a}/x")
        }
    }
}
