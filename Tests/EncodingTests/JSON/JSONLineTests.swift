import Encoding
import Expressions
import Model
import Platform
import TestSupport
import Testing

@Suite("Lines of JSON become members of documents") struct JSONLineTests {
    private let own: Set<String> = [
        "@timestamp", "@metadata", "log", "input", "host", "agent", "ecs",
    ]

    @Test("F10: members stand beside the document's own, as they were written")
    func root() throws {
        let line = #" {"level":"info", "n": 2.50,"big":12345678901234567890,"a":{"b":[1,null]}} "#
        let document = try JSONFixture.document(line)
        #expect(document.keys == own.union(["level", "n", "big", "a"]))
        #expect(document["level"]?.text == "info")
        #expect(document["n"]?.number == "2.50")
        #expect(document["big"]?.number == "12345678901234567890")
        #expect(try document["a"] == JSONFixture.json(#"{"b":[1,null]}"#))
        #expect(JSONFixture.flags(document).isEmpty)
    }

    @Test("F10: members stand in an object of their own")
    func target() throws {
        for (target, path) in [(["json"], ["json"]), (["a", "b"], ["a", "b"])] {
            let fields = JSONFields(target: target, messageKey: "msg")
            var value = try JSONFixture.document(#"{"msg":"x\ny","log":{"offset":7}}"#, fields)
            #expect(value["message"]?.text == "x\ny")
            for name in path { value = try #require(value[name]) }
            #expect(try value == JSONFixture.json(#"{"msg":"x\ny","log":{"offset":7}}"#))
        }
        let twice = try JSONFixture.document(#"{"a":1,"a":2}"#, JSONFields(target: ["json"]))
        #expect(try twice["json"] == JSONFixture.json(#"{"a":2}"#))
        #expect(twice["message"] == nil)
    }

    @Test("F10: what the document has itself stays, and its objects take what they have not")
    func merged() throws {
        let template = EncodingFixture.template(
            captures: ["namespace": "shop", "app": "orders"], fields: Array(#"{"env":"p"}"#.utf8),
            tags: ["k8s"])
        let document = try JSONFixture.document(
            """
            {"log":{"offset":"mine","level":"warn","file":{"path":"/x","line":7}},"host":"h",\
            "agent":{"name":"n","x":1},"kubernetes":{"labels":{"app":"a","tier":"t"}},\
            "fields":{"env":"q","extra":true},"tags":["a","b"],"@metadata":{"_id":"evil"},\
            "@timestamp":"2020-01-02T03:04:05.678Z","ecs":{"version":"1"},"own":"yes"}
            """, JSONFields(), template)
        let log = try #require(document["log"])
        #expect(log["offset"]?.number == "0" && log["level"]?.text == "warn")
        #expect(log["file"]?["path"]?.text == "/input/app.log")
        #expect(log["file"]?["line"]?.number == "7")
        #expect(try document["host"] == JSONFixture.json(#"{"name":"node-1"}"#))
        #expect(document["agent"]?["name"]?.text == "node-1")
        #expect(document["agent"]?["x"]?.number == "1")
        #expect(
            try document["kubernetes"]?["labels"]
                == JSONFixture.json(#"{"app":"orders","tier":"t"}"#))
        #expect(try document["fields"] == JSONFixture.json(#"{"env":"p","extra":true}"#))
        #expect(try document["tags"] == JSONFixture.json(#"["k8s","a","b"]"#))
        #expect(document["@metadata"]?["_id"]?.text != "evil")
        #expect(document["@timestamp"]?.text == "2026-11-23T03:38:00.123Z")
        #expect(document["own"]?.text == "yes")
    }

    @Test("F10: with overwrite_keys the line's own time is the document's")
    func time() throws {
        let fields = JSONFields(overwritesKeys: true, addsError: true)
        let document = try JSONFixture.document(
            #"{"@timestamp":"2020-01-02T03:04:05.678901+01:00"}"#, fields)
        #expect(document["@timestamp"]?.text == "2020-01-02T02:04:05.678Z")
        #expect(JSONFixture.flags(document).isEmpty)
        for wrong in [#""soon""#, "17", "null", #""2020-01-02""#] {
            let document = try JSONFixture.document(#"{"@timestamp":\#(wrong),"a":1}"#, fields)
            #expect(document["@timestamp"]?.text == "2026-11-23T03:38:00.123Z")
            #expect(JSONFixture.flags(document) == ["timestamp_error"])
            #expect(document["error"]?["type"]?.text == "json")
            #expect(document["a"]?.number == "1")
        }
    }

    @Test("F10: the text of message_key is the message")
    func messageKey() throws {
        let fields = JSONFields(messageKey: "msg", addsError: true)
        let document = try JSONFixture.document(#"{"msg":"a \"b\" ☃","x":1}"#, fields)
        #expect(document["message"]?.text == #"a "b" ☃"#)
        #expect(document["msg"]?.text == #"a "b" ☃"#)
        #expect(document["error"] == nil)
        // A message of the line's own stays.
        let both = try JSONFixture.document(#"{"msg":"a","message":"b"}"#, fields)
        #expect(both["message"]?.text == "b")
        let none = try JSONFixture.document("{}", fields)
        #expect(none["message"]?.text == "")
        #expect(none["error"]?["message"]?.text == "The key of the message was not found")
        let number = try JSONFixture.document(#"{"msg":7}"#, fields)
        #expect(number["msg"]?.number == "7" && number["message"] == nil)
        #expect(number["error"]?["type"]?.text == "json")
    }

    @Test("F10: names with dots become objects")
    func expanded() throws {
        let fields = JSONFields(expandsKeys: true, addsError: true)
        let document = try JSONFixture.document(
            #"{"log.level":"info","a.b":1,"a":{"c":{"d.e":2}},"a.c.f":3,"x..y":4,".z":5}"#, fields)
        #expect(document["log"]?["level"]?.text == "info")
        #expect(document["log"]?["offset"]?.number == "0")
        #expect(
            try document["a"] == JSONFixture.json(#"{"b":1,"c":{"d":{"e":2},"f":3}}"#))
        #expect(document["x..y"]?.number == "4" && document[".z"]?.number == "5")
        #expect(document["error"] == nil)
        let conflict = try JSONFixture.document(#"{"a":1,"a.b":2}"#, fields)
        #expect(conflict["a"]?.number == "1" && conflict["a.b"]?.number == "2")
        #expect(conflict["error"]?["type"]?.text == "json")
    }

    @Test("F10: of a key that stands twice the last one counts, wherever it stands")
    func repeated() throws {
        let document = try JSONFixture.document(
            #"{"a":1,"b":{"c":1,"c":2,"d":[{"e":1,"\u0065":2}]},"\u0061":3}"#)
        #expect(document["a"]?.number == "3")
        #expect(try document["b"] == JSONFixture.json(#"{"c":2,"d":[{"e":2}]}"#))
        let many = (0..<40).map { #""k\#($0)":\#($0)"# }.joined(separator: ",")
        let other = (20..<60).map { #""k\#($0)":"x""# }.joined(separator: ",")
        let objects = try JSONFixture.document("{\"o\":{\(many)},\"o\":{\(other),\"k20\":7}}")
        let last = try #require(objects["o"])
        #expect(last.keys.count == 40 && last["k20"]?.number == "7" && last["k0"] == nil)
    }

    @Test("F10: no document is made that a reader of JSON refuses")
    func repaired() throws {
        let surrogate = try JSONFixture.document(#"{"a":"x\ud83dy","b":["\ude00","\ud83d\ude00"]}"#)
        #expect(surrogate["a"]?.text == "x\u{FFFD}y")
        #expect(try surrogate["b"] == JSONFixture.json(#"["\ufffd","\ud83d\ude00"]"#))
        let bytes = Array(#"{"a":"x"#.utf8) + [0xFF, 0xC3] + Array(#"y","k"#.utf8) + [0x80]
        let invalid = try JSONFixture.document(bytes + Array(#"":1}"#.utf8))
        #expect(invalid["a"]?.text == "x\u{FFFD}\u{FFFD}y" && invalid["k\u{FFFD}"]?.number == "1")
        let huge = String(repeating: "9", count: 2_000)
        let numbers = try JSONFixture.document(
            #"{"a":1e999,"b":-1E+400,"c":[\#(huge)],"d":1e-300,"e":{"f":1e308}}"#)
        #expect(numbers["a"]?.text == "1e999" && numbers["b"]?.text == "-1E+400")
        #expect(numbers["c"] == .array([.string(huge)]))
        #expect(numbers["d"]?.number == "1e-300" && numbers["e"]?["f"]?.number == "1e308")
        let pretty = try JSONFixture.document("{\n  \"a\": {\n\t\"b\": [1,\r\n 2]\n  }\n}")
        #expect(try pretty["a"] == JSONFixture.json(#"{"b":[1,2]}"#))
    }

    @Test(
        "F10: what is no object, or beyond the bounds, is shipped as it is",
        arguments: [
            ("not json at all", "no object at byte 0"), ("[1]", "no object at byte 0"),
            (#"{"a":1"#, "unexpected end at byte 6"),
            (#"{"a":1} x"#, "behind the object at byte 8"),
            (#"{"a":01}"#, "no number at byte 5"), (#"{"a":"\x"}"#, "no escape at byte 6"),
            (#"{"a":tru}"#, "unexpected"), (#"{"a" 1}"#, "unexpected character at byte 5"),
            (#"{"a":1,}"#, "unexpected character at byte 7"), ("{\"a\":\"\u{1}\"}", "control"),
            (
                #"{"a":"# + String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
                    + "}", "nested too deep"
            ),
            (
                "{" + (0..<5_000).map { #""\#($0)":1"# }.joined(separator: ",") + "}",
                "too many keys"
            ),
        ])
    func undecoded(line: String, reason: String) throws {
        let document = try JSONFixture.document(line, JSONFields(addsError: true))
        #expect(document["message"]?.text == line)
        #expect(JSONFixture.flags(document) == ["parse_error"])
        #expect(document["error"]?["type"]?.text == "json")
        let told = try #require(document["error"]?["message"]?.text)
        #expect(told.hasPrefix("Error decoding JSON: ") && told.contains(reason), "\(told)")
        let plain = try JSONFixture.document(line)
        #expect(plain["error"] == nil && plain["message"]?.text == line)
    }

    @Test("F10: what is too long for one record comes in parts, as text")
    func long() throws {
        let line = #"{"message":""# + String(repeating: "x", count: 3_000) + #"","a":1}"#
        let bytes = Array((line + "\n{\"a\":1}\n").utf8)
        let encoder = try JSONFixture.encoder(JSONFields(addsError: true), longestRecord: 2_500)
        let records = EncodingFixture.records(encoder, bytes, Frame.lines(of: bytes))
        let documents = records.map { StrictJSON($0) }
        #expect(records.allSatisfy { $0.count <= 2_500 } && records.count > 2)
        let texts = documents.dropLast().compactMap { $0?["message"]?.text }
        #expect(texts.joined() == line)
        #expect(JSONFixture.flags(try #require(documents[0])).contains("split"))
        #expect(documents.last??["a"]?.number == "1")
    }

    @Test("F10: a line without the message's key has an empty message, whatever else stands in it")
    func rulesWithoutMessage() throws {
        let bytes = Array(
            #"{"log":"hit"}|{"x":"hit"}|{"log":5,"x":"hit"}|{"log":"miss"}|hit text|"#.utf8
        ).map { $0 == UInt8(ascii: "|") ? 0x0A : $0 }
        func offsets(_ rules: LineRules, _ fields: JSONFields) throws -> [String?] {
            let encoder = try JSONFixture.encoder(fields, rules: rules)
            return EncodingFixture.records(encoder, bytes, Frame.lines(of: bytes)).map {
                StrictJSON($0)?["log"]?["offset"]?.number
            }
        }
        let hit = try Expression("hit")
        let (drop, keep) = (LineRules(exclude: [hit]), LineRules(include: [hit]))
        let fields = JSONFields(target: ["t"], messageKey: "log")
        #expect(try offsets(drop, fields) == ["14", "26", "46"])
        #expect(try offsets(keep, fields) == ["0", "61"])
        // Nobody asks for a member: the line itself.
        #expect(try offsets(drop, JSONFields(target: ["t"])) == ["46"])
    }

    @Test("F10: rules ask of the message, and masks of all that was written")
    func rules() throws {
        let rules = LineRules(
            include: [try Expression(#"^a "\d+"$"#)], exclude: [try Expression("level")],
            masks: [.init(pattern: try Expression(#"\d{4}"#), replacement: Array("****".utf8))])
        let bytes = Array(
            """
            {"message":"a \\"7\\"","level":"x","card":"1234"}
            {"message":"b","level":"x"}
            a "8"
            {"message":"a \\"9\\"","card":1234}

            """.utf8)
        let encoder = try JSONFixture.encoder(
            JSONFields(messageKey: "message"), rules: rules)
        let documents = EncodingFixture.records(encoder, bytes, Frame.lines(of: bytes)).compactMap {
            StrictJSON($0)
        }
        #expect(documents.count == 3)
        #expect(documents[0]["card"]?.text == "****")
        #expect(documents[1]["message"]?.text == #"a "8""#)
        // What is no JSON any more, behind a mask, is text.
        #expect(documents[2]["message"]?.text == #"{"message":"a \"9\"","card":****}"#)
        #expect(JSONFixture.flags(documents[2]) == ["parse_error"])
    }

    @Test("F10: a container's lines are joined first, and keep their stream")
    func containers() throws {
        let bytes = Array(
            """
            2026-11-23T05:00:00.1Z stdout P {"a":
            2026-11-23T05:00:00.2Z stderr F no
            2026-11-23T05:00:00.3Z stdout F 1,"stream":"mine"}

            """.utf8)
        let encoder = try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: false, container: .cri,
            fields: JSONFields())
        let result = EventFixture.encode(encoder, bytes, Frame.lines(of: bytes))
        let documents = result.records.compactMap { StrictJSON($0) }
        #expect(documents.map { $0["stream"]?.text } == ["stderr", "stdout"])
        #expect(documents[0]["message"]?.text == "no")
        #expect(documents[1]["a"]?.number == "1")
        #expect(documents[1]["@timestamp"]?.text == "2026-11-23T05:00:00.100Z")
        #expect(result.offsets == [38, 0])
    }

    @Test("F10: lines that are one object together are read as that")
    func multiline() throws {
        let bytes = Array("{\n  \"a\": 1\n}\n{\n  \"a\": 2,\n  \"b\": [\n 3]\n}\n{}\n".utf8)
        let encoder = try RecordEncoder(
            codec: .json, template: EncodingFixture.template(), path: "/input/app.log",
            longestRecord: 1_000_000, keepsEmptyLines: false,
            multiline: Multiline(
                .pattern(try Expression(#"^\{"#), negate: true, match: .after)),
            fields: JSONFields())
        let result = EventFixture.encode(encoder, bytes, Frame.lines(of: bytes))
        let documents = result.records.compactMap { StrictJSON($0) }
        #expect(documents.map { $0["a"]?.number } == ["1", "2"])
        #expect(try documents[1]["b"] == JSONFixture.json("[3]"))
        #expect(JSONFixture.flags(documents[1]) == ["multiline"])
        #expect(result.offsets == [0, 13])
    }

    @Test("F10: a member is the document's time, as its layouts have it")
    func timestamp() throws {
        let time = JSONFields.Time(
            field: "log.time", layouts: [try TimeLayout("RFC3339"), try TimeLayout("UNIX_MS")],
            zone: .utc)
        let fields = JSONFields(target: ["app"], addsError: true, time: time)
        for (line, expected) in [
            (#"{"log.time":"2020-01-02T03:04:05Z"}"#, "2020-01-02T03:04:05.000Z"),
            (#"{"log":{"x":1,"time":1577934245678}}"#, "2020-01-02T03:04:05.678Z"),
            (#"{"log":{"time":"1577934245678"}}"#, "2020-01-02T03:04:05.678Z"),
            (#"{"log":"x"}"#, "2026-11-23T03:38:00.123Z"),
        ] {
            let document = try JSONFixture.document(line, fields)
            #expect(document["@timestamp"]?.text == expected)
            #expect(JSONFixture.flags(document).isEmpty)
            #expect(try document["app"] == JSONFixture.json(line))
        }
        for wrong in [#""soon""#, "-5", "null", "{}"] {
            let line = #"{"log":{"time":\#(wrong)}}"#
            let document = try JSONFixture.document(line, fields)
            #expect(document["@timestamp"]?.text == "2026-11-23T03:38:00.123Z")
            #expect(JSONFixture.flags(document) == ["timestamp_error"])
            #expect(document["error"]?["type"]?.text == "json")
        }
    }

    @Test(
        "F10: a field tags of the user's that is no list stays what it is",
        arguments: [#""prod""#, "5", "[]", "{}"])
    func oddTags(_ tags: String) throws {
        let template = EncodingFixture.template(
            rootFields: [RootField(name: "tags", value: Array(tags.utf8), members: nil)])
        for line in [#"{"tags":["a"]}"#, #"{"tags":"a","x":1}"#] {
            let document = try JSONFixture.document(line, JSONFields(), template)
            #expect(try document["tags"] == JSONFixture.json(tags))
        }
    }

    @Test("F10: no key stands twice, be it made of one with dots")
    func onlyOnce() throws {
        let fields = JSONFields(messageKey: "msg", expandsKeys: true, addsError: true)
        let ours = try JSONFixture.document(#"{"error.message":"boom"}"#, fields)
        #expect(try ours["error"] == JSONFixture.json(#"{"message":"boom"}"#))
        let flagged = try JSONFixture.document(
            #"{"log.flags":["x"],"log.level":"info","msg":5,"time":"never"}"#, fields)
        #expect(flagged["log"]?["level"]?.text == "info")
        #expect(JSONFixture.flags(flagged).isEmpty)
    }

    @Test("F10: where a key with dots and its first part are both there, both stay")
    func inTheWay() throws {
        let fields = JSONFields(expandsKeys: true, addsError: true)
        for line in [#"{"a.b":1,"a":5,"c.d":2}"#, #"{"a":5,"a.b":1,"c.d":2}"#] {
            let document = try JSONFixture.document(line, fields)
            #expect(document["a"]?.number == "5" && document["a.b"]?.number == "1", "\(line)")
            #expect(document["c.d"]?.number == "2" || document["c"]?["d"]?.number == "2")
            #expect(document["error"]?["message"] != nil)
        }
    }
}
