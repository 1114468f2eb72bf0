import Encoding
import Model
import Platform
import TestSupport
import Testing

@Suite struct DocumentTests {
    @Test func aDocumentIsTheOneOfTheContractByteByByte() throws {
        let template = EncodingFixture.template(
            path: "/data/logs/shop/orders/orders-7d9f/log/current",
            captures: ["namespace": "shop", "app": "orders", "pod": "orders-7d9f", "shard": "3"],
            node: "node-17", fields: Array(#"{"cluster":"eu-1"}"#.utf8), tags: ["k8s"])
        let line = Array("one line\n".utf8)
        let frame = Frame(offset: 123_456, start: 0, count: 8, length: 9, flags: .none)
        let records = EncodingFixture.records(
            try EncodingFixture.encoder(.json, template), line, [frame])
        let golden = try EncodingFixture.bytes("document.json")
        #expect(records.map(EncodingFixture.text) == [EncodingFixture.text(golden.dropLast())])
    }

    @Test func linesOfAllKindsBecomeTheGoldenDocuments() throws {
        let lines = try EncodingFixture.bytes("filebeat/ugly/input.log")
        let records = EncodingFixture.records(
            try EncodingFixture.encoder(), lines, Frame.lines(of: lines))
        let golden = try EncodingFixture.bytes("ugly.ndjson")
        let expected = Frame.lines(of: golden).map {
            EncodingFixture.text(Array(golden[$0.start..<$0.start + $0.count]))
        }
        #expect(records.map(EncodingFixture.text) == expected)
    }

    @Test(arguments: [
        (["namespace": "a"], #"{"namespace":"a","node":{"name":"node-1"}}"#),
        (["app": "b"], #"{"labels":{"app":"b"},"node":{"name":"node-1"}}"#),
        (["pod": "c"], #"{"pod":{"name":"c"},"node":{"name":"node-1"}}"#),
    ])
    func kubernetesHoldsOnlyWhatThePathSays(captures: [String: String], json: String) throws {
        let text = try onlyRecord(EncodingFixture.template(captures: captures))
        #expect(text.contains(#""input":{"type":"filestream"},"kubernetes":"# + json + #","host""#))
    }

    @Test func aMinimalDocumentIsGoldenByteByByte() throws {
        let template = RecordTemplate(
            path: "/input/app.log", captures: ["pod": "p"], device: 1, inode: 2,
            generation: GenerationID(value: 7), node: "n", fields: Array(#"{"a":1}"#.utf8),
            tags: ["t"], agent: EncodingFixture.agent, isMinimal: true)
        #expect(
            try onlyRecord(template)
                == #"{"@timestamp":"2026-11-23T03:38:00.123Z","message":"x","log":{"offset":0,"#
                + #""file":{"path":"/input/app.log","device_id":"1","inode":"2"}},"#
                + #""kubernetes":{"pod":{"name":"p"},"node":{"name":"n"}}}"#)
    }

    @Test func withoutCapturesFieldsAndTagsTheirObjectsAreAbsent() throws {
        let text = try onlyRecord(
            EncodingFixture.template(captures: ["shard": "3"], fields: Array("{}".utf8)))
        #expect(text.contains(#""input":{"type":"filestream"},"host":{"name":"node-1"}"#))
    }

    @Test func namesWithQuotesAndNewlinesCannotBreakADocument() throws {
        let hostile = "a\"b\\c\n\u{2028}"
        let template = EncodingFixture.template(
            path: hostile, captures: ["pod": hostile, "app": hostile, "namespace": hostile],
            node: hostile, tags: [hostile, hostile])
        let document = try EncodingFixture.document(Array(onlyRecord(template).utf8))
        #expect(document.log.file.path == hostile)
        #expect(document.kubernetes?.pod?.name == hostile)
        #expect(document.kubernetes?.labels?.app == hostile)
        #expect(document.kubernetes?.namespace == hostile)
        #expect(document.kubernetes?.node.name == hostile)
        #expect(document.host.name == hostile)
        #expect(document.tags == [hostile, hostile])
    }

    @Test func anyBytesMakeAValidDocumentThatGivesTheLineBack() throws {
        var random = SplitMix(seed: 7)
        let encoder = try EncodingFixture.encoder()
        for _ in 0..<300 {
            let line = (0..<Int.random(in: 1..<80, using: &random)).map { _ in
                let byte = UInt8.random(in: 0...255, using: &random)
                return byte == 0x0A ? 0x0B : byte
            }
            let frame = Frame(
                offset: 5, start: 0, count: line.count, length: line.count + 1, flags: .none)
            let records = EncodingFixture.records(encoder, line + [0x0A], [frame])
            let document = try EncodingFixture.document(try #require(records.first))
            #expect(document.message.unicodeScalars.elementsEqual(replaced(line)), "\(line)")
            let valid = String(validating: line, as: UTF8.self) != nil
            #expect(document.log.flags == (valid ? nil : ["invalid_utf8"]), "\(line)")
        }
    }

    @Test func equalBytesGetEqualIdsWhereverTheyAreReadFrom() throws {
        let bytes = Array("first\nsecond\nthird\n".utf8)
        let encoder = try EncodingFixture.encoder()
        let whole = EncodingFixture.records(encoder, bytes, Frame.lines(of: bytes))
        let later = Array(bytes[6...])
        let rest = EncodingFixture.records(
            encoder, later, Frame.lines(of: later, at: 6))
        #expect(Array(whole[1...]) == rest)
        let ids = try whole.map { try EncodingFixture.document($0).metadata._id }
        #expect(
            ids == [
                "5f0c9be21a77d1c3-0000000000000000", "5f0c9be21a77d1c3-0000000000000006",
                "5f0c9be21a77d1c3-000000000000000d",
            ])
    }

    @Test func emptyLinesAreDoneWithWithoutARecordUnlessTheyAreKept() throws {
        let bytes = Array("\n\na\n\n".utf8)
        let frames = Frame.lines(of: bytes)
        let slab = PayloadSlab(capacity: 4096)
        var ends: [UInt32] = []
        let progress = try EncodingFixture.encoder().encode(
            frames, from: .start, of: bytes.span, readTime: 0, into: slab, limit: 4096, ends: &ends)
        #expect(ends.count == 1)
        #expect(progress.position == FramePosition(frame: 4, byte: 0))
        #expect(progress.position.offset(in: frames) == 5)
        let kept = EncodingFixture.records(
            try EncodingFixture.encoder(keepsEmptyLines: true), bytes, frames)
        let documents = try kept.map(EncodingFixture.document)
        #expect(documents.map(\.message) == ["", "", "a", ""])
        #expect(documents.map(\.log.offset) == [0, 1, 2, 4])
    }

    @Test func rawRecordsAreTheBytesOfTheLines() throws {
        let bytes = try EncodingFixture.bytes("filebeat/ugly/input.log")
        let frames = Frame.lines(of: bytes)
        let records = EncodingFixture.records(try EncodingFixture.encoder(.raw), bytes, frames)
        let lines = frames.filter { $0.count > 0 }.map {
            Array(bytes[$0.start..<$0.start + $0.count])
        }
        #expect(records == lines)
    }

    /// Each byte that is no UTF-8 as U+FFFD.
    private func replaced(_ line: [UInt8]) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        var index = 0
        while index < line.count {
            let length = (1...4).first { length in
                index + length <= line.count
                    && String(validating: line[index..<index + length], as: UTF8.self) != nil
            }
            let unit = line[index..<index + (length ?? 1)]
            if length == nil {
                scalars.append("\u{FFFD}")
            } else {
                scalars.append(contentsOf: String(decoding: unit, as: UTF8.self).unicodeScalars)
            }
            index += length ?? 1
        }
        return scalars
    }

    private func onlyRecord(_ template: RecordTemplate) throws -> String {
        let line = Array("x\n".utf8)
        let records = EncodingFixture.records(
            try EncodingFixture.encoder(.json, template), line, Frame.lines(of: line))
        return EncodingFixture.text(try #require(records.first))
    }
}
