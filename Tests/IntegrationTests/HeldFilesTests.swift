import Shipper
import TestSupport
import Testing

@Suite(
    "A stream that waits while its log is rotated away holds its share, and no more", .serialized)
struct HeldFilesTests {
    /// A log of one line that is rotated and removed at once, again and again. Each file is one byte longer
    /// than the one before it.
    private struct FleetingLog {
        let path: String
        private(set) var sizes: [Int] = []

        init(_ path: String) { self.path = path }

        /// The number of the line in the file whose content this is.
        static func number(_ line: [UInt8]) -> Int { line.count + 1 - firstSize }
        private static let firstSize = 16_384

        mutating func next(seenBy agent: Agent) throws {
            let size = Self.firstSize + sizes.count
            if !sizes.isEmpty { try rename(path, "\(path).1") }
            let line = [UInt8](repeating: UInt8(ascii: "x"), count: size - 1) + [0x0A]
            try appendBytes(line, to: path)
            sizes.append(size)
            let path = path
            try eventually("file of \(size) bytes is seen; \(agent.said)") {
                try agent.registry().contains { $0.path == path && $0.size == size }
            }
        }

        var bytes: Int { sizes.reduce(0, +) }
    }

    /// Rotates until more is lost than `rotations` can hold, and has the neighbours checked meanwhile.
    private func audit(limits: String, rotations: Int) throws {
        let topics = ["logs.bad", "logs.old", "logs.new"]
        let broker = try BrokerProcess(topics: topics)
        try broker.setTopic("logs.bad", .unknownTopic)
        let reader = try KafkaReader(broker, topics: Set(topics))
        let agent = try Agent(
            broker.address, path: "{app}/app.log",
            kafka: "topic: \"logs.{app}\", codec: raw, "
                + "librdkafka: {topic.metadata.propagation.max.ms: \"100\", "
                + "topic.metadata.refresh.fast.interval.ms: \"50\"}",
            more: "limits: {in_flight: 256KiB, \(limits)}\nhttp: {listen: \"127.0.0.1:0\"}")
        try agent.home.write("logs/old/app.log", "old first\n")
        try agent.home.makeDirectory("logs/bad")
        try agent.start()
        try eventually("a neighbour flows; \(agent.said)") { reader.count == 1 }
        var log = FleetingLog(agent.log("bad/app.log"))
        for _ in 0..<rotations { try log.next(seenBy: agent) }
        try agent.home.append("logs/old/app.log", "old second\n")
        try agent.home.write("logs/new/app.log", "new first\n")
        try eventually("the neighbours flow; \(agent.said)") {
            reader.records("logs.old").count == 2 && reader.records("logs.new").count == 1
        }
        #expect(!agent.said.contains("Too many open files"), "\(agent.said)")
        let lost = "error bytes lost path=\(log.path).1 from=0 to="
        try eventually("what was let go is named; \(agent.said)") {
            agent.said.contains(lost) && agent.said.contains(" reason=held_limit")
        }

        try broker.setTopic("logs.bad", .none)
        let address = try agent.address()
        let total = log.bytes + "old first\nold second\nnew first\n".utf8.count
        try eventually("every byte is delivered or counted; \(agent.said)") {
            let metrics = try Metrics(address)
            let gone = ["held_limit", "deleted_unread"].map {
                metrics["shipper_bytes_lost_total{reason=\"\($0)\"}"] ?? 0
            }
            return metrics["shipper_bytes_delivered_total"] ?? 0 == Double(total) - gone[0]
                - gone[1]
                && metrics["shipper_held_bytes"] == 0 && metrics["shipper_held_files"] == 0
        }
        let metrics = try Metrics(address)
        #expect(metrics["shipper_bytes_lost_total{reason=\"held_limit\"}"] ?? 0 > 0)
        #expect(metrics["shipper_archives_lost_total"] == 0)
        #expect(try agent.stop() == .code(0))
        let numbers = reader.records("logs.bad").map { FleetingLog.number($0.value) }
        #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
        let delivered = numbers.reduce(0) { $0 + log.sizes[$1] }
        #expect(
            metrics["shipper_bytes_delivered_total"]
                == Double(delivered + "old first\nold second\nnew first\n".utf8.count))
    }

    @Test(
        "one stream takes all descriptors: neighbours flow, and what is let go is named and counted"
    )
    func descriptors() throws {
        // Eight in flight, six held, and the newest.
        try audit(limits: "open_files: 16", rotations: 30)
    }

    @Test(
        "one stream takes all held bytes: neighbours flow, and what is let go is named and counted")
    func bytes() throws {
        // Eight in flight, and of 128 KiB a half.
        try audit(limits: "held_bytes: 128KiB", rotations: 30)
    }
}
