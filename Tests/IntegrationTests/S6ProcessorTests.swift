import Platform
import Shipper
import TestSupport
import Testing

@Suite("Archives that s6-log hands to a processor")
struct S6ProcessorTests {
    @Test("S6: with a gzip processor no line comes twice and none is lost, also while stopped")
    func gzip() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", kafka: "topic: logs, codec: raw")
        let gzip = try findProgram("gzip", package: "gzip")
        let writer = try S6Writer(
            directory: agent.log("pod-1/log"),
            directives: ["n1000", "s99999999", "!\(gzip) -c"])
        let source = LineSource("w")
        var written = 0
        func write(rotates: Bool) throws {
            let archives = try writer.archives().count
            try writer.write(source, written..<written + 100)
            written += 100
            guard rotates else { return }
            // Its input is taken before the signal is.
            try eventually("s6-log has taken it", hasLogged)
            try eventually("s6-log has rotated, and gzip ended") {
                // Until the last rotation is over in every respect it takes no notice of the signal.
                if try hasLogged() { writer.rotate() }
                return try writer.archives().count > archives
            }
        }
        /// There is something to rotate; in the middle of a rotation there is no `current`.
        func hasLogged() throws(SystemError) -> Bool {
            do throws(SystemError) {
                return try !readFile(path("current")).isEmpty
            } catch {
                guard error.code == .notFound else { throw error }
                return false
            }
        }
        func path(_ name: String) -> String { "\(writer.directory)/\(name)" }

        try agent.start()
        for round in 0..<10 {
            try write(rotates: true)
            if round % 3 == 0 {
                try eventually("round \(round); \(agent.said)") { reader.count >= written }
            }
        }
        try eventually("all lines; \(agent.said)") { reader.count >= written }
        #expect(try agent.stop() == .code(0))
        // An archive is what it is because of its first bytes, not because of its name.
        let archive = try #require(try writer.archives().last)
        #expect(try readFile(path(archive)).starts(with: [0x1f, 0x8b]))

        try write(rotates: true)
        try write(rotates: true)
        try write(rotates: false)
        try agent.start()
        try eventually("what was written while it was stopped; \(agent.said)") {
            reader.count >= written
        }
        try write(rotates: true)
        try write(rotates: false)
        try writer.finish()
        try eventually("and then; \(agent.said)") { reader.count >= written }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), source.texts(0..<written)) == nil, "\(agent.said)")
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == written)
    }
}
