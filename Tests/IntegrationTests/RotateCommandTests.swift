import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite("Logs that are rotated by hand", .serialized)
struct RotateCommandTests {
    private let source = LineSource("w", payload: 30...90)

    private func run(_ agent: Agent, _ arguments: String...) throws -> (
        exit: ChildProcess.Exit, text: String, errors: String
    ) {
        let process = try ChildProcess(
            try findBinary(), ["rotate", "--config", agent.config] + arguments)
        return (try process.wait(), process.output, process.errors)
    }

    private func agent(_ broker: BrokerProcess, _ rotation: String = "size: 1GiB, keep: 3") throws
        -> Agent
    {
        try Agent(
            broker.address, path: "*.log", input: "latency: 20ms, rotation: {\(rotation)}",
            kafka: "topic: logs, codec: raw")
    }

    @Test(
        "the command asks the agent that runs, and does it itself where none does",
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
    func both() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try agent(broker, "size: 1GiB, keep: 3, compress: gzip, delay_compress: true")
        try appendBytes(source.lines(0..<3_000), to: agent.log("app.log"))
        try agent.start()
        try eventually("all arrive; \(agent.said)") { reader.count >= 3_000 }
        let before = try readFile(agent.log("app.log"))
        // Not due, and only said: nothing changes.
        let left = try run(agent)
        #expect(left.exit == .code(0) && left.text.contains("left, it has"), "\(left)")
        let dry = try run(agent, "--force", "--dry-run")
        #expect(dry.exit == .code(0) && dry.text.contains("would be rotated"), "\(dry)")
        #expect(try agent.home.names("logs") == ["app.log"])
        #expect(try readFile(agent.log("app.log")) == before)
        // Through the agent.
        let forced = try run(agent, "--force", agent.log("app*"))
        #expect(forced.exit == .code(0) && forced.text.contains(": rotated, "), "\(forced)")
        #expect(try agent.home.names("logs").sorted() == ["app.log", "app.log.1"])
        let none = try run(agent, "--force", "/nowhere/*")
        #expect(none.exit == .code(1) && none.text.contains("no log"), "\(none)")
        #expect(try !agent.home.names("data").contains { $0.hasPrefix("rotate.request") })
        #expect(try agent.stop() == .code(0))
        // Without one, nothing on the disk changes by a dry run; and root makes no files there that
        // the agent's user could not open.
        let registry = try files(agent)
        let dryAlone = try run(agent, "--force", "--dry-run")
        #expect(dryAlone.exit == .code(1) && dryAlone.errors.contains("start it first"))
        if getuid() == 0 {
            try give(agent.home.path("data/lock"), owner: 12, group: 34)
            let foreign = try run(agent, "--force")
            #expect(foreign.exit == .code(1), "\(foreign)")
            #expect(foreign.errors.contains("user 12's"), "\(foreign)")
            try give(agent.home.path("data/lock"), owner: 0, group: 0)
        }
        #expect(try files(agent) == registry)
        #expect(try agent.home.names("logs").sorted() == ["app.log", "app.log.1"])
        try appendBytes(source.lines(3_000..<3_001), to: agent.log("app.log"))
        let small = try run(agent, "--force")
        #expect(small.exit == .code(0), "\(small)")
        try appendBytes(source.lines(3_001..<6_000), to: agent.log("app.log"))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let alone = try run(agent, "--force")
        #expect(alone.exit == .code(0) && alone.text.contains(": rotated, "), "\(alone)")
        #expect(
            try agent.home.names("logs").sorted() == ["app.log", "app.log.1", "app.log.2.gz"],
            "\(alone)")
        let whole =
            try zcat(agent.log("app.log.2.gz")) + readFile(agent.log("app.log.1"))
            + readFile(agent.log("app.log"))
        #expect(whole == source.lines(0..<6_000))
        // And the next run sends nothing again.
        let count = try AuditCount.of(broker)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == count)
    }

    /// What the registry has on the disk.
    private func files(_ agent: Agent) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try agent.home.names("data/registry") {
            files[name] = try readFile(agent.home.path("data/registry/\(name)"))
        }
        return files
    }

    @Test("what stands in the way is said: no rotation asked for, a bad configuration")
    func refused() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        let none = try run(agent)
        #expect(none.exit == .code(78) && none.errors.contains("no input has rotation"), "\(none)")
        try agent.configure { $0 = "nonsense: 1\n" }
        #expect(try run(agent).exit == .code(78))
    }

    /// A request that nobody waits for any more, whatever stands in it.
    @Test(
        "requests of commands that were killed, or of others, do nothing",
        arguments: ["rotate 1 yes no \n", "rotate 1 yes", "rotate 9 x\n", "\n\n\n"])
    func stale(text: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try agent(broker)
        try appendBytes(source.lines(0..<3_000), to: agent.log("app.log"))
        try agent.start()
        try eventually("all arrive; \(agent.said)") { reader.count >= 3_000 }
        _ = try agent.home.write("data/rotate.request", text)
        try eventually("it goes; \(agent.said)") {
            try !agent.home.names("data").contains("rotate.request")
        }
        #expect(try agent.stop() == .code(0))
        #expect(try agent.home.names("logs") == ["app.log"])
    }

    @Test("--from-logrotate prints what our reader accepts, and what cannot be")
    func fromLogrotate() throws {
        let home = try TemporaryDirectory()
        let file = try home.write(
            "nginx", "/var/log/nginx/*.log {\n daily\n rotate 14\n postrotate\n  x\n endscript\n}\n"
        )
        let process = try ChildProcess(try findBinary(), ["rotate", "--from-logrotate", file])
        #expect(try process.wait() == .code(0))
        #expect(
            process.output.contains("keep: 14") && process.output.contains("postrotate: not run"))
        #expect(process.errors.contains("1 of its directives"))
        _ = try home.write(
            "shipper.yaml",
            process.output
                + "data: \(home.path("data"))\noutput: {kafka: {brokers: embedded, topic: logs}}\n")
        let check = try ChildProcess(
            try findBinary(), ["check", "--config", home.path("shipper.yaml")])
        #expect(try check.wait() == .code(0), "\(check.errors)")
        let missing = try ChildProcess(
            try findBinary(), ["rotate", "--from-logrotate", home.path("nothing")])
        #expect(try missing.wait() == .code(1))
        #expect(missing.errors.contains("cannot be read"))
    }
}
