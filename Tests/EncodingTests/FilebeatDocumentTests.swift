import Encoding
import Expressions
import FoundationEssentials
import Model
import TestSupport
import Testing

/// What a real Filebeat sent for the same lines. Wanted deviations: `_id`, `log.file.device_id` and
/// `inode`, `ecs.version`, `agent` but its name, the order of keys, and what each test names.
@Suite struct FilebeatDocumentTests {
    private struct Message: Decodable { let payload: String }

    /// Filebeat's payloads and documents, in the order of the file.
    private func captured(_ name: String) throws -> [(payload: String, document: Document)] {
        try payloads(name).map { payload in
            (payload, try EncodingFixture.document(Array(payload.utf8)))
        }.sorted { $0.document.log.offset < $1.document.log.offset }
    }

    private func payloads(_ name: String) throws -> [String] {
        let bytes = try EncodingFixture.bytes("filebeat/\(name)/messages.ndjson")
        return try Frame.lines(of: bytes).map { frame in
            let line = Data(bytes[frame.start..<frame.start + frame.count])
            return try JSONDecoder().decode(Message.self, from: line).payload
        }
    }

    private func ours(
        _ name: String, path: String, fields: String? = nil, tags: [String] = [],
        rootFields: [RootField] = [], rules: LineRules = LineRules()
    ) throws -> [(payload: String, document: Document)] {
        let bytes = try EncodingFixture.bytes("filebeat/\(name)/input.log")
        let template = EncodingFixture.template(
            path: path, fields: fields.map { Array($0.utf8) }, tags: tags, rootFields: rootFields)
        let records = EncodingFixture.records(
            try EncodingFixture.encoder(.json, template, rules: rules), bytes,
            Frame.lines(of: bytes))
        return try records.map { (EncodingFixture.text($0), try EncodingFixture.document($0)) }
    }

    /// Of what a container runtime wrote.
    private func ours(
        _ name: String, _ format: ContainerFormat, path: String
    ) throws -> [Document] {
        let bytes = try EncodingFixture.bytes("filebeat/\(name)/input.log")
        return try EventFixture.documents(
            EventFixture.encode(
                EventFixture.encoder(format, path: path), bytes, Frame.lines(of: bytes))
        ).sorted { $0.log.offset < $1.log.offset }
    }

    private func expectEqual(_ ours: Document, _ theirs: Document) {
        #expect(ours.message == theirs.message)
        #expect(ours.log.offset == theirs.log.offset)
        #expect(ours.log.file.path == theirs.log.file.path)
        #expect(ours.input == theirs.input)
        #expect(ours.host == theirs.host)
        #expect(ours.agent.name == theirs.agent.name)
        #expect(ours.fields == theirs.fields)
        #expect(ours.tags == theirs.tags)
        #expect(ours.metadata.beat == theirs.metadata.beat)
        #expect(ours.metadata.type == theirs.metadata.type)
        #expect(ours.timestamp.utf8.count == theirs.timestamp.utf8.count)
    }

    /// The text between the quotes of `message`, escapes as they are.
    private func rawMessage(_ payload: String) throws -> Substring {
        let start = try #require(payload.firstRange(of: #""message":""#)).upperBound
        var end = start
        while payload[end] != "\"" {
            end = payload.index(end, offsetBy: payload[end] == "\\" ? 2 : 1)
        }
        return payload[start..<end]
    }

    @Test(arguments: ["plain", "ugly"])
    func linesBecomeTheSameDocuments(name: String) throws {
        let theirs = try captured(name)
        let path = name == "plain" ? "/input/app.log" : "/input/ugly.log"
        let ours = try ours(name, path: path)
        #expect(ours.count == theirs.count)
        for (mine, other) in zip(ours, theirs) {
            expectEqual(mine.document, other.document)
            #expect(try rawMessage(mine.payload).utf8.elementsEqual(rawMessage(other.payload).utf8))
        }
    }

    @Test func fieldsAndTagsStandWhereFilebeatPutsThem() throws {
        let fields = #"{"app":"orders","env":"prod","shard":3,"canary":false}"#
        let ours = try ours("fields", path: "/input/a.log", fields: fields, tags: ["web", "eu"])
        let theirs = try captured("fields")
        #expect(ours.count == theirs.count)
        for (mine, other) in zip(ours, theirs) { expectEqual(mine.document, other.document) }
    }

    @Test func theSameLinesAreIncludedAndExcluded() throws {
        let rules = LineRules(
            include: [try Expression("worker-[01]")], exclude: [try Expression("request 1[0-9]")])
        let ours = try ours("lines", path: "/input/a.log", rules: rules)
        let theirs = try captured("lines")
        #expect(ours.count == theirs.count && !theirs.isEmpty)
        for (mine, other) in zip(ours, theirs) { expectEqual(mine.document, other.document) }
    }

    /// There too a field of the user's could not replace `host`.
    @Test func fieldsUnderTheRootStandWhereFilebeatPutsThem() throws {
        let fields = ["app": "orders", "host": "override"].sorted { $0.key < $1.key }.map {
            RootField(name: $0.key, value: Array("\"\($0.value)\"".utf8), members: nil)
        }
        let ours = try ours("fields-root", path: "/input/a.log", rootFields: fields)
        let theirs = try captured("fields-root")
        #expect(ours.count == theirs.count)
        for (mine, other) in zip(ours, theirs) {
            expectEqual(mine.document, other.document)
            let keys = try [mine, other].map { try Self.keys(of: $0.payload) }
            #expect(keys[0] == keys[1])
            #expect(try Self.text("app", of: mine.payload) == "orders")
        }
    }

