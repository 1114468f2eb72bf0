import Platform
import Registry
import TestSupport
import Testing

@Suite("R7: shipper registry import filebeat")
struct FilebeatImportTests {
    @Test(
        "R7: files that Filebeat read in part go on where it stopped: each later line once, none before"
    )
    func big() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        let content = try FilebeatHome.fixture("big/app.log")
        let all = Array(repeatElement(content, count: 1_500).joined())
        for file in 0..<4 { try agent.home.write("logs/\(file).log", all) }
        let filebeat = FilebeatHome(agent: agent)
        // As a crash would leave it, in the middle of an operation.
        try filebeat.capture("big") { Array($0.prefix(500_000)) }
        // What the last whole operations of those say, on top of the checkpoint's older positions.
        let offsets = [1_713_969, 1_785_595, 1_819_500, 1_778_917]

        let dry = try filebeat.takeOver(["--dry-run"])
        #expect(dry.exit == .code(0) && dry.errors.isEmpty, "\(dry.errors)")
        #expect(try agent.home.names() == ["filebeat", "logs", "shipper.yaml"])
        let done = try filebeat.takeOver()
        #expect(done.exit == .code(0) && done.errors.isEmpty, "\(done.errors)")
        #expect(done.output.contains("; the last 247 bytes are left out\n"), "\(done.output)")
        #expect(dry.output == done.output.dropLast(1) + " -- nothing was changed (--dry-run)\n")
        let entries = try agent.registry()
        #expect(entries.map(\.path) == (0..<4).map { agent.log("\($0).log") })
        #expect(entries.map(\.offset) == offsets)

        let reader = try KafkaReader(broker)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let expected = offsets.reduce(0) { sum, offset in
            sum + all[offset...].count { $0 == 0x0A }
        }
        try eventually("\(expected) lines") { reader.count >= expected }
        #expect(try AuditCount.of(broker) == expected)
        for (file, offset) in offsets.enumerated() {
            let records = try reader.records.map { try $0.document() }
                .filter { $0.log.file.path == agent.log("\(file).log") }
            // Each line that begins at the position or after it, in order, and nothing else.
            var starts: [Int] = []
            for index in offset..<all.count where index == 0 || all[index - 1] == 0x0A {
                starts.append(index)
            }
            #expect(records.map(\.log.offset) == starts)
            for record in records.prefix(40) {
                let line = all[record.log.offset...].prefix { $0 != 0x0A }
                #expect(Array(record.message.utf8) == Array(line))
            }
        }
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
    }

    /// An agent with these files, none of which is shipped anywhere, and a Filebeat beside it.
    private func agent(
        _ files: [String: String], path: String = "*.log", input: String = ""
    ) throws -> (Agent, FilebeatHome) {
        let agent = try Agent("127.0.0.1:1", path: path, input: input)
        for (name, text) in files { try agent.home.write("logs/\(name)", text) }
        return (agent, FilebeatHome(agent: agent))
    }

    @Test(
        "R7: what Filebeat 7.17 wrote of its inputs log, container and filestream is taken over",
        arguments: [
            ("log-input", ["app.log": 1213]),
            ("two-inputs", ["a.log": 1213, "b.log": 118, "c.log": 238]),
            ("container-cri", ["orders-0_shop_app-0123456789abcdef.log": 343]),
        ])
    func captured(name: String, offsets: [String: Int]) throws {
        let (agent, filebeat) = try agent([:])
        for file in offsets.keys {
            try agent.home.write("logs/\(file)", FilebeatHome.fixture("\(name)/input/\(file)"))
        }
        try filebeat.capture(name)
        // The data directory, and what is in it.
        for directory in ["", "/registry", "/registry/filebeat", "/registry/filebeat/"] {
            let dry = try filebeat.takeOver(["--dry-run"], directory: filebeat.path + directory)
            #expect(dry.exit == .code(0), "\(dry.errors)")
            #expect(dry.output.contains("\(offsets.count) file"), "\(dry.output)")
        }
        let done = try filebeat.takeOver()
        #expect(done.exit == .code(0) && done.errors.isEmpty, "\(done.errors)")
        let found = try agent.registry().map { ($0.path, $0.offset) }
        #expect(
            Dictionary(uniqueKeysWithValues: found)
                == Dictionary(uniqueKeysWithValues: offsets.map { (agent.log($0.key), $0.value) }))
        // A second time changes nothing.
        let again = try filebeat.takeOver()
        #expect(again.exit == .code(0))
        #expect(again.output.contains("left as it is: known already, delivered up to "))
        #expect(try agent.registry().map(\.offset) == found.map(\.1))
    }

    @Test(
        "R7: a row that knows only a path is taken over if the file is older than it, or on demand")
    func paths() throws {
        let (agent, filebeat) = try agent(["b.log": ""])
        for file in ["a.log", "b.log"] {
            try agent.home.write(
                "logs/\(file)", FilebeatHome.fixture("path-identity/input/\(file)"))
        }
        // Those rows are of a time before these files.
        try filebeat.capture("path-identity")
        let refused = try filebeat.takeOver()
        #expect(
            refused.output.hasSuffix(
                "0 files taken over, 0 bytes of them left to ship; 2 not taken over\n"))
        #expect(refused.line("a.log").contains("--trust-paths takes it over"))
        #expect(try agent.registry().isEmpty)
        let trusted = try filebeat.takeOver(["--trust-paths"])
        #expect(trusted.exit == .code(0))
        #expect(try agent.registry().map(\.offset) == [1213, 118])

        let (other, second) = try self.agent(["a.log": "one\ntwo\n"])
        let path = other.log("a.log")
        try second.write([
            second.stream("path", path, path, 4, updated: 4_000_000_000)
        ])
        let proven = try second.takeOver()
        #expect(proven.line("a.log").hasSuffix("taken over"), "\(proven.output)")
        #expect(try other.registry().map(\.offset) == [4])
    }
}
