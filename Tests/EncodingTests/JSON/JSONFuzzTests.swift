import Encoding
import Model
import TestSupport
import Testing

/// Lines of JSON, made at random and then cut, doubled, or with bytes that were changed.
@Suite("Whatever a line of JSON is, a document is made of it") struct JSONFuzzTests {
    private static let keys = [
        "a", "b", "a.b", "message", "log", "log.level", "host", "tags", "fields", "@timestamp",
        "@metadata", #"\u0061"#, #"k\"q"#, "☃", "", ".", "a..b", "error", "stream", "long_key_name",
        "long_key_nam2", "kubernetes", "labels", "app", "file", "path",
    ]
    private static let scalars = [
        "1", "-0.5e3", "1e999", "12345678901234567890", "true", "null", #""x""#, #""""#,
        #""\ud83d""#, #""\ud83d\ude00 ☃""#, #""a\\\"b\n""#, #""2020-01-02T03:04:05Z""#, "[]", "{}",
        "[1, 2]",
        #"[{"a":1,"a":2}]"#, #"["\udc00"]"#,
    ]

    private func value(_ random: inout SplitMix, _ depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 3 ? 6 : 9), using: &random) {
        case 0..<6: return Self.scalars.randomElement(using: &random) ?? "0"
        case 6:
            let elements = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                value(&random, depth + 1)
            }
            return "[" + elements.joined(separator: " , ") + "]"
        default: return object(&random, depth + 1)
        }
    }

    private func object(_ random: inout SplitMix, _ depth: Int) -> String {
        let count =
            Int.random(in: 0..<20, using: &random) == 0
            ? 60 : Int.random(in: 0...6, using: &random)
        let members = (0..<count).map { number in
            let key =
                count == 60 && number % 3 > 0
                ? "n\(number / 2)" : Self.keys.randomElement(using: &random) ?? "a"
            return #""\#(key)" :\#(value(&random, depth))"#
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private func mutate(_ line: inout [UInt8], _ random: inout SplitMix) {
        for _ in 0..<Int.random(in: 0...2, using: &random) where !line.isEmpty {
            let place = Int.random(in: 0..<line.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: line[place] = UInt8.random(in: 0...255, using: &random)
            case 1: line.removeSubrange(place...)
            case 2: line.insert(contentsOf: line[place...], at: place)
            case 3: line.remove(at: place)
            default:
                let special = Array(#""\{}[]:,0u"#.utf8).randomElement(using: &random)
                line.insert(special ?? 0x22, at: place)
            }
        }
        line.removeAll { $0 == 0x0A || $0 == 0x0D }
    }

    private func options(_ random: inout SplitMix) -> JSONFields {
        JSONFields(
            target: Bool.random(using: &random) ? [] : ["x", "y"],
            messageKey: [nil, "message", "a"].randomElement(using: &random) ?? nil,
            overwritesKeys: Bool.random(using: &random), expandsKeys: Bool.random(using: &random),
            addsError: Bool.random(using: &random))
    }

    @Test("F10: each line is one document, valid and within its bounds, at its own place")
    func lines() throws {
        var random = SplitMix(seed: 10)
        let template = EncodingFixture.template(
            captures: ["namespace": "shop", "app": "orders"], fields: Array(#"{"a":"p"}"#.utf8),
            tags: ["k8s"])
        var decoded = 0
        for round in 0..<1_500 {
            var text: [UInt8] = []
            var lines: [[UInt8]] = []
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                var line = Array(object(&random, 0).utf8)
                mutate(&line, &random)
                if line.isEmpty { line = [0x78] }
                lines.append(line)
                text += line + [0x0A]
            }
            let fields = options(&random)
            let frames = Frame.lines(of: text)
            let encoder = try JSONFixture.encoder(fields, template, longestRecord: 200_000)
            let records = EncodingFixture.records(
                encoder, text, frames,
                capacity: [2_000, 1 << 20].randomElement(using: &random) ?? 2_000)
            try #require(records.count == lines.count, "round \(round)")
            for (record, frame) in zip(records, frames) {
                let shown = "round \(round): \(String(decoding: record, as: UTF8.self))"
                let document = try #require(StrictJSON(record), "\(shown)")
                #expect(document["log"]?["offset"]?.number == "\(frame.offset.bytes)", "\(shown)")
                #expect(document["host"]?["name"]?.text == "node-1", "\(shown)")
                #expect(document["@metadata"]?["beat"]?.text == "filebeat", "\(shown)")
                let flags = JSONFixture.flags(document)
                let line = Array(text[frame.start..<frame.start + frame.count])
                if flags.contains("parse_error") {
                    let message = String(decoding: line, as: UTF8.self)
                    if String(validating: line, as: UTF8.self) != nil {
                        #expect(document["message"]?.text == message, "\(shown)")
                    }
                } else {
                    decoded += 1
                }
                // A reader that is stricter than needed takes nothing that ours does not.
                if StrictJSON(line)?.keys.isEmpty == false {
                    #expect(!flags.contains("parse_error"), "\(shown)")
                }
            }
        }
        #expect(decoded > 2_000)
    }

    @Test("F10: of a line in which nothing is to be changed every value arrives")
    func verbatim() throws {
        var random = SplitMix(seed: 11)
        var checked = 0
        for _ in 0..<3_000 {
            let line = Array(object(&random, 0).utf8)
            guard let read = StrictJSON(line) else { continue }
            let document = try JSONFixture.document(line, JSONFields(target: ["x"]))
            #expect(document["x"] == read)
            checked += 1
        }
        #expect(checked > 300)
    }
}
