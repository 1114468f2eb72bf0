import Model
import TestSupport
import Testing

@testable import Patterns

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

    /// Each place of each star was tried with each of the others: one name was worth hours.
    @Test(
        "a name of 255 bytes that nearly matches many stars is told from one that matches at once",
        .timeLimit(.minutes(1)))
    func manyStars() throws {
        let pattern = try PathPattern("/d/*a*a{x}a*a*a*a*a*b")
        let name = String(repeating: "a", count: 254)
        #expect(pattern.match("/d/\(name)") == nil)
        #expect(pattern.match("/d/\(name)b") == ["x": "a"])
    }

    @Test("a container's id is what stands behind the last dash, as kubelet names its links")
    func containerIDs() throws {
        let pattern = try PathPattern("/c/{pod}_{ns}_{container}-{container_id}.log")
        func match(_ name: String) -> [String]? {
            pattern.match("/c/\(name).log").map { captures in
                ["pod", "ns", "container", "container_id"].map { captures[$0] ?? "" }
            }
        }
        #expect(match("web-7_shop_my-app-0a1b") == ["web-7", "shop", "my-app", "0a1b"])
        #expect(match("web_shop_app-0a1b") == ["web", "shop", "app", "0a1b"])
        #expect(match("web_shop_my-app-") == ["web", "shop", "my", "app-"])
        #expect(match("web_shop_app") == nil)
        #expect(
            try PathPattern("/c/{container_id}-{x}").match("/c/a-b-c")
                == ["container_id": "a", "x": "b-c"])
    }

    @Test("what stars and captures stand for is the shortest that can be, the first one first")
    func shortest() throws {
        let alphabet = "ab"
        var random = SplitMix(seed: 36)
        for _ in 0..<5_000 {
            var pattern = ""
            var captures = 0
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                switch Int.random(in: 0..<6, using: &random) {
                case 0 where !pattern.hasSuffix("*"): pattern += "*"
                case 1:
                    captures += 1
                    pattern += "{c\(captures)}"
                case 2: pattern += "?"
                default: pattern.append(alphabet.randomElement(using: &random) ?? "a")
                }
            }
            let segment = try SegmentPattern(pattern[...], in: pattern)
            let name = String(
                (0..<Int.random(in: 1...9, using: &random)).map { _ in
                    alphabet.randomElement(using: &random) ?? "a"
                })
            var found: [String: String] = [:]
            let matches = segment.matches(Array(name.utf8), captured: &found)
            let expected = captured(segment.tokens[...], Array(name.utf8)[...])
            #expect(matches == (expected != nil), "\(pattern) and \(name)")
            #expect(found == expected ?? [:], "\(pattern) and \(name)")
        }
    }

    /// By trying everything.
    private func captured(
        _ tokens: ArraySlice<SegmentPattern.Token>, _ name: ArraySlice<UInt8>
    ) -> [String: String]? {
        guard let token = tokens.first else { return name.isEmpty ? [:] : nil }
        let lengths: ClosedRange<Int>
        switch token {
        case .byte(let byte):
            guard name.first == byte else { return nil }
            lengths = 1...1
        case .anyByte, .oneOf: lengths = 1...1
        case .anyBytes: lengths = 0...max(0, name.count)
        case .capture: lengths = 1...max(1, name.count)
        }
        for length in lengths where length <= name.count {
            if var found = captured(tokens.dropFirst(), name.dropFirst(length)) {
                if case .capture(let key) = token {
                    found[key] = String(decoding: name.prefix(length), as: UTF8.self)
                }
                return found
            }
        }
        return nil
    }

    @Test("directories nested without end do not add to what is remembered of a walk")
    func nested() throws {
        let pattern = try PathPattern("/d/**/{a}/**/{b}/**/x.log")
        var places = pattern.below.start
        for depth in 0..<1_000 {
            places = pattern.below.step(from: places, into: Array("\(depth)".utf8)).below
            #expect(places.count <= pattern.below.segments.count)
        }
        let match = pattern.below.step(from: places, into: Array("x.log".utf8)).match
        #expect(match?.keys.sorted() == ["a", "b"])
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
