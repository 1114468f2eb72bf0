import Model
import Platform
import Shipper
import TestSupport
import Testing

@Suite("What the agent does can be seen over HTTP")
struct HTTPTests {
    private func agent(_ broker: String, more: String = "") throws -> Agent {
        try Agent(
            broker, path: "app.log", kafka: "topic: logs, codec: raw",
            more: "http: {listen: \"127.0.0.1:0\"}\n\(more)")
    }

    @Test("K1: not ready while no broker has answered, ready once one does; alive all the time")
    func unreachable() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        try broker.takeDown()
        let agent = try agent(broker.address)
        let source = LineSource("w")
        try agent.home.write("logs/app.log", source.lines(0..<1_000))
        try agent.start()
        let address = try agent.address()
        try eventually("everything but the brokers is ready; \(agent.said)") {
            try httpGet(address, "/readyz").body == """
                configuration: ok
                registry: ok
                first scan: ok
                brokers: none can be reached: \(broker.address): nobody listens there; is the broker \
                up, and the port right? (Connect to ipv4#\(broker.address) failed: Connection refused)

                """
        }
        #expect(try httpGet(address, "/readyz").status == 503)
        #expect(try httpGet(address, "/healthz").status == 200)
        var metrics = try Metrics(address)
        #expect(metrics["shipper_brokers_reachable"] == 0)
        #expect(metrics["shipper_records_delivered_total"] == 0)
        #expect(metrics["shipper_last_acknowledgement_timestamp_seconds"] == nil)
        let bytes = Double(source.lines(0..<1_000).count)
        // A topic that nobody has answered for gets a little to try with, and no more.
        try eventually("some lines are read and wait") {
            metrics = try Metrics(address)
            return metrics["shipper_records_waiting"] ?? 0 > 0
                && metrics["shipper_lag_bytes"] == bytes
        }
        let inFlight = try #require(metrics["shipper_in_flight_bytes"])
        #expect(inFlight > 0 && inFlight <= Double(InFlightBudget.mostTrial))

