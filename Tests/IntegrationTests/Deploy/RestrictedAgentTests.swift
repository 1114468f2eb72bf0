import Shipper
import TestSupport
import Testing

@Suite struct RestrictedAgentTests {
    @Test func theShippedSettingsAreValid() throws {
        let check = try Deployment.run(
            [findBinary(), "check", "--config", Deployment.path("kubernetes/shipper.yaml")],
            environment: ["NODE_NAME": "node-7"])
        #expect(check.exit == .code(0), "\(check.errors)")
        #expect(check.output.contains("node: node-7\n"))
    }

    @Test func theSettingsOfTheOverlayAreValidAndHideThePassword() throws {
        let certificates = try Certificates()
        var settings = try Deployment.text("kafka-sasl-tls/shipper.yaml")
        settings.replace("/etc/kafka/ca.pem", with: certificates.authority)
        let config = try certificates.write("shipper.yaml", settings)
        let check = try Deployment.run(
            [findBinary(), "check", "--config", config],
            environment: [
                "NODE_NAME": "node-7", "KAFKA_USER": "logs", "KAFKA_PASSWORD": "geheim",
            ])
        #expect(check.exit == .code(0), "\(check.errors)")
        #expect(check.output.contains("mechanism: SCRAM-SHA-512\n      username: logs\n"))
        #expect(!check.output.contains("geheim"))
    }

    @Test func probesAndScrapesAskWhereTheAgentAnswers() throws {
        let check = try Deployment.run(
            [findBinary(), "check", "--config", Deployment.path("kubernetes/shipper.yaml")],
            environment: ["NODE_NAME": "node-7"])
        let port = try Deployment.daemonSetValue("containerPort")
        #expect(check.output.contains("\n  listen: 0.0.0.0:\(port)\n"), "\(check.output)")
        #expect(try Deployment.daemonSetValue("prometheus.io/port") == "\"\(port)\"")
        #expect(try Deployment.daemonSetValue("prometheus.io/path") == "/metrics")
        let manifest = try Deployment.text("kubernetes/daemonset.yaml")
        for probe in ["livenessProbe", "readinessProbe"] {
            let path = probe == "livenessProbe" ? "/healthz" : "/readyz"
            #expect(
                manifest.contains(
                    "\(probe):\n            httpGet:\n              path: \(path)\n"))
        }
    }

    @Test func aPodIsGivenLongerToEndThanTheAgentTakes() throws {
        let check = try Deployment.run(
            [findBinary(), "check", "--config", Deployment.path("kubernetes/shipper.yaml")],
            environment: ["NODE_NAME": "node-7"])
        let line = check.output.split(separator: "\n").first {
            $0.hasPrefix("shutdown_timeout: ") && $0.hasSuffix("s")
        }
        let timeout = try #require(line.flatMap { Int($0.dropFirst(18).dropLast()) })
        let grace = try #require(
            Int(Deployment.daemonSetValue("terminationGracePeriodSeconds")))
        // The last positions are written after the timeout.
        #expect(grace >= timeout + 10)
    }

    @Test(
        .enabled(
            "needs root, and a machine that lets it make mount namespaces",
            Deployment.canRestrict))
    func withTheRightsOfTheDaemonSetItShipsADirectoryOfAnotherUserAndCannotWriteThere() throws {
        let broker = try BrokerProcess()
        let reader = try KafkaReader(broker)
        let home = try TemporaryDirectory()
        let source = LineSource("orders-7d9f")
        let log = "logs/shop/orders/orders-7d9f/log"
        try home.write("\(log)/current", source.lines(0..<1000))
        for directory in ["data", "stage"] { try home.makeDirectory(directory) }
        let another = ["chown", "--recursive", "65534:65534", home.path("logs/shop")]
        #expect(try Deployment.run(another).exit == .code(0))
        try setMode(home.path(log), 0o700)
        try setMode(home.path("\(log)/current"), 0o600)

        // The settings of the ConfigMap; only the places are others.
        var settings = try Deployment.text("kubernetes/shipper.yaml")
        settings.replace("/data/logs/", with: "\(home.path("logs"))/")
        settings.replace("/var/lib/shipper", with: home.path("data"))
        settings = settings.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.hasPrefix("    brokers: ") ? "    brokers: [\"\(broker.address)\"]" : String($0)
        }.joined(separator: "\n")
        let config = try home.write("shipper.yaml", settings)

        let restricted = try Deployment.restricted(to: Deployment.capabilities())
        let agent = try Deployment.run(
            Deployment.onReadOnlyRoot(stage: home.path("stage"), data: home.path("data"))
                + restricted + [findBinary(), "run", "--config", config, "--once"],
            environment: ["NODE_NAME": "node-7"])
        #expect(agent.exit == .code(0), "\(agent.errors)")

        let topic = "logs.shop.orders"
        let lines = (0..<1000).map { String(decoding: source.line($0), as: UTF8.self) }
        try eventually("1000 records; the agent said: \(agent.errors)") {
            reader.records(topic).count >= lines.count
        }
        #expect(try reader.messages(topic) == lines)
        #expect(reader.records(topic).allSatisfy { $0.keyText == "shop/orders-7d9f" })
        #expect(reader.texts(topic).allSatisfy { $0.contains(#""host":{"name":"node-7"}"#) })

        // The same rights, on a root that is not read-only, so that only they can refuse.
        let current = home.path("\(log)/current")
        let before = try readFile(current)
        for write in [
            "echo more >>'\(current)'", ": >'\(home.path(log))/new'", "rm '\(current)'",
            "chmod 777 '\(current)'",
        ] {
            let attempt = try Deployment.run(restricted + ["/bin/sh", "-c", write])
            #expect(attempt.exit != .code(0), "\(write)")
            #expect(
                attempt.errors.contains("ermission denied")
                    || attempt.errors.contains("not permitted"), "\(write): \(attempt.errors)")
        }
        #expect(try readFile(current) == before)
        #expect(try home.names(log) == ["current"])

        // Without them not even reading: it is the capability that lets the agent in.
        let none = try Deployment.run(Deployment.restricted(to: []) + ["/bin/cat", current])
        #expect(none.exit == .code(1) && none.errors.contains("Permission denied"))
        let two = try Deployment.run(restricted + ["/bin/cat", current])
        #expect(two.exit == .code(0))
    }
}
