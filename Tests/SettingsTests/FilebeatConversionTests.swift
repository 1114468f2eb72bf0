import Expressions
import Patterns
import TestSupport
import Testing

@testable import Settings

@Suite("shipper convert: a filebeat.yml as our configuration")
struct FilebeatConversionTests {
    /// `NAME.yml` is converted to `NAME.out`: the configuration, and behind `---` the notes.
    static let names = [
        "anchors", "complete", "docker", "drops", "eck-daemonset", "edges", "java", "json",
        "kafka-tls-sasl",
        "kubernetes-inputs", "kubernetes-topics", "logstash", "nginx", "parsers", "raw", "s6",
        "stock", "topics", "variables",
    ]

    /// What the files' variables stand for.
    static let environment = [
        "KAFKA_A": "kafka-a:9092", "KAFKA_PASSWORD": "secret", "HOSTNAME": "h", "NODE_NAME": "n",
        "LOG_DIR": "/srv/log", "LOG_PATH": "/srv/a/b.log", "BROKER": "b:9092",
    ]

    private static func conversion(_ name: String) throws -> FilebeatConversion {
        try FilebeatConversion(
            Array(fixture("filebeat/\(name).yml").utf8), file: "\(name).yml")
    }

    private static func settings(_ name: String) throws -> Settings {
        try Settings.parse(
            Array(conversion(name).text.utf8), file: "\(name).yaml", environment: environment)
    }

    @Test("Each file becomes what is written down, and our own reader takes it", arguments: names)
    func golden(name: String) throws {
        let conversion = try Self.conversion(name)
        let notes = conversion.notes.map { $0.line("\(name).yml") }
        let said = conversion.text + "---\n" + notes.map { $0 + "\n" }.joined()
        #expect(said == (try fixture("filebeat/\(name).out")), "\(said)")
        let settings = try Self.settings(name)
        // What it means is said by our own words for it, read again.
        let again = try Settings.parse(
            Array(settings.described().utf8), file: "\(name).yaml", environment: [:])
        #expect(again.inputs == settings.inputs)
    }

    @Test("Every note stands as a comment, too, and every one that needs a hand says so there")
    func comments() throws {
        for name in Self.names {
            let conversion = try Self.conversion(name)
            let comments = conversion.text.split(separator: "\n").map { $0.drop { $0 == " " } }
                .filter { $0.hasPrefix("# ") }
            for note in conversion.notes {
                let comment = "# " + (note.needsHand ? "TO DO: " : "") + note.comment
                #expect(comments.contains { $0 == comment }, "\(name): \(comment)")
            }
            #expect(conversion.isComplete == (name == "complete"), "\(name)")
        }
    }

    @Test("Inputs and topics mean what they meant")
    func meaning() throws {
        let s6 = try Self.settings("s6")
        let pods = try #require(s6.inputs.first)
        let captures = try #require(
            pods.paths[0].match("/data/logs/shop/orders/orders-1/log/current"))
        let topic = pods.topic.render { pods.value(of: $0, captures: captures) ?? "" }
        #expect(topic == "logs.shop.orders")
        #expect(s6.output.kafka.key?.text == "{namespace}/{pod}")
        #expect(s6.output.kafka.partitioner == .filebeat)
        #expect(pods.exclude.contains { $0.matches("/data/logs/a/b/c/old/log/current") })

        let topics = try Self.settings("topics").inputs.map { input in
            input.topic.render { input.value(of: $0, captures: [:]) ?? "" }
        }
        #expect(topics == ["access", "secret", "other-nobody"])

        let java = try #require(try Self.settings("java").inputs.first)
        #expect(java.start == .end && java.fieldsUnderRoot && java.tags == ["node", "java"])
        #expect(java.multiline?.timeout == .seconds(10) && java.multiline?.mostLines == 1_000)
        #expect(java.lines.include.map(\.pattern) == ["ERROR", "^WARN"])
        #expect(java.fields.map(\.name) == ["env", "app", "tier", "labels"])

        let kafka = try Self.settings("kafka-tls-sasl").output.kafka
        #expect(kafka.brokers == .addresses(["kafka-a:9092", "kafka-b.example:9093"]))
        #expect(kafka.sasl?.mechanism.credentials?.user == "shipper")
        #expect(kafka.tls?.verify == .certificate && kafka.tls?.passphrase == "none")

        let json = try Self.settings("json").inputs
        #expect(json.map { $0.json?.target } == [[], [], ["json"]])
        #expect(json[0].json?.timestamp?.field == "time")

