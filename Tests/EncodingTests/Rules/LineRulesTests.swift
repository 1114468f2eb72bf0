import Encoding
import Expressions
import Model
import Platform
import Tailer
import TestSupport
import Testing

@Suite("Lines that an input wants, and what in them nobody is to see") struct LineRulesTests {
    private func mask(_ pattern: String, _ replacement: String) throws -> LineRules.Mask {
        LineRules.Mask(pattern: try Expression(pattern), replacement: Array(replacement.utf8))
    }

    /// All that a reader would get of a file, read in chunks of `chunk` bytes from `place` on, as
    /// after a restart there; and what the rules did.
    private func read(
        _ bytes: [UInt8], _ rules: LineRules, codec: RecordCodec = .raw, maxLine: Int = 1 << 20,
        chunk: Int = 1 << 20, longestRecord: Int = 1_000_000, labels: LabelFormat? = nil,
        from start: Int = 0
    ) throws -> (records: [[UInt8]], offsets: [Int], counts: LineCounts, end: Int) {
        let encoder = try EncodingFixture.encoder(
            codec, longestRecord: longestRecord, labels: labels, rules: rules)
        let framer = LineFramer(maxLine: maxLine)
        var (records, offsets, counts) = ([[UInt8]](), [Int](), LineCounts())
        var (place, leavesLineOut, lineTime) = (start, false, Int64?.none)
        var frames: [Frame] = []
        while place < bytes.count {
            let end = min(bytes.count, place + chunk)
            let piece = Array(bytes[place..<end])
            framer.frame(
                piece.span,
                within: .init(
                    offset: LogicalOffset(place),
                    continuesLine: place > 0 && bytes[place - 1] != 10,
                    isFinal: end == bytes.count), into: &frames)
            try #require(!frames.isEmpty, "a chunk holds a line, or a part")
            let slab = PayloadSlab(capacity: 1 << 21)
            var (ends, starts) = ([UInt32](), [UInt32]())
            let progress = encoder.encode(
                frames, from: .start, of: piece.span, readTime: EncodingFixture.readTime,
                lineTime: lineTime, leavesLineOut: leavesLineOut, into: slab, limit: slab.capacity,
                ends: &ends, offsets: &starts)
            var begin = 0
            for (index, end) in ends.enumerated() {
                records.append(
                    slab.withBytes(begin..<Int(end)) { bytes in bytes.indices.map { bytes[$0] } })
                offsets.append(place + Int(starts[index]))
                begin = Int(end)
            }
            counts.leftOut += progress.counts.leftOut
            counts.undecided += progress.counts.undecided
            counts.masked += progress.counts.masked
            leavesLineOut = progress.leavesLineOut
            lineTime = progress.lineTime
            let next = try #require(progress.position.offset(in: frames)).bytes
            try #require(next > place, "it goes on")
            place = next
        }
        return (records, offsets, counts, place)
    }

