import Platform
import Shipper
import Synchronization
import TestSupport
import Testing

/// The whole demo in this process: broker, real s6-log writers, pipeline, consumer.
@Suite("The demo says what really happened", .serialized)
struct DemoTests {
    private let home: TemporaryDirectory
    private let environment: [String: String]

    init() throws {
        home = try TemporaryDirectory()
        let program = try findProgram("s6-log", package: "s6")
        let directory = program.dropLast("/s6-log".count)
        environment = ["PATH": "/nowhere:\(directory)", "TMPDIR": home.path]
    }

    @Test("Every line is read once, every writer has rotated, and nothing is left on the disk")
    func clean() throws {
        let plan = DemoPlan(lines: 16_000, writers: 4)
        let seen = Seen()
        let result = try demo(plan).run { seen.add($0) }
        #expect(result.isClean, "\(result.report) \(result.faults)")
        #expect(result.report.written == 16_000 && result.report.delivered == 16_000)
        #expect(result.writers.count == 4)
        for writer in result.writers {
            #expect(writer.rotations >= DemoPlan.leastRotations, "\(writer.name)")
        }
        #expect(result.exitCode == .done)
        #expect(seen.all.last?.delivered == 16_000)
        #expect(seen.all.last?.rotations == result.rotations)
        #expect(try home.names().isEmpty)
        let text = DemoText.result(result)
        #expect(text.contains("lost                      0\n"))
        #expect(text.hasSuffix("Every line arrived once and in order.\n"))
    }

    @Test("A record that is dropped and another that comes twice are both reported, by number")
    func dropAndRepeat() throws {
        let plan = DemoPlan(lines: 4_000, writers: 4)
        let first = plan.writers[0].source
        let second = plan.writers[1].source
        let demo = try demo(plan) { line in
            if line == first.line(500) { return 0 }
            return line == second.line(700) ? 2 : 1
        }
        let result = try demo.run { _ in }
        let report = result.report
        #expect((report.written, report.delivered) == (4_000, 3_999))
        #expect((report.lost, report.duplicated) == (1, 1))
        #expect((report.outOfOrder, report.foreign) == (0, 0))
        #expect(result.faults.isEmpty)
        #expect(result.exitCode == .fault)
        let text = DemoText.result(result)
        #expect(text.contains("lost                      1\n"))
        #expect(text.contains("duplicated                1\n"))
        #expect(text.contains("\(first.writer) 500..<501: lost\n"))
        #expect(text.contains("\(second.writer) 700: again\n"))
        #expect(text.contains("FAILED"))
        #expect(try home.names().isEmpty)
    }

    @Test("Told to stop, the writers end, and what they wrote is audited to the last line")
    func stop() throws {
        let plan = DemoPlan(lines: 100_000_000, writers: 3)
        let stopping = Stopping()
        let demo = try demo(plan) { _ in
            stopping.now()
            return 1
        }
        stopping.target.withLock { $0 = demo }
        let result = try demo.run { _ in }
        #expect(result.isClean, "\(result.report) \(result.faults)")
        #expect((1..<100_000_000).contains(result.report.written))
        #expect(try home.names().isEmpty)
    }

    @Test("Without s6-log on PATH it names the package, and makes nothing")
    func noWriterProgram() throws {
        let demo = try Demo(
            DemoPlan(), environment: ["PATH": "/nowhere", "TMPDIR": home.path],
            log: Log(level: .warn, format: .text))
        #expect {
            try demo.run { _ in }
        } throws: {
            "\($0)"
                == "s6-log is not on PATH, and the demo's writers need it: install the Debian "
                + "package s6"
        }
        #expect(try home.names().isEmpty)
    }

    @Test("A standard output that is gone ends it, and nothing is left on the disk")
    func noOutput() throws {
        let demo = try demo(DemoPlan(lines: 2_000, writers: 2))
        let gone = SystemError("write", path: "standard output", code: .brokenPipe)
        #expect {
            try demo.run { _ throws(SystemError) in throw gone }
        } throws: {
            "\($0)" == "write standard output: Broken pipe"
        }
        #expect(try home.names().isEmpty)
    }

    private func demo(
        _ plan: DemoPlan, copies: @escaping Demo.Copies = { _ in 1 }
    ) throws -> Demo {
        try Demo(
            plan, environment: environment, log: Log(level: .warn, format: .text), copies: copies)
    }

    private final class Seen: Sendable {
        private let list = Mutex<[DemoProgress]>([])
        var all: [DemoProgress] { list.withLock { $0 } }
        func add(_ progress: DemoProgress) { list.withLock { $0.append(progress) } }
    }

    /// Stops a demo when its first line arrives.
    private final class Stopping: Sendable {
        let target = Mutex<Demo?>(nil)
        func now() {
            let demo = target.withLock { target in
                defer { target = nil }
                return target
            }
            demo?.stop()
        }
    }
}