        let raw = try Self.settings("raw")
        #expect(raw.output.kafka.codec == .raw && raw.output.kafka.topic?.text == "edge")
        #expect(raw.inputs[0].paths.map(\.text) == ["/srv/log/*.log"])
    }

    @Test("No value of a file that may be a secret is in what is told of it")
    func secrets() throws {
        let text = """
            filebeat.inputs: [{type: log, paths: [/var/log/a.log]}]
            output.kafka: {hosts: ["k:9092"], topic: t, username: u, password: geheim,
              sasl.mechanism: X}
            output.elasticsearch: {password: geheim, api_key: geheim}
            cloud.auth: geheim
            """
        let conversion = try FilebeatConversion(Array(text.utf8), file: "f.yml")
        #expect(!conversion.notes.contains { $0.line("f").contains("geheim") })
        #expect(!conversion.text.contains("geheim"))
        #expect(!conversion.isComplete)
    }

    @Test(
        "What is no filebeat.yml is refused, with the reason",
        arguments: [
            ("", "no configuration of Filebeat's"), ("- a", "no configuration of Filebeat's"),
            ("inputs: []", "no configuration of Filebeat's"), ("filebeat: [", "not YAML"),
            ("filebeat.inputs: []\nfilebeat.inputs: []", "stands twice"),
        ])
    func refused(text: String, reason: String) {
        let error = #expect(throws: SettingsError.self) {
            try FilebeatConversion(Array(text.utf8), file: "f.yml")
        }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    /// The topic of the first input, and what is left to do.
    private func topic(
        _ input: String, when: String, more: String = ""
    ) throws -> (topic: String, toDo: Int) {
        let text = """
            filebeat.inputs:
            - {type: filestream, id: a, paths: ["/srv/*/a.log"], \(input)}
            output.kafka:
              hosts: ["k:9092"]
              topic: rest
              topics: [{topic: shop, \(when)}]
            \(more)
            """
        let conversion = try FilebeatConversion(Array(text.utf8), file: "f.yml")
        let settings = try Settings.parse(
            Array(conversion.text.utf8), file: "f", environment: [:])
        let notes = conversion.notes.filter { $0.needsHand && $0.key.contains("topics") }
        return (settings.inputs[0].topic.text, notes.count)
    }

    @Test("A condition is decided by what is known, and is left to do where lines may bring more")
    func conditions() throws {
        let equals = "when.equals: {fields.ns: shop}"
        let tags = "when.contains.tags: pro"
        #expect(try topic("fields: {ns: shop}", when: equals) == ("shop", 0))
        #expect(try topic("fields: {ns: other}", when: equals) == ("rest", 0))
        #expect(try topic("tags: [x]", when: equals) == ("rest", 0))
        #expect(try topic("tags: [prod]", when: tags) == ("shop", 0))
        #expect(try topic("tags: [x]", when: tags) == ("rest", 0))
        #expect(try topic("tags: [x]", when: tags, more: "tags: [prod]") == ("shop", 0))
        #expect(try topic("tags: [x]", when: equals, more: "fields: {ns: shop}") == ("shop", 0))
        let dissect = "{field: log.file.path, tokenizer: '/srv/%{ns}/a.log', target_prefix: fields}"
        for open in [
            "processors: [{dissect: \(dissect)}]", "parsers: [{ndjson: {target: ''}}]",
            "processors: [{script: {source: x}}]", "processors: [{if: {}, then: []}]",
            "processors: [{add_fields: {when.contains.message: x, fields: {ns: shop}}}]",
        ] {
            #expect(try topic(open, when: equals) == ("rest", 1), "\(open)")
            if !open.contains("dissect") {
                #expect(try topic(open, when: tags) == ("rest", 1), "\(open)")
            }
        }
    }

    @Test("With lines less, changed and in other places, what is printed is our reader's still")
    func anything() throws {
        var random = SplitMix(seed: 18)
        var converted = 0
        for round in 0..<400 {
            let name = Self.names[round % Self.names.count]
            var lines = try fixture("filebeat/\(name).yml").split(separator: "\n").map(String.init)
            for _ in 0...(round % 3) {
                let index = Int.random(in: 0..<lines.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where lines.count > 1: lines.remove(at: index)
                case 1: lines[index] = lines[index].replacing("'", with: "\"")
                case 2:
                    let key = lines[index].prefix { $0 != ":" }
                    let values = [": ", ": 0", ": {a: b}", ": [x, {}]", ": '${X\(index)}'"]
                    lines[index] = key + (values.randomElement(using: &random) ?? ": ")
                default:
                    let other = Int.random(in: 0..<lines.count, using: &random)
                    lines.swapAt(index, other)
                }
            }
            let text = lines.joined(separator: "\n")
            guard
                let conversion = try? FilebeatConversion(Array(text.utf8), file: "f.yml")
            else { continue }
            converted += 1
            // It was held against the reader; what that refuses would be told.
            let isTold = conversion.notes.contains { $0.advice.contains("is refused") }
            #expect(!isTold, "\(text)\n=>\n\(conversion.text)")
        }
        #expect(converted > 150)
    }
}
