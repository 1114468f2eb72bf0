import CAllocationCounter
import Expressions
import TestSupport
import Testing

@Suite("Expressions on bytes") struct ExpressionTests {
    private func find(_ pattern: String, _ bytes: [UInt8], from start: Int = 0) throws -> Finding {
        let expression = try Expression(pattern)
        return ExpressionText.with(bytes.span) { $0.first(expression, from: start) }
    }

    private func find(_ pattern: String, _ text: String) throws -> Finding {
        try find(pattern, Array(text.utf8))
    }

    @Test(
        "A match is where Go's expressions have it",
        arguments: [
            ("request 1[0-9]", "a request 12 b", 2..<12), ("^a", "aa", 0..<1),
            (#"\d{3}"#, "a1234", 1..<4), ("a|ab", "ab", 0..<1), ("(?i)äpfel", "zwei ÄPFEL", 5..<11),
            ("^.{3}$", "äöü", 0..<6), ("[äö]+", "xöäx", 1..<5), (#"\x{20ac}"#, "5 €", 2..<5),
            (#"\bfoo\b"#, "a foo b", 2..<5), ("(?s)a.b", "a\nb", 0..<3),
            ("(?m)^b$", "a\nb\nc", 2..<3),
            ("[[:space:]]", "a\tb", 1..<2), (#"\p{Greek}"#, "aλ", 1..<3),
            ("(?P<n>a)b", "ab", 0..<2),
            (#"\Qa.b\E"#, "axb a.b", 4..<7), ("", "abc", 0..<0), ("a(?=b)", "acab", 2..<3),
        ])
    func matches(pattern: String, text: String, range: Range<Int>) throws {
        #expect(try find(pattern, text) == .match(range))
    }

    @Test(
        "What the first byte rules out is found in no text that begins with it",
        arguments: [
            #"^\s"#, "^$", "^a", "^(?!a)", "^(?=.*z)", "^(a|bc|[0-9]{4})", "^", "^.", "^(?i)ä",
            "^a?",
            #"\A[^a]"#, #"\Ga"#, "a", "", #"^\bx"#, "^a*+b", #"^\S+$"#, "^(?s).b",
        ])
    func firstBytes(pattern: String) throws {
        let expression = try Expression(pattern)
        for first in UInt8(0)..<128 {
            for rest in ["", "a", "z", "\n", "bc", "234", "ä", " x z"] {
                let text = [first] + Array(rest.utf8)
                if expression.mayBegin(text.span) { continue }
                let finding = ExpressionText.with(text.span) { $0.first(expression) }
                #expect(finding == .none, "\(pattern) in \(text)")
            }
        }
    }

    @Test("Of an expression that begins with ^ the first byte tells most texts")
    func mayBegin() throws {
        let expression = try Expression(#"^\s|^Caused by"#)
        let texts = ["2026", "", " at", "Caused", "x C", "é"].map { Array($0.utf8) }
        let found = texts.map { expression.mayBegin($0.span) }
        #expect(found == [false, true, true, true, false, true])
        #expect(try Expression("a").mayBegin(Array("b".utf8).span))
    }

    @Test(
        "What does not match there does not match here",
        arguments: [
            ("^b", "a\nb"), ("a$", "a\n"), ("a.b", "a\nb"), (#"\d"#, "٣"), (#"\w"#, "ä"),
            ("a$", "ab"),
            ("^$", "a"), ("x", ""),
        ])
    func none(pattern: String, text: String) throws {
        #expect(try find(pattern, text) == .none)
    }

    @Test("A bad byte is one character, and places are those of the bytes as they are")
    func invalid() throws {
        let bytes: [UInt8] = [0x61, 0xFF, 0xE2, 0x82, 0x62, 0x63, 0xC3]
        #expect(try find("^a.{3}b", bytes) == .match(0..<5))
        #expect(try find("bc", bytes) == .match(4..<6))
        #expect(try find("c.$", bytes) == .match(5..<7))
        #expect(try find(#"\x{FFFD}"#, bytes, from: 2) == .match(2..<3))
        #expect(try find(#"[^a-z]+"#, bytes) == .match(1..<4))
        #expect(try find("b", bytes, from: 5) == .none)
        #expect(try find("x", bytes, from: 8) == .none)
    }

    @Test(
        "A pattern that is none says where",
        arguments: [
            ("a(b", 4), ("ä[z", 4), ("x{2,1}", 6), ("*a", 1), (#"a\C"#, 4), (#"\p{Xx}"#, 7),
        ])
    func faults(pattern: String, column: Int) throws {
        let error = try #require(throws: ExpressionError.self) { try Expression(pattern) }
        #expect(error.column == column, "\(error)")
        #expect(error.pattern == pattern)
        #expect(!error.problem.isEmpty)
    }

    @Test("A pattern without end is refused before it is compiled")
    func length() throws {
        let most = String(repeating: "a", count: Expression.longest)
        #expect(throws: Never.self) { try Expression(most) }
        let error = try #require(throws: ExpressionError.self) { try Expression(most + "a") }
        #expect(error.problem == "longer than 16384 bytes")
    }

    @Test("F8: a pattern that goes back for ever on an evil line ends soon, and is no answer")
    func evil() throws {
        let line = String(repeating: "a", count: 5_000) + "!"
        #expect(try find("^(a+)+$", line) == .limit)
        #expect(try find("(a|a)*b", line + "b") == .limit)
        // Each place costs little, and there are many.
        let long = String(repeating: "a", count: 256 << 10)
        let clock = ContinuousClock()
        var found = Finding.none
        let took = try clock.measure { found = try find("(?:ab|a){40}[x-z]", long) }
        #expect(found == .limit)
        #expect(took < .seconds(10))
        // None of that is left for the next one.
        #expect(try find("a+!", line) == .match(0..<5_001))
    }

    @Test("In a long line a match is found wherever it begins, characters whole")
    func long() throws {
        let filler = String(repeating: "äé☃", count: 3_000)
        let expression = try Expression("☃x|y+")
        for place in [0, 1, 146, 147, 300, 2_999] {
            let text = Array(
                (String(repeating: "äé☃", count: place) + "☃x" + filler).utf8)
            let found = ExpressionText.with(text.span) { $0.first(expression) }
            #expect(found == .match(7 * place..<7 * place + 4))
        }
        let text = Array(filler.utf8)
        #expect(ExpressionText.with(text.span) { $0.contains(expression) } == false)
        let anchored = try Expression("^x")
        #expect(ExpressionText.with(text.span) { $0.contains(anchored) } == false)
    }

    @Test("A thousand matches allocate no more than one")
    func allocations() throws {
        let expression = try Expression("request 1[0-9]|☃$")
        let matching = Array("worker request 12 took".utf8)
        let other = Array("nothing here".utf8)
        let invalid: [UInt8] = [0xFF, 0x61, 0xFF]
        var found = 0
        func allocations(_ rounds: Int) -> UInt64 {
            allocation_counter_start()
            for _ in 0..<rounds {
                let first = ExpressionText.with(matching.span) { $0.contains(expression) }
                let second = ExpressionText.with(other.span) { $0.contains(expression) }
                let third = ExpressionText.with(invalid.span) { $0.contains(expression) }
                if first == true, second == false, third == false { found += 1 }
            }
            return allocation_counter_stop()
        }
        _ = allocations(1)
        let few = allocations(1)
        let many = allocations(1_000)
        #expect(many <= few)
        #expect(found == 1_002)
    }

    @Test("Whatever the bytes, a match lies within them and begins and ends at characters")
    func random() throws {
        let patterns = ["a.", "[^a]", #"\W+"#, ".$", "(?i)k", #"(.)\1"#, #"\x{FFFD}a?"#]
        let expressions = try patterns.map { try Expression($0) }
        var random = SplitMix(seed: 7)
        let pool: [UInt8] = [
            0x61, 0x6B, 0xFF, 0xC3, 0xA4, 0xE2, 0x98, 0x83, 0xF0, 0x9F, 0x0A, 0x20,
        ]
        for _ in 0..<2_000 {
            let count = Int(random.next() % 24)
            let bytes = (0..<count).map { _ in pool[Int(random.next() % UInt64(pool.count))] }
            for (expression, pattern) in zip(expressions, patterns) {
                let found = ExpressionText.with(bytes.span) { $0.first(expression) }
                guard case .match(let range) = found else {
                    #expect(found == .none)
                    continue
                }
                #expect(range.lowerBound >= 0 && range.upperBound <= bytes.count)
                if pattern == "a." { #expect(bytes[range.lowerBound] == 0x61) }
            }
        }
    }
}
