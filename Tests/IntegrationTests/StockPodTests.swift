import Platform
import TestSupport
import Testing

@Suite("Logs of stock pods, as the kubelet lays them out and rotates them", .serialized)
struct StockPodTests {
    private static let pod = "shop_orders-7d9f_0f6c4a3e-1111-2222-3333-444455556666"
    private static let pattern = "{namespace}_{pod}_{uid}/{container}/*.log"

    private func messages(_ reader: KafkaReader, _ stream: String) throws -> [String] {
        try reader.records.map { try $0.document() }.filter { $0.stream == stream }.map(\.message)
    }

    @Test(
        "F4: five rotations while no agent runs, all but the newest compressed: complete, in order")
    func downtime() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: Self.pattern)
        let log = try ContainerLog(in: agent.home, "logs/\(Self.pod)/app", seed: 4)
        try log.write(lines: 100)
        try agent.start()
        let known = log.messages
        try eventually("what is there; \(agent.said)") {
            reader.count >= known.values.reduce(0) { $0 + $1.count }
        }
        #expect(try agent.stop() == .code(0))
        for _ in 0..<5 {
            try log.write(lines: 200)
            try log.rotate()
        }
        try log.write(lines: 100)
        try log.finish()
        try agent.start()
        let all = log.messages.values.reduce(0) { $0 + $1.count }
        try eventually("all of it; \(agent.said)") { reader.count >= all }
        #expect(try agent.stop() == .code(0))
        for stream in ["stdout", "stderr"] {
            // What was sent while another stream's message was open comes again.
            var seen: Set<String> = []
            let arrived = try messages(reader, stream).filter { seen.insert($0).inserted }
            #expect(arrived == log.messages[stream], "\(stream)")
        }
        #expect(!agent.said.contains("bytes lost"))
    }

    @Test("F5: a container is started again, and its pod is deleted with bytes unread: complete")
    func restarted() throws {
        let broker = try BrokerProcess(topics: ["shop"])
        let agent = try Agent(
            broker.address, path: Self.pattern, kafka: "topic: \"{namespace}\", key: \"{pod}\"")
        let directory = "logs/\(Self.pod)/app"
        func line(_ text: String) -> String { "2026-11-23T05:00:00Z stdout F \(text)\n" }
        try agent.home.write("\(directory)/0.log", line("first"))
        try agent.start()
        let shop = try KafkaReader(broker, topics: ["shop"])
        try eventually("the first line; \(agent.said)") { shop.count == 1 }
        try agent.home.write("\(directory)/1.log", line("second"))
        try eventually("the line of the new container; \(agent.said)") { shop.count == 2 }
        // No broker answers while the pod is deleted: the rest comes out of an open descriptor.
        try broker.takeDown()
        var text = ""
        for number in 0..<1_000 { text += line("rest \(number)") }
        try agent.home.append("\(directory)/1.log", text)
        try remove(agent.home.path("\(directory)/0.log"))
        try remove(agent.home.path("\(directory)/1.log"))
        try removeDirectory(agent.home.path(directory))
        try removeDirectory(agent.home.path("logs/\(Self.pod)"))
        try broker.bringUp()
        try eventually("the rest; \(agent.said)") { shop.count >= 1_002 }
        #expect(try agent.stop() == .code(0))
        let documents = try shop.records.map { try $0.document() }
        #expect(
            documents.map(\.message)
                == ["first", "second"] + (0..<1_000).map { "rest \($0)" })
        let kubernetes = try #require(documents[0].kubernetes)
        #expect(kubernetes.namespace == "shop")
        #expect(kubernetes.pod?.name == "orders-7d9f")
        #expect(kubernetes.pod?.uid == "0f6c4a3e-1111-2222-3333-444455556666")
        #expect(kubernetes.container?.name == "app")
        #expect(shop.records.allSatisfy { $0.keyText == "orders-7d9f" })
    }

    @Test("F4: Docker rotates by max-file while no agent runs: complete, in order")
    func docker() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{container_id}/*-json.log")
        let live = "logs/4f1c/4f1c-json.log"
        var number = 0
        func write(_ lines: Int) throws {
            var text = ""
            for _ in 0..<lines {
                number += 1
                text +=
                    #"{"log":"line \#(number)\n","stream":"stdout","#
                    + #""time":"2026-11-23T05:00:00Z"}"# + "\n"
            }
            try agent.home.append(live, text)
        }
        var rotations = 0
        /// As Docker does with `max-file: 9`: all of them are renamed.
        func rotate() throws {
            for age in stride(from: rotations, to: 0, by: -1) {
                try rename(
                    agent.home.path("\(live).\(age)"), agent.home.path("\(live).\(age + 1)"))
            }
            try rename(agent.home.path(live), agent.home.path("\(live).1"))
            try agent.home.write(live, "")
            rotations += 1
        }
        try agent.home.write(live, "")
        try write(100)
        try agent.start()
        try eventually("what is there; \(agent.said)") { reader.count >= 100 }
        try write(50)
        try rotate()
        try write(50)
        try eventually("over a rotation; \(agent.said)") { reader.count >= 200 }
        #expect(try agent.stop() == .code(0))
        for _ in 0..<3 {
            try write(100)
            try rotate()
        }
        try write(100)
        try agent.start()
        try eventually("all of it; \(agent.said)") { reader.count >= 600 }
        #expect(try agent.stop() == .code(0))
        #expect(try messages(reader, "stdout") == (1...600).map { "line \($0)" })
        #expect(!agent.said.contains("bytes lost"))
    }

    @Test("check says which files are a container runtime's, by their first lines")
    func checked() throws {
        let agent = try Agent("127.0.0.1:1", path: "*/*.log")
        let docker = #"{"log":"a\n","stream":"stdout","time":"2026-11-23T05:00:00Z"}"#
        try agent.home.write("logs/a/0.log", "2026-11-23T05:00:00Z stdout F a\n")
        try agent.home.write("logs/b/b-json.log", docker + "\n")
        try agent.home.write("logs/c/app.log", "a\n")
        let check = try ChildProcess(try findBinary(), ["check", "--config", agent.config])
        #expect(try check.wait() == .code(0), "\(check.errors)")
        #expect(
            check.output.contains(
                """
                # Input logs matches 3 files now.
                #   \(agent.log("a/0.log")) (cri, topic logs, key the stream's path)
                #   \(agent.log("b/b-json.log")) (docker, topic logs, key the stream's path)
                #   \(agent.log("c/app.log")) (plain, topic logs, key the stream's path)

                """), "\(check.output)")
    }

    @Test("The agent's own pod is left out, which is said once, and its neighbours are not")
    func own() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: Self.pattern)
        let line = "2026-11-23T05:00:00Z stderr F a line\n"
        for pod in ["logging_shipper-x_1", "logging_shipper-y_2", "other_shipper-x_3"] {
            try agent.home.write("logs/\(pod)/shipper/0.log", line)
        }
        let environment = [
            try findProgram("env", package: "coreutils"), "POD_NAME=shipper-x",
            "POD_NAMESPACE=logging",
        ]
        try agent.start(wrapper: environment)
        try eventually("the neighbours' lines; \(agent.said)") { reader.count >= 2 }
        #expect(try agent.stop() == .code(0))
        let pods = try reader.records.map { try $0.document().log.file.path }
        #expect(
            Set(pods) == [
                agent.log("logging_shipper-y_2/shipper/0.log"),
                agent.log("other_shipper-x_3/shipper/0.log"),
            ])
        let said = agent.said.split(separator: "\n").filter {
            $0.contains("logs of the agent's own pod are left out")
        }
        #expect(said.count == 1)
    }
}
