import Platform
import TestSupport
import Testing

@Suite("A stack trace is one event", .serialized) struct StackTraceTests {
    private func trace(_ number: Int) -> [String] {
        [
            "2026-11-23 ERROR boom \(number)", "java.lang.IllegalStateException: no",
            "\tat a.b.C(C.java:\(number))", "Caused by: x", "\t... 3 more",
        ]
    }

    /// Some of them may come twice.
    private func waitFor(_ events: [String], _ reader: KafkaReader, _ agent: Agent) throws {
        try eventually("\(events.count) events; \(agent.said)") {
            Set(try reader.messages()).isSuperset(of: events)
        }
    }

    @Test("F7: cut by a rotation or a kill it comes whole, under one id")
    func cut() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", input: "multiline: {preset: java, timeout: 10m}")
        var expected: [String] = []
        for round in 0..<6 {
            let lines = trace(round)
            let half = lines.prefix(2).map { $0 + "\n" }.joined()
            let rest = lines.dropFirst(2).map { $0 + "\n" }.joined()
            try agent.home.append("logs/a.log", half)
            try agent.start()
            // The event before it is sent when this one begins.
            try waitFor(expected, reader, agent)
            if round % 2 == 0 {
                agent.kill()
                try agent.home.append("logs/a.log", rest)
            } else {
                try rename(agent.log("a.log"), agent.log("a.log.\(round)"))
                try agent.home.write("logs/a.log", rest)
                agent.kill()
            }
            expected.append(lines.joined(separator: "\n"))
        }
        try agent.home.append("logs/a.log", "2026-11-23 INFO last\n")
        try agent.start()
        try waitFor(expected, reader, agent)
        #expect(try agent.stop() == .code(0))
        var ids: [String: Set<String>] = [:]
        for record in reader.records {
            let document = try record.document()
            ids[document.message, default: []].insert(document.metadata.id)
            #expect(document.log.flags == ["multiline"])
        }
        #expect(Set(ids.keys) == Set(expected))
        #expect(ids.values.allSatisfy { $0.count == 1 })
    }

    @Test("F7: silence longer than the time-out cuts it in two")
    func silence() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", input: "multiline: {preset: java, timeout: 500ms}")
        let lines = trace(1)
        try agent.home.write("logs/a.log", lines.prefix(2).map { $0 + "\n" }.joined())
        try agent.start()
        let parts = [lines.prefix(2), lines.dropFirst(2)].map { $0.joined(separator: "\n") }
        try reader.waitFor([parts[0]]) { agent.said }
        try agent.home.append("logs/a.log", lines.dropFirst(2).map { $0 + "\n" }.joined())
        try reader.waitFor(parts) { agent.said }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == parts)
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
    }
}
