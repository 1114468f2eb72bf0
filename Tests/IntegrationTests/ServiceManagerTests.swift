import Platform
import TestSupport
import Testing

/// What systemd hears of an agent that it starts with `Type=notify` and a watchdog.
@Suite struct ServiceManagerTests {
    @Test func systemdHearsOfStartReloadLifeAndStop() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        let manager = try DatagramSocket(agent.home.path("notify"))
        try agent.start(wrapper: [
            "/usr/bin/env", "NOTIFY_SOCKET=\(manager.path)", "WATCHDOG_USEC=200000",
        ])
        try eventually("it is started and lives; \(manager.messages)") {
            manager.hears { heard in
                heard.contains("READY=1") && heard.count { $0 == "WATCHDOG=1" } > 2
            }
        }
        #expect(manager.messages.contains("STATUS=ready"))

        try agent.configure { $0 = $0.replacing("name: logs,", with: "name: other,") }
        agent.process.signal(1)
        try eventually("it has reloaded; \(manager.messages)") {
            manager.hears { heard in
                let begun = heard.lastIndex { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") }
                return begun.map { heard[$0...].contains("READY=1") } ?? false
            }
        }
        #expect(try agent.stop() == .code(0))
        #expect(manager.hears { $0.contains("STOPPING=1") })
    }

    @Test func aManagerThatDoesNotListenStopsNothing() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        try agent.home.write("logs/a.log", "a\n")
        for name in [agent.home.path("nobody"), "relative", "@"] {
            let process = try agent.launch(
                ["run", "--config", agent.config, "--once"],
                wrapper: ["/usr/bin/env", "NOTIFY_SOCKET=\(name)"])
            #expect(try process.wait() == .code(0))
            #expect(process.errors.contains("the service manager cannot be told how it is"))
        }
    }
}
