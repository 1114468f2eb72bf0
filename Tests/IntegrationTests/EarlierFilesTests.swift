import Platform
import Shipper
import TestSupport
import Testing

/// 1. An agent is down, or slow, while hundreds of files are rotated.
/// 2. It works through them. The log goes on, and is rotated further.
/// 3. It is killed.
@Suite("Hundreds of files that were rotated while no agent ran", .serialized)
struct EarlierFilesTests {
    private struct Arrivals: Sendable {
        var firsts: [String] = []
        var ids: [String: String] = [:]
        var faults: [String] = []

        mutating func take(_ record: KafkaRecord) {
            do {
                let document = try record.document()
                let id = document.metadata.id
                guard let before = ids.updateValue(id, forKey: document.message) else {
                    firsts.append(document.message)
                    return
                }
                if before != id { faults.append("another _id: \(document.message)") }
            } catch {
                faults.append("\(error): \(record.text)")
            }
        }
    }

    @Test(
        "Rotated further, and killed again and again: each line comes, in its order, under one id",
        arguments: [false, true])
    func kills(copies: Bool) throws {
        let arrivals = Shared(Arrivals())
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker) { record in arrivals.with { $0.take(record) } }
        let agent = try Agent(
            broker.address, path: "app.log",
            kafka: "topic: logs, librdkafka: {linger.ms: \"1\"}",
            more: "limits: {in_flight: 256KiB}")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w", payload: 200...400))
        func rotate() throws { if copies { try log.copyTruncate() } else { try log.rotate() } }
        try log.write(50)
        try agent.start()
        try eventually("the first lines; \(agent.said)") {
            arrivals.with { $0.firsts.count } == 50
        }
        agent.kill()
        var random = SplitMix(seed: copies ? 1 : 2)
        for kill in 0..<8 {
            for _ in 0..<(kill == 0 ? 250 : 5) {
                try log.write(Int.random(in: 1...20, using: &random))
                try rotate()
            }
            let before = arrivals.with { $0.firsts.count }
            try agent.start()
            if kill.isMultiple(of: 2) {
                try log.write(Int.random(in: 1...20, using: &random))
                try rotate()
            }
            let some = kill % 3 == 0 ? 0 : Int.random(in: 1...500, using: &random)
            try eventually("run \(kill) ships something; \(agent.said)") {
                arrivals.with { $0.firsts.count } >= min(before + some, log.written)
            }
            agent.kill()
        }
        try agent.start()
        try eventually("all \(log.written) lines; \(agent.said)") {
            arrivals.with { $0.firsts.count } >= log.written
        }
        #expect(try agent.stop() == .code(0))
        let result = arrivals.current
        #expect(result.faults.isEmpty, "\(result.faults.prefix(5))")
        #expect(reader.missing == 0)
        #expect(difference(result.firsts, log.source.texts(0..<log.written)) == nil)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
    }
}
