import Platform
import TestSupport
import Testing

@Suite("The stock layout by the links in /var/log/containers", .serialized)
struct StockLinkTests {
    private static let id = String(repeating: "0a1b", count: 16)
    private static let uid = "0f6c4a3e-1111-2222-3333-444455556666"

    /// An agent for `logs/containers`, that follows links to `pods` and `docker` in its home.
    private func agent(_ broker: String, kafka: String = "topic: logs") throws -> Agent {
        let agent = try Agent(
            broker, path: "{pod}_{namespace}_{container}-{container_id}.log",
            input: "follow_symlinks: [ROOTS]", kafka: kafka)
        try agent.configure { settings in
            settings = settings.replacing(
                "ROOTS", with: "\(agent.home.path("pods")), \(agent.home.path("docker"))")
        }
        return agent
    }

    @Test(
        "F6: containerd's layout: check, rotations with the agent running and not, the pod goes"
    )
    func containerd() throws {
        let broker = try BrokerProcess(topics: ["shop"])
        let agent = try agent(broker.address, kafka: "topic: \"{namespace}\", key: \"{pod}\"")
        let directory = "pods/shop_web-7_\(Self.uid)/my-app"
        let log = try ContainerLog(in: agent.home, directory, seed: 6)
        try log.write(lines: 50)
        let link = agent.log("web-7_shop_my-app-\(Self.id).log")
        try makeLink(link, to: agent.home.path("\(directory)/0.log"))
        try agent.home.write("secret", "secret\n")
        let bad = agent.log("web-7_shop_bad-\(Self.id).log")
        try makeLink(bad, to: agent.home.path("secret"))
        let check = try ChildProcess(try findBinary(), ["check", "--config", agent.config])
        #expect(try check.wait() == .code(0), "\(check.errors)")
        let target = agent.home.path("\(directory)/0.log")
        #expect(
            check.output.contains(
                "# Input logs matches 1 file now.\n#   \(link) -> \(target) "
                    + "(cri, topic shop, key web-7)\n"),
            "\(check.output)")
        #expect(
            check.output.contains(
                "# not followed: \"\(bad): it leads to \(agent.home.path("secret")), beneath none of "
                    + "follow_symlinks\"\n"), "\(check.output)")
        try agent.start()
        let shop = try KafkaReader(broker, topics: ["shop"])
        func expectAll() throws {
            let all = log.messages.values.reduce(0) { $0 + $1.count }
            try eventually("all of it; \(agent.said)") { shop.count >= all }
        }
        try expectAll()
        try log.rotate()
        try log.write(lines: 50)
        try expectAll()
        #expect(try agent.stop() == .code(0))
        for _ in 0..<3 {
            try log.write(lines: 50)
            try log.rotate()
        }
        try log.write(lines: 50)
        try log.finish()
        try agent.start()
        try expectAll()
        #expect(agent.said.contains("link not followed"))
        // Position and identity are the file's, whatever leads to it.
        let show = try ChildProcess(
            try findBinary(), ["registry", "show", "--json", "--data", agent.data, "0.log"])
        #expect(try show.wait() == .code(0))
        #expect(show.output.contains("\"stream\":\"\(target)\",\"path\":\"\(target)\""))
        try remove(link)
        for name in try agent.home.names(directory) {
            try remove(agent.home.path("\(directory)/\(name)"))
        }
        try removeDirectory(agent.home.path(directory))
        #expect(try agent.stop() == .code(0))
        let documents = try shop.records.map { try $0.document() }
        for stream in ["stdout", "stderr"] {
            var seen: Set<String> = []
            let arrived = documents.filter { $0.stream == stream }.map(\.message)
                .filter { seen.insert($0).inserted }
            #expect(arrived == log.messages[stream], "\(stream)")
        }
        #expect(documents.allSatisfy { $0.log.file.path == link })
        #expect(documents.allSatisfy { $0.kubernetes?.container?.name == "my-app" })
        #expect(shop.records.allSatisfy { $0.keyText == "web-7" })
        #expect(!agent.said.contains("bytes lost"))
    }

    @Test("F6: Docker's layout, a link to a link; its rotation by max-file while no agent runs")
    func docker() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try agent(broker.address)
        let live = "docker/\(Self.id)/\(Self.id)-json.log"
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
        try agent.home.write(live, "")
        try write(50)
        let directory = "pods/shop_web_\(Self.uid)/app"
        try agent.home.makeDirectory(directory)
        try makeLink(agent.home.path("\(directory)/0.log"), to: agent.home.path(live))
        // Two lead to it: it is the file of the first, and comes once.
        for container in ["app", "zoo"] {
            try makeLink(
                agent.log("web_shop_\(container)-\(Self.id).log"),
                to: "../\(directory)/0.log")
        }
        try agent.start()
        try eventually("what is there; \(agent.said)") { reader.count >= 50 }
        #expect(try agent.stop() == .code(0))
        for age in [0, 1] {
            try write(50)
            if age > 0 {
                try rename(agent.home.path("\(live).1"), agent.home.path("\(live).2"))
            }
            try rename(agent.home.path(live), agent.home.path("\(live).1"))
            try agent.home.write(live, "")
        }
        try write(50)
        try agent.start()
        try eventually("all of it; \(agent.said)") { reader.count >= 200 }
        #expect(try agent.stop() == .code(0))
        let documents = try reader.records.map { try $0.document() }
        #expect(documents.map(\.message) == (1...200).map { "line \($0)" })
        #expect(documents.allSatisfy { $0.kubernetes?.container?.name == "app" })
        #expect(!agent.said.contains("bytes lost"))
    }
}
