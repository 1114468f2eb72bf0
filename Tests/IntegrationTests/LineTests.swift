import TestSupport
import Testing

@Suite("Lines arrive whole, whatever is in them")
struct LineTests {
    @Test("T1: a line that is written in pieces with pauses is one record")
    func pieces() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        try agent.start()
        var shipped = 0
        for round in 0..<20 {
            let line = "round \(round): a line that its writer has written in pieces"
            let cut = 1 + round * 2
            try agent.home.append("logs/a.log", String(line.prefix(cut)))
            // The pause: the agent ships another file meanwhile, with what it has of this one in view.
            try agent.home.append("logs/b.log", "between \(round)\n")
            try eventually("the other file goes on; \(agent.said)") { reader.count == shipped + 1 }
            try agent.home.append("logs/a.log", String(line.dropFirst(cut)) + "\n")
            try eventually("the line arrives; \(agent.said)") { reader.count == shipped + 2 }
            shipped += 2
            #expect(reader.count == shipped)
            #expect(try reader.messages().last == line)
        }
        #expect(try agent.stop() == .code(0))
        #expect(try AuditCount.of(broker) == shipped)
    }

    @Test("T2: half a line, a stop, a start, the other half: one record")
    func stopBetween() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "*.log")
        try agent.home.write("logs/a.log", "one\nhalf a")
        try agent.start()
        try reader.waitFor(["one"])
        #expect(try agent.stop() == .code(0))
        try agent.home.append("logs/a.log", " line")
        try agent.start()
        try agent.home.append("logs/a.log", " and the rest\n")
        try eventually("the line; \(agent.said)") { reader.count >= 2 }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == ["one", "half a line and the rest"])
    }

    /// 1. A file is moved out of the directory. Nobody writes to it, so it is read to its end and let go.
    /// 2. Its entry left the registry with its last name here, although the file was still there.
    /// 3. It comes back, and was shipped once more from its first line.
    @Test(
        "T20: a file that is moved away and back is not shipped again, and goes on",
        arguments: [false, true])
    func awayAndBack(isS6: Bool) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: isS6 ? "*/current" : "*/a.log")
        let name = isS6 ? "logs/pod/current" : "logs/pod/a.log"
        try agent.home.write(name, "one\ntwo\n")
        try agent.start()
        for round in 1...3 {
            try eventually("round \(round); \(agent.said)") { reader.count == round + 1 }
            try rename(agent.home.path(name), agent.home.path("elsewhere"))
            try eventually("it is let go; \(agent.said)") {
                try agent.process.openFiles(beneath: agent.home.path).filter {
                    $0.hasSuffix("elsewhere")
                }.isEmpty
            }
            try rename(agent.home.path("elsewhere"), agent.home.path(name))
            try agent.home.append(name, "line \(round)\n")
        }
        try eventually("the last line; \(agent.said)") { reader.count == 5 }
        #expect(try agent.stop() == .code(0))
        #expect(try reader.messages() == ["one", "two", "line 1", "line 2", "line 3"])
        #expect(try AuditCount.of(broker) == 5)
    }

    @Test("Empty lines are skipped and passed, or kept when they are asked for; CR is cut")
    func emptyLines() throws {
        for (keep, expected) in [
            (false, ["one", "two", "three"]), (true, ["", "one", "", "two", "", "three", ""]),
        ] {
            let broker = try BrokerProcess(topics: ["logs"])
            let reader = try KafkaReader(broker)
            let agent = try Agent(
                broker.address, path: "*.log", input: keep ? "empty_lines: keep" : "")
            let text = "\none\n\ntwo\r\n\r\nthree\n\n"
            try agent.home.write("logs/a.log", text)
            #expect(try agent.once() == .code(0), "\(agent.said)")
            try reader.waitFor(expected)
            #expect(try reader.messages() == expected)
            #expect(try agent.entry("a.log")?.offset == text.utf8.count)
        }
    }

    @Test("T30: raw records are the bytes of the line, every value of a byte; documents are JSON")
    func bytes() throws {
        let line = (0...255).map { UInt8($0) }.filter { $0 != 10 && $0 != 13 }
        // Zeros that were written are bytes as others.
        let zeros = [UInt8](repeating: 0, count: 5_000) + Array("behind zeros".utf8)
        var text = zeros + [10] + Array("before\n".utf8)
        text += line + [10]
        text += Array("after\n".utf8)

        let broker = try BrokerProcess(topics: ["logs", "documents"])
        let reader = try KafkaReader(broker)
        let raw = try Agent(broker.address, path: "*.log", kafka: "topic: logs, codec: raw")
        try raw.home.write("logs/a.log", text)
        #expect(try raw.once() == .code(0), "\(raw.said)")
        try eventually("four records") { reader.records("logs").count >= 4 }
        #expect(
            reader.records("logs").map(\.value)
                == [zeros, Array("before".utf8), line, Array("after".utf8)])

        let json = try Agent(broker.address, path: "*.log", kafka: "topic: documents")
        try json.home.write("logs/a.log", text)
        #expect(try json.once() == .code(0), "\(json.said)")
        try eventually("four documents") { reader.records("documents").count >= 4 }
        let documents = try reader.records("documents").dropFirst().map { try $0.document() }
        let expected =
            line.prefix { $0 < 0x80 }.map { String(UnicodeScalar($0)) }.joined()
            + String(repeating: "\u{FFFD}", count: 128)
        #expect(documents.map(\.message) == ["before", expected, "after"])
        #expect(documents[1].log.flags == ["invalid_utf8"])
    }

    @Test("T29: the parts of a line over max_line, joined, are the line; its neighbours are intact")
    func split() throws {
        let broker = try BrokerProcess(topics: ["logs", "raw"])
        let reader = try KafkaReader(broker)
        let long = (0..<100_000).map { "é\"\u{1}x".unicodeScalars.map(String.init)[$0 % 4] }
            .joined()
        for (topic, codec) in [("logs", "json"), ("raw", "raw")] {
            let agent = try Agent(
                broker.address, path: "*.log", input: "max_line: 1000B",
                kafka: "topic: \(topic), codec: \(codec)", more: "limits: {in_flight: 256KiB}")
            try agent.home.write("logs/a.log", "before\n\(long)\nafter\n")
            #expect(try agent.once() == .code(0), "\(agent.said)")
            let count = try AuditCount.of(broker, topic: topic)
            try eventually("\(count) records") { reader.records(topic).count == count }
        }
        let raw = reader.texts("raw")
        #expect(raw.first == "before" && raw.last == "after")
        #expect(raw.dropFirst().dropLast().joined() == long)
        #expect(reader.records("raw").allSatisfy { $0.value.count <= 1000 })
        let documents = try reader.records("logs").map { try $0.document() }
        #expect(documents.map(\.message) == raw)
        #expect(documents.dropFirst().dropLast().allSatisfy { $0.log.flags == ["split"] })
        #expect(documents.first?.log.flags == nil && documents.last?.log.flags == nil)
        #expect(Set(documents.map(\.metadata.id)).count == documents.count)
    }

    @Test("D2: captures are in topic, key and document, fields and tags beside them")
    func captures() throws {
        let broker = try BrokerProcess(topics: ["logs.shop.orders", "logs.shop.pay_ments"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{namespace}/{app}/{pod}/log/x.log",
            input: "fields: {cluster: eu-1}, tags: [k8s, prod]",
            kafka: "topic: \"logs.{namespace}.{app}\", key: \"{cluster}/{pod}\"")
        try agent.home.write("logs/shop/orders/pod-1/log/x.log", "an order\n")
        try agent.home.write("logs/shop/pay ments/pod-2/log/x.log", "a payment\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("two records; \(agent.said)") { reader.count >= 2 }
        for (topic, app, pod, message) in [
            ("logs.shop.orders", "orders", "pod-1", "an order"),
            ("logs.shop.pay_ments", "pay ments", "pod-2", "a payment"),
        ] {
            let record = try #require(reader.records(topic).first)
            let document = try record.document()
            #expect(record.keyText == "eu-1/\(pod)")
            #expect(document.message == message)
            #expect(document.kubernetes?.namespace == "shop")
            #expect(document.kubernetes?.labels == ["app": app])
            #expect(document.kubernetes?.pod?.name == pod)
            #expect(document.fields == ["cluster": "eu-1"])
            #expect(document.tags == ["k8s", "prod"])
            #expect(document.log.file.path == agent.log("shop/\(app)/\(pod)/log/x.log"))
        }
    }
}
