import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite(
    "Archives that the agent compresses beside its own reader", .serialized,
    .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
struct CompressedArchivesTests {
    private let source = LineSource("w", payload: 30...90)

    /// Archives from the oldest on, unpacked, and the log.
    private func everything(_ agent: Agent) throws -> [UInt8] {
        var archives: [Int: String] = [:]
        for name in try agent.home.names("logs") where name != "app.log" {
            let number = try #require(
                name.split(separator: ".").dropFirst(2).first.flatMap { Int($0) }, "\(name)")
            #expect(archives[number] == nil, "two of number \(number): \(name)")
            archives[number] = name
        }
        var bytes: [UInt8] = []
        for (_, name) in archives.sorted(by: { $0.key > $1.key }) {
            let path = agent.log(name)
            bytes += name.hasSuffix(".gz") ? try zcat(path) : try readFile(path)
        }
        return bytes + (try readFile(agent.log("app.log")))
    }

    private func packed(_ agent: Agent) throws -> Int {
        try agent.home.names("logs").filter { $0.hasSuffix(".gz") }.count
    }

    @Test(
        "O5: archives are compressed under a live writer, killed in between: nothing comes twice",
        arguments: ["*.log", "app.log*"])
    func live(path: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: path,
            input: "latency: 20ms, rotation: {size: 256KiB, keep: 1000, compress: gzip}",
            kafka: "topic: logs, codec: raw", more: "limits: {in_flight: 256KiB}")
        var written = 0
        for run in 1...3 {
            try agent.start()
            let before = try packed(agent)
            for _ in 0..<3 {
                try appendBytes(source.lines(written..<written + 4_000), to: agent.log("app.log"))
                written += 4_000
                try eventually("line \(written) of run \(run); \(agent.said)") {
                    reader.count >= written
                }
            }
            try eventually("archives are compressed in run \(run); \(agent.said)") {
                try packed(agent) >= before + 2
            }
            // The last time it ends by itself.
            if run < 3 { agent.kill() } else { #expect(try agent.stop() == .code(0)) }
        }
        let texts = reader.texts()
        #expect(Set(texts) == Set(source.texts(0..<written)))
        // What a kill repeats is what was in flight; an archive would be 4,000 lines.
        #expect(texts.count - written < 2 * 3_000, "\(texts.count - written); \(agent.said)")
        #expect(try everything(agent) == source.lines(0..<written), "\(agent.said)")
        // The next run begins nothing anew, and has no more entries than there are files.
        let count = try AuditCount.of(broker)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == count, "\(agent.said)")
        let entries = try agent.registry()
        #expect(entries.allSatisfy { $0.lag == 0 })
        let names = try agent.home.names("logs").map { agent.log($0) }
        #expect(Set(entries.map(\.path)) == Set(names), "\(entries)")
        #expect(entries.count == names.count)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
    }
}