    private static func keys(of payload: String) throws -> Set<String> {
        Set(try JSONDecoder().decode([String: AnyValue].self, from: Data(payload.utf8)).keys)
    }

    private static func text(_ key: String, of payload: String) throws -> String? {
        try JSONDecoder().decode([String: AnyValue].self, from: Data(payload.utf8))[key]?.text
    }

    private struct AnyValue: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }

    /// Wanted deviations: `input.type`, which is `filestream` for all that is read here; and empty
    /// lines, which Filebeat's `container` input ships, as `empty_lines: keep` does here.
    @Test(arguments: [
        ("container-cri", ContainerFormat.cri, "/input/orders-0_shop_app-0123456789abcdef.log"),
        ("container-docker", .docker, "/input/d-json.log"),
    ])
    func linesOfContainersBecomeTheSameDocuments(
        name: String, format: ContainerFormat, path: String
    ) throws {
        let ours = try ours(name, format, path: path)
        let theirs = try captured(name).map(\.document)
        #expect(ours.count == theirs.count)
        for (mine, other) in zip(ours, theirs) {
            #expect(mine.timestamp == other.timestamp)
            #expect(mine.message == other.message)
            #expect(mine.stream == other.stream)
            #expect(mine.stream != nil)
            #expect(mine.log.offset == other.log.offset)
            #expect(mine.log.file.path == other.log.file.path)
            #expect(mine.log.flags == other.log.flags)
            #expect(mine.host == other.host)
            #expect(mine.agent.name == other.agent.name)
            #expect(other.input.type == "container" && mine.input.type == "filestream")
        }
    }

    /// Filebeat cuts and drops the rest; here the whole line arrives, and begins as theirs does.
    @Test func whatFilebeatTruncatesArrivesWhole() throws {
        let ours = try ours("max-bytes", path: "/input/m.log")
        let theirs = try captured("max-bytes")
        #expect(ours.map(\.document.log.offset) == theirs.map(\.document.log.offset))
        for (mine, other) in zip(ours, theirs) {
            let kept = other.document.message.filter { $0 != "\u{FFFD}" }
            #expect(mine.document.message.hasPrefix(kept))
            #expect(mine.document.log.flags == nil)
        }
        #expect(ours.map(\.document.message.utf8.count).reduce(0, +) == 328 - theirs.count)
    }
}

extension FilebeatDocumentTests {
    /// Wanted deviations of `json`: numbers and nulls stay as they were written; of the document's own
    /// members none is replaced (`log.offset` by "mine"); the words of an error are others; and a
    /// line that was not taken in has the flag `parse_error`.
    @Test("F10: members of JSON stand where Filebeat puts them")
    func membersOfJSONStandWhereFilebeatPutsThem() throws {
        let input = try EncodingFixture.bytes("filebeat/ndjson/input.log")
        let fields = JSONFields(messageKey: "message", overwritesKeys: true, addsError: true)
        let records = EncodingFixture.records(
            try JSONFixture.encoder(fields, EncodingFixture.template(path: "/input/j.log")), input,
            Frame.lines(of: input))
        let ours = try records.map { try #require(StrictJSON($0)) }
        let places = Frame.lines(of: input).filter { $0.count > 0 }.map { "\($0.offset.bytes)" }
        let theirs = try payloads("ndjson").map { try #require(StrictJSON(Array($0.utf8))) }
            .sorted { place($0, places) < place($1, places) }
        try #require(ours.count == theirs.count && ours.count == 8)
        var compared = 0
        for (mine, other) in zip(ours, theirs) {
            #expect(mine.keys == other.keys)
            for key in other.keys.subtracting(["@metadata", "agent", "ecs", "log", "error", "big"])
            {
                if key == "@timestamp", other["message"]?.text != "dup" { continue }
                #expect(Self.plain(mine[key]) == Self.plain(other[key]), "\(key)")
                compared += 1
            }
            #expect(mine["log"]?["file"]?["path"] == other["log"]?["file"]?["path"])
            #expect(mine["error"]?.keys == other["error"]?.keys)
            #expect(mine["error"]?["type"] == other["error"]?["type"])
            let isText =
                other["error"]?["message"]?.text?.hasPrefix("Error decoding JSON: ") == true
            #expect((mine["log"]?["flags"] != nil) == isText)
            let isMine = other["log"]?["offset"]?.text == "mine"
            #expect(isMine || mine["log"]?["offset"] == other["log"]?["offset"])
        }
        #expect(compared > 25)
        #expect(ours[1]["big"]?.number == "12345678901234567890")
        #expect(theirs[1]["big"]?.number == "1.2345678901234567e+19")
        #expect(ours[4]["@timestamp"]?.text == "2020-01-02T03:04:05.678Z")
    }

    private func place(_ document: StrictJSON, _ places: [String]) -> Int {
        // The one whose offset the line replaced is the fifth.
        places.firstIndex(of: document["log"]?["offset"]?.number ?? "") ?? 4
    }

    /// Without nulls, and numbers as Filebeat writes them.
    private static func plain(_ value: StrictJSON?) -> StrictJSON? {
        switch value {
        case .number(let digits)?: return .number(Double(digits).map { "\($0)" } ?? digits)
        case .object(let members)?:
            return .object(members.filter { $0.value != .word("null") }.compactMapValues(plain))
        default: return value
        }
    }
}
