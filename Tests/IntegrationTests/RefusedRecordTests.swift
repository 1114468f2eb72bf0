import Kafka
import Shipper
import TestSupport
import Testing

@Suite("What a real Apache Kafka refuses", .serialized, .needsKafka)
struct RefusedRecordTests {
    /// Bytes that a topic takes in one batch.
    private static let limit = 100_000

    private func cluster() throws -> KafkaCluster {
        try KafkaCluster(home: KafkaHome(), properties: ["message.max.bytes": "\(Self.limit)"])
    }

    /// Records that stand in the topic more than once.
    private func repeats(_ records: [KafkaRecord]) -> Int {
        records.count - Set(records.map(\.value)).count
    }

    /// Values in the order of their last copy.
    private func lastCopies(_ records: [KafkaRecord]) -> [[UInt8]] {
        var seen: Set<[UInt8]> = []
        return records.map(\.value).reversed().filter { seen.insert($0).inserted }.reversed()
    }

    /// 1. Of two logs whose records lie in one partition one has a line that the topic does not take.
    /// 2. librdkafka puts records of both into one batch, and the broker refuses it whole.
    /// 3. The line is found by itself, whatever stands before and behind it, and the other log goes on,
    ///    then and whenever the line is tried again.
    @Test(
        "K3: a line that its topic refuses stops its own log alone, says where, and repeats little",
        arguments: [0, 1, 700, 2_999])
    func refusedLine(position: Int) throws {
        let kafka = try cluster()
        try kafka.createTopic("narrow")
        let agent = try Agent(
            kafka.address, path: "{pod}.log",
            kafka: "topic: narrow, codec: raw, key: \"{pod}\"")
        var random = SplitMix(seed: 1)
        // Nothing can compress it below the limit.
        let big = (0..<Self.limit + 50_000).map { _ in
            UInt8.random(in: 128...255, using: &random)
        }
        let (sick, fine) = (LineSource("sick"), LineSource("fine"))
        let before = sick.lines(0..<position)
        try agent.home.write(
            "logs/sick.log", before + big + [10] + sick.lines(position..<3_000))
        try agent.home.write("logs/fine.log", fine.lines(0..<3_000))
        let reader = try KafkaReader(kafka, topics: ["narrow"])
        try agent.start()
        try eventually("it says which line is refused; \(agent.said)") {
            agent.said.contains("a record is refused by its topic")
        }
        let alarm = try #require(
            agent.said.split(separator: "\n").first { $0.contains("a record is refused") })
        for part in [
            "path=\(agent.log("sick.log"))", " offset=\(before.count) ", " size=\(big.count) ",
            "\(Self.limit) (max.message.bytes of the topic)", "MSG_SIZE_TOO_LARGE",
        ] { #expect(alarm.contains(part), "\(alarm)") }

        func arrived(_ writer: String) -> [KafkaRecord] {
            reader.records.filter { $0.keyText == writer }
        }
        try eventually("the other log's lines; \(agent.said)") {
            Set(arrived("fine").map(\.value)).count == 3_000
        }
        try eventually("all before the line; \(agent.said)") {
            Set(arrived("sick").map(\.value)).isSuperset(of: (0..<position).map(sick.line))
        }
        let standing = arrived("sick").count
        // Meanwhile the line is tried again and again.
        for round in 0..<5 {
            let next = 3_000 + round * 10..<3_010 + round * 10
            try agent.home.append(
                "logs/fine.log", String(decoding: fine.lines(next), as: UTF8.self))
            try eventually("the other log goes on; \(agent.said)") {
                Set(arrived("fine").map(\.value)).count == next.upperBound
            }
        }
        #expect(lastCopies(arrived("fine")) == (0..<3_050).map(fine.line))
        // No log had more out than its lines when the batch was refused.
        #expect(repeats(arrived("fine")) < 3_000 && repeats(arrived("sick")) < 3_000)
        #expect(arrived("sick").count == standing, "it repeats what stands behind it")
        #expect(!arrived("sick").contains { $0.value.count > 1_000 })
        #expect(
            agent.said.split(separator: "\n").count { $0.contains("a record is refused") } == 1,
            "\(agent.said)")
        #expect(try agent.stop() == .code(0))
        #expect(try agent.entry("sick.log")?.offset ?? .max <= before.count)
    }

    @Test(
        "K3: with a dead-letter topic a letter stands for the line, and its log goes on in order")
    func deadLetter() throws {
        let kafka = try cluster()
        try kafka.createTopic("narrow")
        try kafka.createTopic("dead")
        let agent = try Agent(
            kafka.address, path: "{pod}.log",
            kafka: "topic: narrow, key: \"{pod}\", dead_letter_topic: dead")
        var random = SplitMix(seed: 1)
        // Nothing can compress it below the limit.
        let big = (0..<2 * Self.limit).map { _ in UInt8.random(in: 33...126, using: &random) }
        let (sick, fine) = (LineSource("sick"), LineSource("fine"))
        let before = sick.lines(0..<700)
        try agent.home.write("logs/sick.log", before + big + [10] + sick.lines(700..<3_000))
        try agent.home.write("logs/fine.log", fine.lines(0..<3_000))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
        let reader = try KafkaReader(kafka, topics: ["narrow", "dead"])
        try eventually("the letter and all other lines; \(agent.said)") {
            reader.records("dead").count == 1
                && Set(reader.records("narrow").map(\.value)).count == 6_000
        }
        for source in [sick, fine] {
            let messages = try reader.records("narrow").filter { $0.keyText == source.writer }
                .map { try Array($0.document().message.utf8) }
            var seen: Set<[UInt8]> = []
            let last = messages.reversed().filter { seen.insert($0).inserted }.reversed()
            #expect(Array(last) == (0..<3_000).map(source.line))
        }
        let letter = try #require(reader.records("dead").first)
        #expect(letter.value == Array(big.prefix(8 * 1024)))
        #expect(letter.keyText == "sick")
        #expect(letter.header("reason")?.hasPrefix("MSG_SIZE_TOO_LARGE: ") == true)
        #expect(letter.header("topic") == "narrow")
        #expect(letter.header("file") == agent.log("sick.log"))
        #expect(letter.header("offset") == "\(before.count)")
        let size = try #require(letter.header("size").flatMap { Int($0) })
        #expect(size > big.count, "that of the document")
        let generation = try #require(try agent.entry("sick.log")).generation
        let hex = String(before.count, radix: 16)
        let digits = String(repeating: "0", count: 16 - hex.count) + hex
        #expect(letter.header("_id") == "\(generation)-\(digits)")
        #expect(
            agent.said.split(separator: "\n").count { $0.contains("a letter in the dead") } == 1)
        #expect(!agent.said.contains("its stream waits at it"), "\(agent.said)")
    }

    /// librdkafka's batches have up to a megabyte. Every line is taken by itself, no batch is.
    /// The limit is on a batch as it is compressed.
    @Test(
        "K12: a topic that takes small batches gets small batches, each line and few of them twice",
        arguments: [(Self.limit, "none"), (10_000, "lz4")])
    func smallBatches(limit: Int, compression: String) throws {
        let kafka = try cluster()
        try kafka.createTopic("narrow")
        try kafka.setTopic("narrow", "max.message.bytes", "\(limit)")
        let agent = try Agent(
            kafka.address, path: "{pod}.log",
            kafka: "topic: narrow, codec: raw, compression: \(compression), key: \"{pod}\"")
        let (first, all) = (limit / 5, limit / 4)
        let sources = (0..<3).map { LineSource("pod-\($0)") }
        for source in sources {
            try agent.home.write("logs/\(source.writer).log", source.lines(0..<first))
        }
        let reader = try KafkaReader(kafka, topics: ["narrow"])
        try agent.start()
        for count in [first, all] {
            try eventually("all \(count) lines; \(agent.said)") {
                Set(reader.records.map(\.value)).count == 3 * count
            }
            guard count == first else { break }
            for source in sources {
                let more = source.lines(first..<all)
                try agent.home.append(
                    "logs/\(source.writer).log", String(decoding: more, as: UTF8.self))
            }
        }
        #expect(try agent.stop() == .code(0))
        let records = reader.records
        #expect(repeats(records) < 3 * first)
        for source in sources {
            let own = records.filter { $0.keyText == source.writer }
            #expect(lastCopies(own) == (0..<all).map(source.line))
        }
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
    }

    @Test("K4: sixty logs whose topics are not there leave one whose topic is there its credit")
    func missingTopics() throws {
        let kafka = try KafkaCluster(home: KafkaHome())
        try kafka.createTopic("logs.good")
        let agent = try Agent(
            kafka.address, path: "{app}/{pod}.log",
            kafka: "topic: \"logs.{app}\", codec: raw, key: \"{pod}\", "
                + "librdkafka: {topic.metadata.propagation.max.ms: \"100\", "
                + "topic.metadata.refresh.fast.interval.ms: \"50\"}")
        let source = LineSource("good")
        let backlog = LineSource("bad").lines(0..<10_000)
        for number in 0..<60 {
            try agent.home.write("logs/bad-\(number)/pod.log", backlog)
        }
        try agent.start()
        try eventually("their topics have been tried; \(agent.said)") {
            agent.said.contains("stream waits for its topic")
        }
        try agent.home.write("logs/good/pod.log", source.lines(0..<20_000))
        let reader = try KafkaReader(kafka, topics: ["logs.good"])
        try eventually("all lines of the one; \(agent.said)") { reader.count == 20_000 }
        #expect(reader.records.map(\.value) == (0..<20_000).map(source.line))
        #expect(try agent.registry().count { $0.lag == backlog.count } == 60)
        // Each of them, once it is there, gets every line.
        try kafka.createTopic("logs.bad-7")
        try eventually("the lines of one that was made; \(agent.said)") {
            try AuditCount.of(kafka, topic: "logs.bad-7") == 10_000
        }
        #expect(try agent.stop() == .code(0))
    }
}
