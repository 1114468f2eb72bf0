import Encoding
import Expressions
import FoundationEssentials
import Model
import Platform
import TestSupport
import Testing

@Suite("Lines that are one event") struct MultilineTests {
    /// All events of a text, those that are open at its end ended by hand.
    private func events(
        _ text: String, _ multiline: Multiline?, container: ContainerFormat? = nil,
        labels: LabelFormat? = nil, rules: LineRules = LineRules(), longestMessage: Int = 1 << 18,
        longestRecord: Int = 1_000_000, capacity: Int = 1 << 20, keepsEmptyLines: Bool = false
    ) throws -> (documents: [Document], result: EventFixture.Result) {
        let bytes = Array(text.utf8)
        let encoder = try RecordEncoder(
            codec: .json, template: EncodingFixture.template(path: "/input/t.log"),
            path: "/input/t.log", longestRecord: longestRecord, keepsEmptyLines: keepsEmptyLines,
            labels: labels, rules: rules, container: container, multiline: multiline,
            longestMessage: longestMessage)
        var result = EventFixture.encode(
            encoder, bytes, Frame.lines(of: bytes), capacity: capacity)
        for channel in Channel.allCases {
            guard let event = result.events.joiner.event(channel) else { continue }
            let size = encoder.size(of: event)
            let slab = PayloadSlab(capacity: size.bytes)
            var (ends, offsets): ([UInt32], [UInt32]) = ([], [])
            let part = encoder.encode(
                event, of: &result.events, isAtEnd: true, readTime: EncodingFixture.readTime,
                into: slab, ends: &ends, offsets: &offsets)
            if case .full(let needed) = part { Issue.record("\(needed) of \(size.bytes) bytes") }
            #expect(ends.count <= size.records)
            var start = 0
            for (end, offset) in zip(ends, offsets) {
                result.records.append(
                    slab.withBytes(start..<Int(end)) { bytes in bytes.indices.map { bytes[$0] } })
                result.offsets.append(event.place.offset.bytes + Int(offset))
                start = Int(end)
            }
            result.events.joiner.close(channel, isAtEnd: true)
        }
        return (try EventFixture.documents(result), result)
    }

    private func messages(_ text: String, _ multiline: Multiline) throws -> [String] {
        try events(text, multiline).documents.map(\.message)
    }

    private func after(_ pattern: String, negate: Bool = false) throws -> Multiline.Grouping {
        .pattern(try Expression(pattern), negate: negate, match: .after)
    }

    private struct Message: Decodable { let payload: String }

    /// Wanted deviation: `log.offset` of an event of several lines is that of its first byte;
    /// Filebeat's is that of its last line.
    @Test("The captured events of a Filebeat are ours, key by key")
    func captured() throws {
        let input = try EncodingFixture.bytes("filebeat/multiline/input.log")
        let mine = try events(
            String(decoding: input, as: UTF8.self),
            Multiline(try after("^[[:space:]]|^Caused|^java"))
        ).documents
        let captured = try EncodingFixture.bytes("filebeat/multiline/messages.ndjson")
        let theirs = try Frame.lines(of: captured).map { frame in
            let line = Data(captured[frame.start..<frame.start + frame.count])
            let payload = try JSONDecoder().decode(Message.self, from: line).payload
            return try EncodingFixture.document(Array(payload.utf8))
        }
        #expect(mine.count == 3 && theirs.count == 3)
        for other in theirs {
            let own = try #require(mine.first { $0.message == other.message })
            #expect(own.log.flags == other.log.flags)
            #expect(own.log.offset == [111: 0, 123: 123, 167: 144][other.log.offset])
            #expect(own.log.file.path == other.log.file.path)
            #expect(own.input == other.input && own.host == other.host)
            #expect(own.agent.name == other.agent.name)
        }
    }

