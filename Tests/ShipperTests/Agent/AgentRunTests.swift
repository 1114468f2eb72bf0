import Platform
import Settings
import Tailer
import TestSupport
import Testing

@testable import Shipper

@Suite("A run over changed configurations") struct AgentRunTests {
    private static func write(_ home: TemporaryDirectory, topics: Int) throws {
        try home.write(
            "f.yaml",
            """
            data: \(home.path("data"))
            inputs: [{name: pods, paths: ["\(home.path("logs"))/*.log"]}]
            output: {kafka: {brokers: ["127.0.0.1:1"], topic: logs}}
            limits: {topics: \(topics)}
            http: {listen: none}

            """)
    }

    @Test("Nothing keeps a pipeline that was replaced, and what was counted goes on")
    func replaced() throws {
        let home = try TemporaryDirectory()
        try home.write("logs/a.log", "")
        try Self.write(home, topics: 1)
        let settings = try Settings.validated(path: home.path("f.yaml"))
        let lines = LogLines()
        let log = Log(level: .info, format: .text, sink: lines.add)
        let watch = try EndWatch(patience: .seconds(100), code: .internalFault, log: log)
        let reloads = Reloads()
        let run = try AgentRun(
            settings, config: home.path("f.yaml"), once: false, log: log, watch: watch,
            reloads: reloads)
        weak let first = run.pipeline
        #expect(first != nil)
        let counters = first?.counters
        counters?.count(.missed(path: "/a"))
        try Self.write(home, topics: 2)
        reloads.ask()
        let other = try SystemThread("asks") {
            do {
                try eventually("it is applied: \(lines.all)") { reloads.counts[.applied] == 1 }
            } catch {
                Issue.record(error)
            }
            watch.ask()
        }
        #expect(try run.waitForEnd(timeout: nil) == .interrupted)
        other.join()
        #expect(first == nil)
        #expect(run.pipeline?.topics.limit == 2)
        #expect(run.pipeline?.counters.archivesMissed == 1)
        #expect(run.stop(within: .zero)?.undelivered == 0)
        #expect(run.figures().reloads == [.applied: 1])
        watch.isOver()
    }

    @Test("Another SIGHUP ends a wait after its cost was told, and not one of long ago")
    func forced() {
        let second: Int64 = 1_000_000_000
        #expect(!AgentRun.isMeant(second) && !AgentRun.isMeant(601 * second))
        #expect(AgentRun.isMeant(3 * second) && AgentRun.isMeant(599 * second))
    }
}
