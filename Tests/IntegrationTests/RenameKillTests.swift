import Platform
import Shipper
import TestSupport
import Testing

@Suite("Killed again and again while a log is rotated at full speed", .serialized)
struct RenameKillTests {
    private static let inFlight = 256 * 1024
    private static let kills = 50

    private struct Arrivals: Sendable {
        var records = 0
        /// The latest arrival of each line.
        var lines: [String: (id: String, run: String)] = [:]
        var firsts: [String] = []
        /// Bytes of values that came again, by the run that repeated them.
        var repeated: [String: Int] = [:]
        var faults: [String] = []

        mutating func take(_ record: KafkaRecord) {
            records += 1
            do {
                let document = try record.document()
                let run = document.agent.ephemeral
                defer { lines[document.message] = (document.metadata.id, run) }
                guard let before = lines[document.message] else {
                    firsts.append(document.message)
                    return
                }
                repeated[run, default: 0] += record.value.count
                if before.id != document.metadata.id {
                    faults.append("another _id: \(document.message)")
                }
                if before.run == run { faults.append("twice by one run: \(document.message)") }
            } catch {
                faults.append("\(error): \(record.text)")
            }
        }
    }

    @Test("T31: 50 times SIGKILL during rotations like those of T7: none lost, repeats in flight")
    func kills() throws {
        let arrivals = Shared(Arrivals())
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker) { record in arrivals.with { $0.take(record) } }
        let agent = try Agent(
            broker.address, path: "app.log",
            kafka: "topic: logs, librdkafka: {linger.ms: \"1\"}",
            more: "limits: {in_flight: 256KiB}")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w", payload: 200...400))
        var random = SplitMix(seed: 31)
        for kill in 0..<Self.kills {
            let before = arrivals.with { $0.firsts.count }
            try log.write(Int.random(in: 50...150, using: &random))
            try agent.start()
            // One to three rotations, more lines than the credit holds, and then at any moment.
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                try log.write(Int.random(in: 100...500, using: &random), chunk: 20)
                try log.rotate()
            }
            let some = Int.random(in: 0...400, using: &random)
            try eventually("run \(kill) ships something; \(agent.said)") {
                arrivals.with { $0.firsts.count } > min(before + some, log.written - 1)
            }
            agent.kill()
        }
        try agent.start()
        try eventually("all \(log.written) lines; \(agent.said)") {
            arrivals.with { $0.firsts.count } >= log.written
        }
        #expect(try agent.stop() == .code(0))
        let count = try AuditCount.of(broker)
        try eventually("the consumer has read all") { arrivals.with { $0.records } == count }
        let result = arrivals.current
        #expect(result.faults.isEmpty, "\(result.faults.prefix(5))")
        #expect(reader.missing == 0)
        #expect(difference(result.firsts, log.source.texts(0..<log.written)) == nil)
        #expect(
            result.repeated.values.allSatisfy { $0 <= Self.inFlight }, "\(result.repeated)")
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
    }
}