    private func texts(_ text: String, _ rules: LineRules) throws -> [String] {
        try read(Array(text.utf8), rules).records.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("A line has to match one that is included, and none that is excluded")
    func filters() throws {
        let lines = "error a\nwarn b\ninfo c\nerror healthz\n\n"
        let included = LineRules(include: [try Expression("^error"), try Expression("^warn")])
        #expect(try texts(lines, included) == ["error a", "warn b", "error healthz"])
        let excluded = LineRules(exclude: [try Expression("healthz$"), try Expression("^warn")])
        #expect(try texts(lines, excluded) == ["error a", "info c"])
        let both = LineRules(
            include: [try Expression("^error")], exclude: [try Expression("healthz")])
        #expect(try texts(lines, both) == ["error a"])
        let counted = try read(Array(lines.utf8), both)
        #expect(counted.counts.leftOut == 3)
        #expect(counted.end == lines.utf8.count)
    }

    @Test("The position passes lines that are left out, all of them, too")
    func positions() throws {
        let bytes = Array((0..<1000).map { "line \($0)\n" }.joined().utf8)
        let none = try read(bytes, LineRules(include: [try Expression("^nothing$")]))
        #expect(none.records.isEmpty && none.end == bytes.count && none.counts.leftOut == 1000)
        let one = try read(bytes, LineRules(include: [try Expression("^line 500$")]))
        #expect(one.records == [Array("line 500".utf8)] && one.end == bytes.count)
        #expect(one.offsets == [10 * 7 + 90 * 8 + 400 * 9])
    }

    @Test("What is left out is told by the message, behind the label, whatever the codec")
    func labels() throws {
        let label = "@400000006b03bb0027d04f81 "
        let bytes = Array("\(label)DEBUG x\n\(label)INFO y\n".utf8)
        let format = LabelFormat(tai64n: .skalibs, zone: .utc, takesT: true)
        let rules = LineRules(
            exclude: [try Expression("^DEBUG")], masks: [try mask("^INFO", "*")])
        let raw = try read(bytes, rules, labels: format)
        #expect(raw.records.map(EncodingFixture.text) == ["\(label)* y"])
        let json = try read(bytes, rules, codec: .json, labels: format)
        #expect(try json.records.map { try EncodingFixture.document($0).message } == ["* y"])
        // 2026-11-23T04:02:35.667Z is 25 minutes behind the time of reading.
        let old = "@400000006b03b00027d04f81 "
        let aged = Array("\(old)old\n\(label)new\nno time\n".utf8)
        for codec in [RecordCodec.raw, .json] {
            let kept = try read(aged, LineRules(longestAgo: 60_000), codec: codec, labels: format)
            #expect(kept.counts.leftOut == 1 && kept.records.count == 2)
        }
    }

    @Test("F8: a line that an expression takes too long on is shipped, flagged, counted")
    func limit() throws {
        let evil = String(repeating: "a", count: 5_000) + "!"
        let bytes = Array("\(evil)\nx\n".utf8)
        let excluded = try read(
            bytes, LineRules(exclude: [try Expression("^(a+)+$"), try Expression("x")]),
            codec: .json)
        let documents = try excluded.records.map(EncodingFixture.document)
        #expect(documents.map(\.message) == [evil])
        #expect(documents[0].log.flags == ["match_limit"])
        #expect(excluded.counts.undecided == 1 && excluded.counts.leftOut == 1)
        let included = try read(
            bytes, LineRules(include: [try Expression("^(a+)+$")]), codec: .json)
        #expect(try included.records.map { try EncodingFixture.document($0).message } == [evil])
        // Of a mask it is never known what it would have hidden.
        let masked = try read(
            bytes, LineRules(masks: [try mask("(a+)+$", "*")]), codec: .json)
        let hidden = try masked.records.map(EncodingFixture.document)
        #expect(hidden.map(\.message) == ["*", "x"])
        #expect(hidden.map(\.log.flags) == [["match_limit"], nil])
        #expect(masked.counts.undecided == 1)
    }

    @Test("All matches of all masks are replaced; where two overlap, all of both is")
    func masks() throws {
        let card = try mask(#"\d{16}"#, "****")
        #expect(
            try texts("a 1234567890123456 b 6543210987654321\nnone\n", LineRules(masks: [card]))
                == ["a **** b ****", "none"])
        let word = try mask("456 b", "<>")
        #expect(try texts("1234567890123456 b\n", LineRules(masks: [card, word])) == ["****"])
        #expect(try texts("x456 b\n", LineRules(masks: [card, word])) == ["x<>"])
        #expect(try texts("abc\n", LineRules(masks: [try mask("x*", "-")])) == ["abc"])
        #expect(try texts("axxbx\n", LineRules(masks: [try mask("x*", "")])) == ["ab"])
        #expect(try texts("secret\n", LineRules(masks: [try mask(".*", "")])) == [""])
        let counted = try read(
            Array("1234567890123456 1234567890123456\n".utf8), LineRules(masks: [card]))
        #expect(counted.counts.masked == 2)
    }

    @Test("A mask takes no byte beside its match, though others are no UTF-8")
    func invalid() throws {
        let bytes: [UInt8] = [0xFF, 0x31, 0x32, 0xC3, 0x33, 0xE2, 0x0A]
        let rules = LineRules(masks: [try mask("[0-9]+", "#")])
        #expect(try read(bytes, rules).records == [[0xFF, 0x23, 0xC3, 0x23, 0xE2]])
        let document = try EncodingFixture.document(try read(bytes, rules, codec: .json).records[0])
        #expect(document.message == "\u{FFFD}#\u{FFFD}#\u{FFFD}")
        #expect(document.log.flags == ["invalid_utf8"])
    }

    @Test("F12: a secret over the cut of a long line, or of a record, never comes, from any start")
    func overCuts() throws {
        let secret = "1234-5678-9012-3456"
        let rules = LineRules(masks: [try mask(#"\d{4}(-\d{4}){3}"#, "****")], longestLine: 100)
        for place in 60...110 {
            let line =
                String(repeating: "x", count: place) + secret + String(repeating: "y", count: 150)
            let bytes = Array("first\n\(line)\nlast\n".utf8)
            for (maxLine, chunk, longest) in [
                (100, 150, 1_000_000), (100, 1 << 20, 70), (100, 101, 90),
            ] {
                let all = try read(
                    bytes, rules, maxLine: maxLine, chunk: chunk, longestRecord: longest)
                let joined = all.records.map(EncodingFixture.text).joined()
                #expect(
                    joined == "first" + line.replacing(secret, with: "****") + "last",
                    "\(place), \(maxLine), \(chunk), \(longest)")
                #expect(all.counts.masked == 1)
                // As after a kill between any two of them.
                for (index, offset) in all.offsets.enumerated() {
                    let rest = try read(
                        bytes, rules, maxLine: maxLine, chunk: chunk, longestRecord: longest,
                        from: offset)
                    #expect(rest.records == Array(all.records[index...]))
                    #expect(rest.offsets == Array(all.offsets[index...]))
                }
            }
        }
    }

    @Test("The parts of a long line that is left out are left out, too")
    func leftOutParts() throws {
        let long = "drop " + String(repeating: "x", count: 1_000)
        let bytes = Array("\(long)\nkeep\n\(long)\n".utf8)
        for chunk in [110, 1 << 20] {
            let all = try read(
                bytes, LineRules(exclude: [try Expression("^drop")]), maxLine: 100, chunk: chunk)
            #expect(all.records.map(EncodingFixture.text) == ["keep"])
            #expect(all.counts.leftOut == 2 && all.end == bytes.count)
        }
    }

    @Test("Whatever the lines and cuts, nothing but matches is changed, and no match comes")
    func random() throws {
        var random = SplitMix(seed: 12)
        let pool = Array("ab12 -é\u{2603}".utf8) + [0xFF, 0x0A, 0x22]
        let rules = LineRules(masks: [try mask("[0-9]{2,6}", "#")], longestLine: 32)
        for seed in 0..<400 {
            let count = Int(random.next() % 300)
            let bytes =
                (0..<count).map { _ in pool[Int(random.next() % UInt64(pool.count))] } + [0x0A]
            let chunk = 36 + Int(random.next() % 50)
            let all = try read(bytes, rules, maxLine: 32, chunk: chunk)
            var expected: [UInt8] = []
            var digits: [UInt8] = []
            for byte in bytes {
                if byte >= 0x30, byte <= 0x39 {
                    digits.append(byte)
                    continue
                }
                expected += digits.count >= 2 ? [] : digits
                digits = []
                if byte != 0x0A { expected.append(byte) }
            }
            let joined = all.records.flatMap { $0 }.filter { $0 != 0x23 }
            // Of more than six in a row a last single one may be left.
            let runs = bytes.split { !(0x30...0x39).contains($0) }
            guard runs.allSatisfy({ $0.count <= 6 }) else { continue }
            #expect(joined == expected, "seed \(seed)")
            #expect(all.end == bytes.count)
        }
    }
}
