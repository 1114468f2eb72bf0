import Kafka
import Shipper
import TestSupport
import Testing

@Suite(
    "Against a real Apache Kafka every line arrives once, in order", .serialized, .needsKafka,
    .oneKafkaCluster)
struct KafkaClusterTests {
    /// All lines of these writers and nothing else, each once and in order, each writer's in one
    /// partition.
    private func expectExactly(
        _ written: [LiveFlow.Written], in records: [KafkaRecord],
        at place: SourceLocation = #_sourceLocation,
        _ line: (KafkaRecord) throws -> [UInt8]
    ) throws {
        var audit = Audit()
        for (source, lines) in written { audit.expect(source, lines: lines) }
        var partitions: [String: Set<Int>] = [:]
        for record in records {
            audit.arrived(try line(record))
            partitions[record.keyText, default: []].insert(record.partition)
        }
        #expect(audit.report.isClean, "\(audit.report)", sourceLocation: place)
        #expect(partitions.count == written.count, "\(partitions)", sourceLocation: place)
        #expect(
            partitions.values.allSatisfy { $0.count == 1 }, "\(partitions)", sourceLocation: place)
    }

    @Test("The main job: s6-log writers that rotate, several pods and partitions, documents")
    func mainJob() throws {
        let kafka = try OneKafkaCluster.current
        try kafka.createTopic("main-job", partitions: 6)
        let agent = try Agent(
            kafka.address, path: "{namespace}/{pod}/log/current",
            kafka: "topic: main-job, key: \"{namespace}/{pod}\"")
        let lines = 4_000
        let rounds = 8
        var writers: [(source: LineSource, writer: S6Writer)] = []
        for number in 0..<4 {
            let writer = try S6Writer(
                directory: agent.log("shop/pod-\(number)/log"), directives: ["n1000", "s50000"])
            writers.append((LineSource("pod-\(number)", seed: UInt64(number)), writer))
        }
        try agent.start()
        for round in 0..<rounds {
            let next = lines / rounds * round..<lines / rounds * (round + 1)
            let writings = try writers.map { try $0.writer.writing($0.source, next, chunk: 20) }
            for writing in writings { try writing.join() }
            for (_, writer) in writers { writer.rotate() }
        }
        for (_, writer) in writers {
            try writer.finish()
            // One a round, but for those that found nothing in `current`.
            #expect(try writer.archives().count > rounds / 2)
        }
        let all = lines * writers.count
        try eventually("all lines are acknowledged; \(agent.said)") {
            try AuditCount.of(kafka, topic: "main-job") >= all
        }
        #expect(try agent.stop() == .code(0))
        #expect(try AuditCount.of(kafka, topic: "main-job") == all)
        let registry = try agent.registry()
        #expect(!registry.isEmpty && registry.allSatisfy { $0.lag == 0 }, "\(registry)")

        let reader = try KafkaReader(kafka, topics: ["main-job"])
        try eventually("all records") { reader.count >= all }
        let records = reader.records
        try expectExactly(writers.map { ($0.source, lines) }, in: records) { record in
            let document = try record.document()
            #expect(record.keyText == "shop/\(document.kubernetes?.pod?.name ?? "")")
            #expect(document.message.hasPrefix("\(document.kubernetes?.pod?.name ?? "") "))
            return Array(document.message.utf8)
        }
    }

    /// A request that the broker had written and not yet acknowledged when it was killed is sent again;
    /// that it is written once is what the idempotent producer is for.
    @Test("K2: a broker is killed in mid-stream and comes back, 4 times: none lost, none twice")
    func killedBroker() throws {
        let kafka = try OneKafkaCluster.current
        try kafka.createTopic("killed-broker", partitions: 3)
        // A test that failed in between leaves the next ones a broker that serves.
        defer { kafka.resume() }
        let flow = try LiveFlow(kafka, topic: "killed-broker")
        for kill in 0..<4 {
            try flow.waitForLines()
            if kill % 2 == 1 {
                // All its requests wait for the broker, which dies while it works them off.
                kafka.pause()
                try flow.agent.waitUntilStill(behindBy: flow.inFlight)
                let still = flow.arrived
                kafka.resume()
                try eventually("the first of them; \(flow.agent.said)") { flow.arrived > still }
            }
            kafka.kill()
            #expect(try flow.agent.registry().contains { $0.lag > 0 })
            for feeding in flow.feedings { feeding.writer.rotate() }
            try kafka.restart()
        }
        try expectExactly(try flow.finish(), in: flow.records(), \.value)
    }

    /// The one that hangs is still a leader when it goes on, and hears that others lead.
    @Test("K9: of three brokers one hangs and one is killed under load: none lost, none twice")
    func leaderChange() throws {
        let kafka = try KafkaCluster(home: KafkaHome(), brokers: 3)
        try kafka.createTopic("leader-change", partitions: 3)
        let flow = try LiveFlow(kafka, topic: "leader-change")
        try flow.waitForLines()
        kafka.pause(broker: 3)
        try flow.waitForLines()
        kafka.resume(broker: 3)
        try flow.waitForLines()
        kafka.kill(broker: 2)
        let written = try flow.finish()
        let records = try flow.records()
        try expectExactly(written, in: records, \.value)
        // Each stream has its partition, and each broker led one of them.
        #expect(Set(records.map(\.partition)) == [0, 1, 2])
        // Of the one that is down there is one line, however often it was tried.
        let dead = " broker=\(kafka.addresses[1]) "
        let warnings = flow.agent.said.split(separator: "\n").filter { $0.contains(" warn ") }
        #expect(warnings.count { $0.contains(dead) } == 1, "\(warnings)")
        let agent = flow.agent
        let check = try agent.launch(["check", "--connect", "--config", agent.config])
        #expect(try check.wait() == .code(1))
        let faults = check.errors.split(separator: "\n")
        #expect(
            faults.count == 1
                && faults[0].hasPrefix(
                    "\(agent.config): broker \(kafka.addresses[1]): nobody listens there"),
            "\(faults)")
    }

    @Test("T31: 8 times SIGKILL under live s6-log writers: nothing lost, repeats within in_flight")
    func killedAgent() throws {
        let kafka = try OneKafkaCluster.current
        try kafka.createTopic("killed-agent", partitions: 3)
        try KilledAgent(kafka, topic: "killed-agent").run(kills: 8)
    }

    @Test("Every compression is accepted, and raw values are the bytes of the lines")
    func compression() throws {
        let kafka = try OneKafkaCluster.current
        let source = LineSource("w")
        let everyByte = (0...255).map { UInt8($0) }.filter { $0 != 10 && $0 != 13 }
        let lines = (0..<2_000).map(source.line) + [everyByte]
        // Kafka's numbers of them.
        for (number, codec) in ["none", "gzip", "snappy", "lz4", "zstd"].enumerated() {
            let topic = "compressed-\(codec)"
            try kafka.createTopic(topic)
            let agent = try Agent(
                kafka.address, path: "*.log",
                kafka: "topic: \(topic), codec: raw, compression: \(codec)")
            try agent.home.write("logs/a.log", source.lines(0..<2_000) + everyByte + [10])
            #expect(try agent.once() == .code(0), "\(codec): \(agent.said)")
            #expect(try AuditCount.of(kafka, topic: topic) == lines.count, "\(codec)")
            let reader = try KafkaReader(kafka, topics: [topic])
            try eventually("all records, \(codec)") { reader.count >= lines.count }
            #expect(reader.records.map(\.value) == lines, "\(codec)")
            let codecs = try codecs(in: kafka.segment(of: topic))
            #expect(codecs == [number], "\(codec)")
        }
    }

    /// The numbers of the codecs of the record batches in a segment.
    private func codecs(in segment: [UInt8]) throws -> Set<Int> {
        func number(at offset: Int, _ count: Int) throws -> Int {
            try #require(offset + count <= segment.count, "a batch is cut off")
            return segment[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
        }
        var codecs: Set<Int> = []
        var batch = 0
        while batch < segment.count {
            // Offset 8, length 4, epoch 4, format 1, checksum 4, attributes 2: its lowest 3 bits.
            codecs.insert(try number(at: batch + 21, 2) & 7)
            batch += 12 + (try number(at: batch + 8, 4))
        }
        return codecs
    }

    @Test("K4: streams of a topic that is not there wait, others flow; when it is made, they flow")
    func missingTopic() throws {
        let kafka = try OneKafkaCluster.current
        try kafka.createTopic("logs.good", partitions: 2)
        let agent = try Agent(
            kafka.address, path: "{app}/{pod}/log/current",
            kafka: "topic: \"logs.{app}\", codec: raw, "
                + "librdkafka: {topic.metadata.propagation.max.ms: \"100\", "
                + "topic.metadata.refresh.fast.interval.ms: \"50\"}",
            more: "limits: {in_flight: 1MiB}")
        let sources = ["good", "bad"].map { LineSource($0) }
        for source in sources {
            // More than the credit, so that the blocked stream has all it can get.
            try agent.home.write("logs/\(source.writer)/pod/log/current", source.lines(0..<10_000))
        }
        try agent.start()
        try eventually("the good topic's lines; \(agent.said)") {
            try AuditCount.of(kafka, topic: "logs.good") >= 10_000
        }
        try eventually("the log says which stream waits; \(agent.said)") {
            agent.said.contains("stream waits for its topic topic=logs.bad")
        }
        try agent.home.append(
            "logs/good/pod/log/current",
            String(decoding: sources[0].lines(10_000..<11_000), as: UTF8.self))
        try eventually("the good topic goes on; \(agent.said)") {
            try AuditCount.of(kafka, topic: "logs.good") >= 11_000
        }
        #expect(try agent.entry("bad/pod/log/current")?.offset == 0)

        try kafka.createTopic("logs.bad", partitions: 2)
        try eventually("the bad topic's lines; \(agent.said)") {
            try AuditCount.of(kafka, topic: "logs.bad") >= 10_000
        }
        try eventually("the log says that it flows; \(agent.said)") {
            agent.said.contains("stream flows again topic=logs.bad")
        }
        #expect(try agent.stop() == .code(0))
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
        for (source, lines) in zip(sources, [11_000, 10_000]) {
            let topic = "logs.\(source.writer)"
            #expect(try AuditCount.of(kafka, topic: topic) == lines)
            let reader = try KafkaReader(kafka, topics: [topic])
            try eventually("all records") { reader.count >= lines }
            try expectExactly([(source, lines)], in: reader.records, \.value)
        }
    }

    @Test("run --once ships a corpus of 10 MB to the last line, and nothing when it runs again")
    func once() throws {
        let kafka = try OneKafkaCluster.current
        try kafka.createTopic("corpus", partitions: 3)
        let agent = try Agent(
            kafka.address, path: "{pod}.log", kafka: "topic: corpus, key: \"{pod}\"")
        let lines = 6_000
        let block = LineSource("w").lines(0..<lines)
        var bytes = 0
        for pod in 0..<5 {
            try agent.home.write("logs/pod-\(pod).log", block + block)
            bytes += 2 * block.count
        }
        #expect(bytes >= 10_000_000)
        for _ in 0..<2 {
            #expect(try agent.once() == .code(0), "\(agent.said)")
            #expect(try AuditCount.of(kafka, topic: "corpus") == 5 * 2 * lines)
        }
        #expect(try agent.registry().reduce(0) { $0 + $1.offset } == bytes)
    }
}