        try broker.bringUp()
        try eventually("it is ready; \(agent.said)") {
            try httpGet(address, "/readyz").status == 200
        }
        try eventually("all is delivered; \(agent.said)") {
            try AuditCount.of(broker) == 1_000
        }
        try eventually("and counted; \(agent.said)") {
            metrics = try Metrics(address)
            return metrics["shipper_records_delivered_total"] == 1_000
                && metrics["shipper_lag_bytes"] == 0 && metrics["shipper_registry_entries"] == 1
                && metrics["shipper_registry_last_save_timestamp_seconds"] ?? 0 > 1.7e9
        }
        #expect(metrics["shipper_bytes_read_total"] == bytes)
        #expect(metrics["shipper_bytes_delivered_total"] == bytes)
        #expect(metrics["shipper_records_waiting"] == 0)
        #expect(metrics["shipper_in_flight_bytes"] == 0)
        #expect(metrics["shipper_brokers_reachable"] == 1)
        #expect(metrics["shipper_files"] == 1 && metrics["shipper_streams"] == 1)
        #expect(metrics["shipper_last_acknowledgement_timestamp_seconds"] ?? 0 > 1.7e9)
        #expect(metrics["process_resident_memory_bytes"] ?? 0 > 1e6)
        #expect(metrics["process_open_fds"] ?? 0 > 10)
        #expect(try agent.stop() == .code(0))
    }

    @Test("`status` asks the agent, and tells what is behind out of its registry")
    func status() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "http: {listen: \"127.0.0.1:0\"}")
        let line = Array("one\n".utf8)
        try agent.home.write("logs/a.log", line)
        try agent.start()
        let address = "\(try agent.address())"
        func ask(_ arguments: String...) throws -> (exit: ChildProcess.Exit, ChildProcess) {
            let status = try ChildProcess(try findBinary(), ["status"] + arguments)
            return (try status.wait(), status)
        }
        try eventually("it is delivered; \(agent.said)") { try AuditCount.of(broker) == 1 }
        let (exit, told) = try ask("--address", address)
        #expect(exit == .code(0), "\(told.errors)")
        #expect(told.output.contains("\nready          yes\n"), "\(told.output)")
        #expect(told.output.contains("\nlogs       1       0  0 B\n"), "\(told.output)")
        let (_, object) = try ask("--address", address, "--json")
        #expect(object.output.contains("\"records_delivered\":1,"), "\(object.output)")

        broker.pause()
        try agent.home.append("logs/a.log", "two\n")
        try eventually("it is behind; \(agent.said)") {
            try ask("--address", address).1.output
                .contains("\n\(agent.log("a.log"))  4 B")
        }
        broker.resume()
        #expect(try agent.stop() == .code(0))
        let (end, silent) = try ask("--address", address)
        #expect(end == .code(1) && silent.errors.contains("is it running"), "\(silent.errors)")
        let (none, refused) = try ask("--config", agent.home.path("logs/none.yaml"))
        #expect(none == .code(78), "\(refused.errors)")
    }

    @Test("A broker that goes away with nothing to send, and comes back: not ready, then ready")
    func away() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try agent(broker.address)
        try agent.start()
        let address = try agent.address()
        try eventually("it is ready; \(agent.said)") {
            try httpGet(address, "/readyz").status == 200
        }
        try broker.takeDown()
        try eventually("it is not; \(agent.said)") {
            try httpGet(address, "/readyz").status == 503
        }
        try broker.bringUp()
        try eventually("it is again; \(agent.said)") {
            try httpGet(address, "/readyz").status == 200
        }
        #expect(try agent.stop() == .code(0))
    }

    @Test("T11: what was deleted unread shows in the metrics, and nothing else does")
    func lost() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try agent(broker.address, more: "shutdown_timeout: 100ms")
        let log = try RotatedLog(agent.log("app.log"), LineSource("w"))
        try log.write(1_000)
        let size = log.source.lines(0..<log.written).count
        try broker.takeDown()
        try agent.start()
        try eventually("it is seen; \(agent.said)") { try agent.entry("app.log")?.size == size }
        var metrics = try Metrics(agent.address())
        #expect(metrics["shipper_bytes_lost_total{reason=\"deleted_unread\"}"] == 0)
        #expect(metrics["shipper_bytes_lost_total{reason=\"truncated\"}"] == 0)
        #expect(try agent.stop() == .code(0))

        try log.rotate()
        try remove("\(log.path).1")
        try log.write(50)
        try broker.bringUp()
        try agent.start()
        try eventually("the new file; \(agent.said)") { reader.count >= 50 }
        metrics = try Metrics(agent.address())
        #expect(metrics["shipper_bytes_lost_total{reason=\"deleted_unread\"}"] == Double(size))
        #expect(metrics["shipper_bytes_lost_total{reason=\"truncated\"}"] == 0)
        #expect(try agent.stop() == .code(0))
    }

    @Test(
        "R3: a full disk makes it not ready, lines are shipped all the same; with room it is ready",
        .enabled("needs root, and a machine that lets it mount", Deployment.canRestrict))
    func unsaved() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try agent(broker.address)
        try agent.home.makeDirectory("data")
        let script = "mount -t tmpfs -o size=256k,mode=700 none \"$1\" && shift && exec \"$@\""
        try agent.start(wrapper: [
            try findProgram("unshare", package: "util-linux"), "--mount", "sh", "-euc", script,
            "sh",
            agent.data,
        ])
        let address = try agent.address()
        let source = LineSource("w")
        var line = 0
        func ship(_ lines: Int) throws {
            for _ in 0..<lines {
                try appendBytes(source.lines(line..<line + 1), to: agent.log("app.log"))
                line += 1
                try eventually("line \(line); \(agent.said)") {
                    try AuditCount.of(broker) >= line
                }
            }
        }
        try ship(1)
        try eventually("it is ready; \(agent.said)") {
            try httpGet(address, "/readyz").status == 200
        }
        // The disk as the agent sees it.
        let fill = "/proc/\(agent.process.pid)/root\(agent.data)/fill"
        do throws(SystemError) {
            while true { try appendBytes([UInt8](repeating: 0, count: 1024), to: fill) }
        } catch {
            #expect(error.code == .noSpace)
        }
        // The journal's last page had room still.
        try ship(80)
        let readiness = try httpGet(address, "/readyz")
        #expect(readiness.status == 503)
        #expect(readiness.body.contains("\nregistry: \(agent.data)/"), "\(readiness)")
        #expect(readiness.body.contains("No space left on device"), "\(readiness)")
        #expect(try Metrics(address)["shipper_registry_written"] == 0)
        #expect(try httpGet(address, "/healthz").body == "ok\n")
        try remove(fill)
        try eventually("it is ready again; \(agent.said)") {
            try httpGet(address, "/readyz").status == 200
        }
        #expect(try Metrics(address)["shipper_registry_written"] == 1)
        #expect(try agent.stop() == .code(0))
    }

    @Test("An address that is taken: no start, and the message says which; shipped is nothing")
    func taken() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let port = try ReservedPort()
        let agent = try Agent(
            broker.address, path: "app.log", kafka: "topic: logs",
            more: "http: {listen: \"127.0.0.1:\(port.number)\"}")
        try agent.home.write("logs/app.log", "line\n")
        let other = try InternetAddress.loopback(port: port.number).listen(backlog: 1)
        let run = try agent.launch(["run", "--config", agent.config])
        #expect(try run.wait() == .code(78))
        let message = "bind 127.0.0.1:\(port.number): Address already in use"
        #expect(run.errors.contains("cannot start error=\"http.listen: \(message); "))
        #expect(try AuditCount.of(broker) == 0)
        // A run that ends by itself serves nothing.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 1)
        _ = consume other
        try agent.start()
        // Who holds the data directory is more than who holds the address.
        let second = try ChildProcess(try findBinary(), ["run", "--config", agent.config])
        #expect(try second.wait() == .code(75), "\(second.errors)")
        #expect(try agent.stop() == .code(0))
    }

    @Test("Switched off it listens nowhere")
    func off() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(
            broker.address, path: "app.log", kafka: "topic: logs",
            more: "http: {listen: none}")
        try agent.start()
        #expect(!agent.said.contains("HTTP"))
        #expect(try !agent.process.threadNames().contains("http"))
        #expect(try agent.stop() == .code(0))
    }

    @Test("X6: 10,000 connections, most of them silent, are bounded, and lines flow all the time")
    func flood() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try agent(broker.address)
        try agent.start()
        let address = try agent.address()
        #expect(try httpGet(address, "/metrics").status == 200)
        let memory = try #require(agent.process.memoryBytes())
        let source = LineSource("w")
        var most = 0.0
        var open: [RawConnection] = []
        for line in 0..<100 {
            for number in 0..<100 {
                let connection = try RawConnection(address, waiting: false)
                if number % 2 == 0 { try connection.send("GET /metrics HTTP/1.1\r\nHost: ") }
                if number % 10 == 0 { try connection.send("\r\n\r\n") }
                open.append(connection)
            }
            if open.count > 500 { open.removeFirst(100) }
            try appendBytes(source.lines(line..<line + 1), to: agent.log("app.log"))
            try eventually("line \(line); \(agent.said)") {
                try AuditCount.of(broker) >= line + 1
            }
            most = max(most, Double(try agent.process.descriptorCount()))
        }
        open = []
        try eventually("it answers again; \(agent.said)") {
            try httpGet(address, "/healthz").status == 200
        }
        #expect(most < 64 + 60, "\(most)")
        let grown = try #require(agent.process.memoryBytes()) - memory
        #expect(grown < 8 << 20, "\(grown)")
        #expect(try agent.stop() == .code(0))
    }
}
