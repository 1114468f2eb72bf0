import TestSupport
import Testing
import YAML

@Suite struct DocumentTests {
    @Test func everyValueKnowsItsLineAndColumn() throws {
        let document = try load(
            """
            # a comment
            a: 1
            b:
              - x
              - {c: "ü", d: 'e'}
            """)
        let root = try #require(document.root)
        #expect(
            root
                == map(
                    2, 1,
                    [
                        entry("a", 2, 1, plain("1", 2, 4)),
                        entry(
                            "b", 3, 1,
                            list(
                                4, 3,
                                [
                                    plain("x", 4, 5),
                                    map(
                                        5, 5,
                                        [
                                            entry("c", 5, 6, quoted("ü", 5, 9)),
                                            entry("d", 5, 14, quoted("e", 5, 17)),
                                        ]),
                                ])),
                    ]))
        #expect(document.faults.isEmpty)
    }

    @Test(arguments: ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "\u{FEFF}"])
    func aTextWithoutValuesHasNoRoot(text: String) throws {
        #expect(try load(text).root == nil)
    }

    @Test func aByteOrderMarkShiftsNoColumn() throws {
        #expect(try load("\u{FEFF}a: 1").root == map(1, 1, [entry("a", 1, 1, plain("1", 1, 4))]))
    }

    @Test func aNulWrittenAsAnEscapeDoesNotCutTheText() throws {
        #expect(try load(#""a\0b""#).root == quoted("a\0b", 1, 1))
    }

    @Test func aliasesAreExpanded() throws {
        let document = try load("a: &x {b: 1}\nc: *x\nd: *x\n")
        let value = map(1, 4, [entry("b", 1, 8, plain("1", 1, 11))])
        #expect(
            document.root
                == map(
                    1, 1,
                    [
                        entry("a", 1, 1, value), entry("c", 2, 1, value), entry("d", 3, 1, value),
                    ]))
    }

    @Test func everyKeyThatStandsTwiceIsNamed() throws {
        let document = try load("a: 1\nb: {c: 1, c: 2}\na: 3\n")
        #expect(
            document.faults.map(\.description) == [
                "f.yaml:2:11: key c stands twice; first at 2:5",
                "f.yaml:3:1: key a stands twice; first at 1:1",
            ])
    }

    private static let braces =
        "a value with { or } in it needs quotes, as in '/data/{pod}/*.log'"
    private static let star = "a value that begins with * needs quotes"
    private static let colon =
        "no key can stand before this colon: a value with ': ' in it needs quotes; else look at the"
        + " indentation, and for a colon without a blank in the line above"

    static let refused: [(text: String, error: String)] = [
        ("a:\n\tb: 1\n", "f.yaml:2:1: a tab cannot indent YAML; use spaces"),
        (
            "a: [1, 2\nb: 3\n", "f.yaml:1:4: a [ begins here; a comma or ] is missing at 2:2"
        ),
        (
            "a: {x: 2\nb: 3\n", "f.yaml:1:4: a { begins here; a comma or } is missing at 2:2"
        ),
        ("a: \"b\nc: d\n", "f.yaml:1:4: a quote begins here and is never closed"),
        (
            "a: \"\\d\"\n",
            "f.yaml:1:5: no escape of YAML; a \\ in double quotes is written \\\\, or use '…'"
        ),
        ("a: @b\n", "f.yaml:1:4: a value that begins with @ needs quotes"),
        ("a: `b`\n", "f.yaml:1:4: a value that begins with ` needs quotes"),
        ("a: %b\n", "f.yaml:1:4: a value that begins with % needs quotes"),
        ("a: [*.log]\n", "f.yaml:1:5: a value that begins with * needs quotes"),
        ("a: **/x\n", "f.yaml:1:4: a value that begins with * needs quotes"),
        ("a: &x.y\n", "f.yaml:1:4: a value that begins with & needs quotes"),
        ("a: > x\n", "f.yaml:1:4: a value that begins with > or | needs quotes"),
        ("a: [/d/{x}/y]\n", "f.yaml:1:8: \(braces)"), ("a: [ {x}/y ]\n", "f.yaml:1:9: \(braces)"),
        ("a: {x}/y\nb: 1\n", "f.yaml:1:7: \(braces)"), ("a: {x} y\n", "f.yaml:1:8: \(braces)"),
        (
            "a: 'it's'\n",
            "f.yaml:1:8: nothing may follow a closing quote; '' is a quote within '…', \\\" one"
                + " within \"…\""
        ),
        (
            "- a: 1\n  b: 2\n c: 3\n",
            "f.yaml:3:2: this line is not indented as what begins at 1:1 is, which it must belong to"
        ),
        ("a: b: c\n", "f.yaml:1:5: \(colon)"), ("a:b\nc: 1\n", "f.yaml:2:2: \(colon)"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document; expected one document in a file"),
        ("---\n---\n", "f.yaml:2:1: a second document; expected one document in a file"),
        ("a: *x\n", "f.yaml:1:4: alias *x repeats nothing: no &x before it; \(star)"),
        ("a: &x [*x]\n", "f.yaml:1:8: alias *x repeats nothing: no &x before it; \(star)"),
        (
            "a: !!int 5\n",
            "f.yaml:1:4: tag tag:yaml.org,2002:int; expected a value without a tag"
        ),
        ("? [a]\n: b\n", "f.yaml:1:3: a list or map as a key; expected a word"),
        ("a: \u{1}\n", "f.yaml:1:4: control characters are not allowed (U+1)"),
    ]

    @Test(arguments: refused)
    func whatIsNoDocumentIsRefusedWithItsPlace(text: String, error: String) {
        #expect(failure(Array(text.utf8)) == error)
    }

    @Test func bytesThatAreNotUTF8AreNamedWithTheirPlace() {
        #expect(
            failure(Array("a: ü\nb: ö".utf8) + [0xFF])
                == "f.yaml:2:5: not UTF-8: byte 0xff cannot stand here; save the file as UTF-8")
        #expect(
            failure([0x61, 0x3A, 0x20, 0xC3])
                == "f.yaml:1:4: not UTF-8: byte 0xc3 cannot stand here; save the file as UTF-8")
        #expect(
            failure([0xFF, 0xFE, 0x61, 0x00])
                == "f.yaml:1:1: not UTF-8: byte 0xff cannot stand here; save the file as UTF-8")
    }

    @Test func theDepthIsBounded() throws {
        let limit = Document.Limits.depth
        let deep = String(repeating: "[", count: limit) + String(repeating: "]", count: limit)
        #expect(try load(deep).root != nil)
        #expect(
            failure(Array("[\(deep)]".utf8))
                == "f.yaml:1:65: lists and maps more than 64 deep")
        #expect(
            failure(Array("a: &x \(deep.dropFirst().dropLast())\nb: [*x]\n".utf8))
                == "f.yaml:2:5: lists and maps more than 64 deep")
        let far = String(repeating: "[", count: 3_000_000)
        #expect(failure(Array(far.utf8)) == "f.yaml:1:65: lists and maps more than 64 deep")
    }

    @Test func aliasesCannotMultiplyWithoutEnd() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let again = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(again)]\n"
        }
        #expect(
            failure(Array(text.utf8))
                == "f.yaml:6:10: more than 200000 values, aliases expanded")
    }

    @Test func theSizeIsBounded() {
        #expect(
            failure([UInt8](repeating: 0x23, count: Document.Limits.size + 1))
                == "f.yaml:1:1: more than 4194304 bytes; expected at most that")
    }

    @Test func noBytesTrap() {
        var random = SplitMix(seed: 0x5eed)
        let pieces = [
            "a", ": ", "- ", "\n", "  ", "\t", "[", "]", "{", "}", ",", "&x ", "*x", "!!str ", "|",
            ">", "\"", "'", "#", "---\n", "...\n", "? ", "%YAML 1.2\n", "\\", "\0", "\u{FEFF}", "ü",
        ].map { Array($0.utf8) }
        var read = 0
        for _ in 0..<2_000 {
            var bytes: [UInt8] = []
            for _ in 0..<random.next() % 40 {
                if random.next() % 8 == 0 {
                    bytes.append(UInt8(truncatingIfNeeded: random.next()))
                } else {
                    bytes += pieces[Int(random.next() % UInt64(pieces.count))]
                }
            }
            if failure(bytes) == nil { read += 1 }
        }
        #expect(read > 50)
    }
}

private func load(_ text: String) throws(YAMLError) -> Document {
    try Document(Array(text.utf8), file: "f.yaml")
}

private func failure(_ bytes: [UInt8]) -> String? {
    do throws(YAMLError) {
        _ = try Document(bytes, file: "f.yaml")
        return nil
    } catch {
        return error.description
    }
}

private func plain(_ text: String, _ line: Int, _ column: Int) -> Node {
    Node(
        mark: Mark(line: line, column: column),
        content: .scalar(Node.Scalar(text: text, isPlain: true)))
}

private func quoted(_ text: String, _ line: Int, _ column: Int) -> Node {
    Node(
        mark: Mark(line: line, column: column),
        content: .scalar(Node.Scalar(text: text, isPlain: false)))
}

private func list(_ line: Int, _ column: Int, _ items: [Node]) -> Node {
    Node(mark: Mark(line: line, column: column), content: .list(items))
}

private func map(_ line: Int, _ column: Int, _ entries: [Node.Entry]) -> Node {
    Node(mark: Mark(line: line, column: column), content: .map(entries))
}

private func entry(_ key: String, _ line: Int, _ column: Int, _ value: Node) -> Node.Entry {
    Node.Entry(key: key, keyMark: Mark(line: line, column: column), value: value)
}
