import Shipper
import TestSupport
import Testing

@Suite("What an earlier run left unread is read whenever its directory is there")
struct LateDirectoryTests {
    /// 1. An earlier run has read a part of a log, which was rotated since and has no successor.
    /// 2. Its volume is mounted when everything else was looked at.
    @Test(
        "Rotated files alone in a directory that comes late: the rest of them, in order, once",
        arguments: ["pod/app.log", "*/app.log", "pod/*.log"])
    func rotatedAlone(path: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: path, kafka: "topic: logs, codec: raw")
        // A log that is there all the time, of an input of its own.
        try agent.configure { text in
            text.replace(
                "output:",
                with: "  - {name: other, paths: [\"\(agent.log("other/other.log"))\"]}\noutput:")
        }
        try agent.home.write("logs/other/other.log", "other 0\n")
        try agent.home.makeDirectory("logs/pod")
        let log = try RotatedLog(agent.log("pod/app.log"), LineSource("w"))
        try log.write(100)
        try agent.start()
        try eventually("the first lines; \(agent.said)") { reader.count == 101 }
        #expect(try agent.stop() == .code(0))
        try log.write(50)
        try log.rotate()
        try log.write(50)
        try log.compress(1)
        try log.rotate()
        try remove(agent.log("pod/app.log"))
        try rename(agent.log("pod"), agent.home.path("away"))
        try agent.start()
        try agent.home.append("logs/other/other.log", "other 1\n")
        try eventually("what is there; \(agent.said)") { reader.count == 102 }
        try rename(agent.home.path("away"), agent.log("pod"))
        try eventually("the rest; \(agent.said)") { reader.count == 202 }
        #expect(try agent.stop() == .code(0))
        #expect(
            difference(
                reader.texts().filter { $0.hasPrefix("w ") }, log.source.texts(0..<200)) == nil)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == 202)
    }
}
