import Platform
import Shipper
import TestSupport
import Testing

@Suite("Archives that s6-log hands to a processor")
struct S6ProcessorTests {
    @Test(
        "S6: with a processor that keeps what it gets no line comes twice and none is lost, also while stopped",
        arguments: ["gzip -c", "xz -c", "zstd -c", "bzip2 -c", "cat"])
    func keeping(processor: String) throws {
        let (broker, agent) = try start()
        let reader = try KafkaReader(broker)
        let log = try ProcessedLog(agent, processor)

        try agent.start()
        for round in 0..<10 {
            try log.write(rotates: true)
            if round % 3 == 0 {
                try eventually("round \(round); \(agent.said)") { reader.count >= log.written }
            }
        }
        try eventually("all lines; \(agent.said)") { reader.count >= log.written }
        #expect(try agent.stop() == .code(0))
        // An archive is what it is because of its first bytes, not because of its name.
        let archive = try #require(try log.writer.archives().last)
        let compression = Compression(head: Array(try readFile(log.path(archive)).prefix(16)))
        #expect(compression?.description ?? "cat" == processor.split(separator: " ")[0])

        try log.write(rotates: true)
        try log.write(rotates: true)
        try log.write(rotates: false)
        try agent.start()
        try eventually("what was written while it was stopped; \(agent.said)") {
            reader.count >= log.written
        }
        try log.write(rotates: true)
        try log.write(rotates: false)
        try log.writer.finish()
        try eventually("and then; \(agent.said)") { reader.count >= log.written }
        #expect(try agent.stop() == .code(0))
        let expected = log.source.texts(0..<log.written)
        #expect(difference(reader.texts(), expected) == nil, "\(agent.said)")
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(!agent.said.contains("may hold lines"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == log.written)
    }

    @Test(
        "S6: what a processor changed is not shipped where its lines were read, and is where they were not",
        arguments: ["sed s/^/changed\\ /", "sh -c \"sed 's/^/changed /' | gzip -c\""])
    func changing(processor: String) throws {
        let (broker, agent) = try start()
        let reader = try KafkaReader(broker)
        let log = try ProcessedLog(agent, processor)

        try agent.start()
        // Also of the very first archive, which no older one stands beside.
        for round in 0..<6 {
            try log.write(rotates: false)
            try eventually("round \(round); \(agent.said)") { reader.count >= log.written }
            try log.rotate()
        }
        try eventually("all lines; \(agent.said)") { reader.count >= log.written }
        try log.write(rotates: false)
        try eventually("and those of the last file; \(agent.said)") {
            reader.count >= log.written
        }
        #expect(try agent.stop() == .code(0))
        #expect(!agent.said.contains("may hold lines"), "\(agent.said)")
        // Other starts, on the same archives.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == log.written)

        // What is rotated while it is stopped is there in no other words than the processor's. Of the first of
        // these files it has read a part, and which one cannot be told.
        let known = log.written
        let part = known - 100
        try log.write(rotates: true)
        try log.write(rotates: true)
        let changed = log.written
        try log.write(rotates: false)
        try agent.start()
        try eventually("what was written while it was stopped; \(agent.said)") {
            reader.count >= log.written + 100
        }
        try log.rotate()
        try log.write(rotates: false)
        try eventually("and then; \(agent.said)") { reader.count >= log.written + 100 }
        #expect(try agent.stop() == .code(0))
        let texts = log.source.texts(0..<log.written)
        let expected =
            texts[..<known] + texts[part..<changed].map { "changed \($0)" } + texts[changed...]
        #expect(difference(reader.texts(), Array(expected)) == nil, "\(agent.said)")
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(agent.said.ranges(of: "may hold lines").count == 1, "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == log.written + 100)
    }

    /// A processor may be done with a file before the agent has seen that: its lines are there in the
    /// processor's words alone.
    @Test(
        "S6: however fast it rotates, with a processor that changes lines each comes once, in order"
    )
    func changingFast() throws {
        let (broker, agent) = try start()
        let reader = try KafkaReader(broker)
        let log = try ProcessedLog(agent, "sed s/^/changed\\ /")
        try agent.start()
        for _ in 0..<20 { try log.write(rotates: true) }
        try log.write(rotates: false)
        try eventually("all lines; \(agent.said)") { reader.count >= log.written }
        #expect(try agent.stop() == .code(0))
        let texts = reader.texts().map { text in
            text.hasPrefix("changed ") ? String(text.dropFirst(8)) : text
        }
        let expected = log.source.texts(0..<log.written)
        #expect(difference(texts, expected) == nil, "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == log.written)
    }

    private func start() throws -> (BrokerProcess, Agent) {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", kafka: "topic: logs, codec: raw")
        return (broker, agent)
    }
}

/// A log of a real s6-log with a processor, which is rotated on demand.
private final class ProcessedLog {
    let writer: S6Writer
    let source = LineSource("w")
    private(set) var written = 0

    init(_ agent: Agent, _ processor: String) throws {
        let name = String(processor.split(separator: " ")[0])
        _ = try findProgram(name, package: name == "xz" ? "xz-utils" : name)
        writer = try S6Writer(
            directory: agent.log("pod-1/log"), directives: ["n1000", "s99999999", "!\(processor)"])
    }

    func path(_ name: String) -> String { "\(writer.directory)/\(name)" }

    /// A hundred lines, and a rotation if wanted.
    func write(rotates: Bool) throws {
        try writer.write(source, written..<written + 100)
        written += 100
        // Its input is taken before the signal is.
        try eventually("s6-log has taken it", hasLogged)
        if rotates { try rotate() }
    }

    func rotate() throws {
        let archives = try writer.archives().count
        try eventually("s6-log has rotated, and its processor ended") {
            // Until the last rotation is over in every respect it takes no notice of the signal.
            if try hasLogged() { writer.rotate() }
            return try writer.archives().count > archives && isAtRest()
        }
    }

    /// What was written is in archives: a signal too many may have made another one of them before.
    private func isAtRest() throws -> Bool {
        let names = Set(try directoryNames(writer.directory))
        return try names.contains("current") && !hasLogged()
            && names.isDisjoint(with: ["previous", "processed", "newstate"])
    }

    /// There is something to rotate; in the middle of a rotation there is no `current`.
    private func hasLogged() throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try !readFile(path("current")).isEmpty
        } catch {
            guard error.code == .notFound else { throw error }
            return false
        }
    }
}
