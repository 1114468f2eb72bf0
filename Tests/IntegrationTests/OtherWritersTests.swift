import Shipper
import TestSupport
import Testing

@Suite("Log directories of multilog and svlogd are followed like those of s6-log")
struct OtherWritersTests {
    /// The programs, and how they are told to keep 1,000 files of 20,000 bytes.
    enum Program: CaseIterable {
        case multilog, svlogd

        func start(_ directory: String) throws -> ChildProcess {
            switch self {
            case .multilog:
                try ChildProcess(
                    findProgram("multilog", package: "daemontools"),
                    ["s20000", "n1000", directory], input: .pipe)
            case .svlogd:
                try ChildProcess(
                    findProgram("svlogd", package: "runit"), [directory], input: .pipe)
            }
        }

        func prepare(_ home: TemporaryDirectory, _ directory: String) throws {
            switch self {
            case .multilog: break
            case .svlogd: try home.write("\(directory)/config", "s20000\nn1000\n")
            }
        }
    }

    @Test(
        "S12: complete and in order, over rotations, a restart and rotations while it was stopped",
        arguments: Program.allCases)
    func rotations(program: Program) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", kafka: "topic: logs, codec: raw")
        try agent.home.makeDirectory("logs/pod/log")
        try program.prepare(agent.home, "logs/pod/log")
        let source = LineSource("w", payload: 30...80)
        let writer = try program.start(agent.log("pod/log"))
        var written = 0
        func write(_ lines: Int, chunk: Int = 50) throws {
            for _ in 0..<lines / chunk {
                try writer.write(source.lines(written..<written + chunk))
                written += chunk
            }
        }
        try agent.start()
        try write(10_000)
        try eventually("the first lines; \(agent.said)") { reader.count >= 10_000 }
        #expect(try agent.stop() == .code(0))
        try write(5_000)
        try agent.start()
        try write(10_000)
        writer.closeInput()
        #expect(try writer.wait() == .code(0), "\(writer.errors)")
        try eventually("all lines; \(agent.said)") { reader.count >= written }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), source.texts(0..<written)) == nil)
        #expect(try AuditCount.of(broker) == written)
        let names = try agent.home.names("logs/pod/log")
        #expect(names.count { $0.hasPrefix("@") && $0.hasSuffix(".s") } > 50)
        #expect(!agent.said.contains(" error "), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == written)
    }

    /// svlogd reads `@….u`, and removes it when what its processor made of that has its name, `@….s`.
    @Test(
        "what svlogd's processor makes of lines that were read is not shipped once more, and nothing is missed",
        arguments: ["gzip", "cat"])
    func processed(processor: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", kafka: "topic: logs, codec: raw")
        try agent.home.makeDirectory("logs/pod/log")
        try agent.home.write("logs/pod/log/config", "s16384\nn1000\n!\(processor)\n")
        let source = LineSource("w", payload: 30...80)
        let writer = try Program.svlogd.start(agent.log("pod/log"))
        try agent.start()
        var written = 0
        for _ in 0..<60 {
            try writer.write(source.lines(written..<written + 100))
            written += 100
            // So that they are read before and while they are rotated.
            try eventually("\(written) lines; \(agent.said)") { reader.count >= written }
        }
        writer.closeInput()
        #expect(try writer.wait() == .code(0), "\(writer.errors)")
        try agent.home.append("logs/pod/log/current", "the last\n")
        try eventually("the last; \(agent.said)") { reader.count >= written + 1 }
        #expect(try agent.stop() == .code(0))
        #expect(difference(reader.texts(), source.texts(0..<written) + ["the last"]) == nil)
        let names = try agent.home.names("logs/pod/log")
        #expect(names.count { $0.hasPrefix("@") && $0.hasSuffix(".s") } > 10)
        #expect(!agent.said.contains(" error "), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(broker) == written + 1)
    }
}