    @Test("pattern: negate and match as with Filebeat")
    func patterns() throws {
        let text = "a\nb 1\nb 2\na\nb 3\n"
        #expect(try messages(text, Multiline(try after("^b"))) == ["a\nb 1\nb 2", "a\nb 3"])
        #expect(
            try messages(text, Multiline(try after("^a", negate: true)))
                == ["a\nb 1\nb 2", "a\nb 3"])
        let before = { (pattern: String, negate: Bool) throws -> Multiline in
            Multiline(.pattern(try Expression(pattern), negate: negate, match: .before))
        }
        #expect(try messages("a\\\nb\\\nc\nd\n", before("\\\\$", false)) == ["a\\\nb\\\nc", "d"])
        #expect(try messages("a\nb;\nc;\n", before(";$", true)) == ["a\nb;", "c;"])
    }

    @Test("flush_pattern, count, skip_newline, max_lines")
    func others() throws {
        let flushed = Multiline(
            try after("^start", negate: true), flush: try Expression("^end"))
        #expect(
            try messages("start\nx\nend\nalone\nstart\n", flushed)
                == ["start\nx\nend", "alone", "start"])
        #expect(try messages("1\n2\n3\n4\n5\n", Multiline(.count(2))) == ["1\n2", "3\n4", "5"])
        #expect(
            try messages("a\n b\n c\n", Multiline(try after("^ "), skipsNewline: true))
                == ["a b c"])
        let most = try events("a\n 1\n 2\n 3\nb\n", Multiline(try after("^ "), mostLines: 2))
        #expect(most.documents.map(\.message) == ["a\n 1", " 2\n 3", "b"])
        #expect(most.documents.map(\.log.offset) == [0, 5, 11])
        #expect(
            most.documents.map(\.log.flags) == [
                ["split", "multiline"], ["split", "multiline"], nil,
            ])
    }

    @Test("F8: an event that never ends comes in parts that are the same whatever room there is")
    func endless() throws {
        let lines = (0..<500).map { " line \($0) \"é\"" }
        let text = "begin\n" + lines.map { $0 + "\n" }.joined() + "next\n"
        let whole = try events(
            text, Multiline(try after("^ "), mostLines: 10_000), longestMessage: 1_000)
        #expect(whole.documents.map(\.message).joined(separator: "\n") == text.dropLast())
        #expect(whole.documents.count > 5)
        #expect(whole.documents.allSatisfy { $0.message.utf8.count <= 1_000 })
        #expect(whole.documents.dropLast().allSatisfy { $0.log.flags == ["split", "multiline"] })
        #expect(Set(whole.result.offsets).count == whole.documents.count)
        for capacity in [1_800, 3_000, 7_000] {
            let other = try events(
                text, Multiline(try after("^ "), mostLines: 10_000), longestMessage: 1_000,
                capacity: capacity)
            #expect(other.result.records == whole.result.records)
            #expect(other.result.offsets == whole.result.offsets)
        }
    }

    @Test("F7: what is open keeps its position at its first line, until the next event begins")
    func positions() throws {
        let encoder = try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: false,
            multiline: Multiline(try after("^ ")))
        let first = Array("a\nb\n c\n".utf8)
        let result = EventFixture.encode(encoder, first, Frame.lines(of: first))
        #expect(try EventFixture.documents(result).map(\.message) == ["a"])
        #expect(result.events.joiner.low(of: EventFixture.generation) == 2)
        let more = Array(" d\ne\n".utf8)
        let rest = EventFixture.encode(
            encoder, more, Frame.lines(of: more, at: 7), after: result.events)
        let documents = try EventFixture.documents(rest)
        #expect(documents.map(\.message) == ["b\n c\n d"])
        #expect(documents.map(\.log.offset) == [2])
        #expect(documents.map(\.log.flags) == [["multiline"]])
        #expect(rest.events.joiner.low(of: EventFixture.generation) == 10)
    }

    @Test("Of a container each stream has its own events, of lines that may come in pieces")
    func containers() throws {
        let stamp = "2026-11-23T05:00:00.5Z"
        let text = [
            "stdout F a", "stderr F x", "stdout P  b", "stderr F  y", "stdout F b2", "stdout F c",
        ].map { "\(stamp) \($0)\n" }.joined()
        let found = try events(text, Multiline(try after("^ ")), container: .cri)
        #expect(found.documents.map(\.message) == ["a\n bb2", "c", "x\n y"])
        #expect(found.documents.map(\.stream) == ["stdout", "stdout", "stderr"])
        #expect(found.documents.map(\.log.flags) == [["multiline"], nil, ["multiline"]])
        #expect(found.documents.allSatisfy { $0.timestamp == "2026-11-23T05:00:00.500Z" })
    }

    @Test("Labels of an s6 log are cut from each line; the first one's time is the event's")
    func labels() throws {
        let label = "@400000006b03bb0027d04f81 "
        let later = "@400000006b03bb0127d04f81 "
        let found = try events(
            "\(label)a\n\(later) b\n\(later)c\n", Multiline(try after("^ ")),
            labels: LabelFormat(tai64n: .skalibs, zone: .utc, takesT: true))
        #expect(found.documents.map(\.message) == ["a\n b", "c"])
        #expect(
            found.documents.map(\.timestamp)
                == ["2026-11-23T04:02:35.667Z", "2026-11-23T04:02:36.667Z"])
    }

    @Test("F12: filters and masks look at the whole event")
    func rules() throws {
        let rules = LineRules(
            exclude: [try Expression("(?s)^drop.*me$")],
            masks: [
                LineRules.Mask(pattern: try Expression("key=[^;]+;"), replacement: Array("*".utf8))
            ])
        let text = "drop\n x\n me\na key=1\n 2; b\nlast\n"
        for capacity in [1 << 20, 900] {
            let found = try events(
                text, Multiline(try after("^ ")), rules: rules, capacity: capacity)
            #expect(found.documents.map(\.message) == ["a * b", "last"])
        }
        // What stands for a match may make an event longer than a record.
        let long = LineRules(
            masks: [
                LineRules.Mask(
                    pattern: try Expression("k"),
                    replacement: [UInt8](repeating: 0x2A, count: 200))
            ])
        let keys = (0..<50).map { _ in " k" }.joined(separator: "\n")
        let found = try events(
            "begin\n\(keys)\n", Multiline(try after("^ ")), rules: long, longestRecord: 2_000)
        #expect(found.documents.count > 5)
        #expect(
            found.documents.map(\.message).joined()
                == "begin\n" + keys.replacing("k", with: String(repeating: "*", count: 200)))
        #expect(found.result.records.allSatisfy { $0.count <= 2_000 })
        #expect(Set(found.result.offsets).count == found.documents.count)
    }

    @Test("F12: of what a container wrote in pieces filters and masks look at the whole message")
    func rulesOfContainers() throws {
        let rules = LineRules(
            exclude: [try Expression("health")],
            masks: [
                LineRules.Mask(pattern: try Expression(#"\d{8}"#), replacement: Array("*".utf8))
            ],
            longestAgo: 3_600_000)
        let now = "2026-11-23T03:37:00Z"
        let text =
            [
                "\(now) stdout P card 1234", "\(now) stderr F GET /health", "\(now) stdout F 5678.",
                "\(now) stderr P GET /hea", "\(now) stderr F lth", "no such line 12345678",
                "2026-11-23T01:00:00Z stdout F of yesterday", "\(now) stdout F last",
            ].joined(separator: "\n") + "\n"
        for capacity in [1 << 20, 800] {
            let found = try events(
                text, nil, container: .cri, rules: rules, capacity: capacity)
            #expect(found.documents.map(\.message) == ["card *.", "no such line *", "last"])
            #expect(found.documents.map(\.stream) == ["stdout", nil, "stdout"])
            #expect(found.documents.map(\.log.flags) == [nil, ["parse_error"], nil])
        }
    }

    @Test("Whatever the lines, no byte of them is lost or comes twice, with any room")
    func random() throws {
        var random = SplitMix(seed: 16)
        let words = [
            "a", " b", "", "é☃", "\"", "\tat x", "end", "\u{FFFD}", "long" + "x".padding(40),
        ]
        for seed in 0..<300 {
            let lines = (0..<Int(random.next() % 40)).map { _ in
                words[Int(random.next() % UInt64(words.count))]
            }
            let text = lines.map { $0 + "\n" }.joined()
            let kinds = [
                Multiline(try after(#"^\s"#), mostLines: 4),
                Multiline(try after("^a", negate: true), flush: try Expression("^end")),
                Multiline(.pattern(try Expression("x$"), negate: false, match: .before)),
                Multiline(.count(3)),
            ]
            let multiline = kinds[seed % kinds.count]
            let whole = try events(text, multiline, longestMessage: 60, keepsEmptyLines: true)
            let joined = whole.documents.map(\.message).joined(separator: "\n")
            #expect(joined == lines.joined(separator: "\n"), "seed \(seed)")
            let tight = try events(
                text, multiline, longestMessage: 60,
                capacity: 700 + Int(random.next() % 900), keepsEmptyLines: true)
            #expect(tight.result.records == whole.result.records, "seed \(seed)")
        }
    }
}

extension String {
    fileprivate func padding(_ count: Int) -> String { String(repeating: self, count: count) }
}
