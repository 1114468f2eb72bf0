import Glibc
import Shipper
import TestSupport
import Testing

@Suite("Whatever clock files' times are from, nothing is lost and nothing old is taken for new")
struct FileClockTests {
    /// How far a server's clock is ahead of ours, seconds, and its steps, nanoseconds.
    private static let clocks = [
        (-86_400, 1), (-3_600, 1), (-30, 1), (-30, 1_000_000_000), (0, 1), (0, 2_000_000_000),
        (30, 1),
        (3_600, 2_000_000_000), (86_400, 1),
    ]

    /// A log that is copied and truncated, one that is renamed, and one that is not there yet.
    private struct Logs {
        let agent: Agent
        let broker: BrokerProcess
        let reader: KafkaReader
        let wrapper: [String]
        let copied: RotatedLog
        let renamed: RotatedLog

        init(_ seconds: Int, _ tick: Int) throws {
            broker = try BrokerProcess(topics: ["logs"])
            reader = try KafkaReader(broker)
            agent = try Agent(
                broker.address, path: "*/app.log", kafka: "topic: logs, codec: raw")
            wrapper = try FailingCalls().wrapper(
                clockAt: agent.home.path("logs"), seconds: seconds, tick: tick)
            for name in ["copied", "renamed"] {
                try agent.home.makeDirectory("logs/\(name)")
                for number in [97, 98] {
                    let old = "logs/\(name)/app.log.\(number)"
                    try agent.home.write(old, "of last week \(number)\n")
                    // By the server's clock it was written last week, whatever that is here.
                    try setTime(of: agent.home.path(old), seconds: time(nil) - 604_800)
                }
            }
            copied = try RotatedLog(agent.log("copied/app.log"), LineSource("copied"))
            renamed = try RotatedLog(agent.log("renamed/app.log"), LineSource("renamed"))
        }

        /// Copies that are truncated away, and files that are renamed, before anybody looks.
        func rotate() throws {
            for _ in 0..<4 {
                try copied.write(500)
                try copied.copyTruncate()
                try renamed.write(500)
                try renamed.rotate()
            }
            try copied.write(10)
            try renamed.write(10)
        }

        func expect(_ count: Int, _ comment: String) throws {
            try eventually("\(comment): \(reader.count) of \(count); \(agent.said)") {
                reader.count >= count
            }
        }
    }

    @Test(
        "copies that were truncated away and rotated files arrive, of downtime and of a busy moment",
        arguments: clocks)
    func rotations(seconds: Int, tick: Int) throws {
        let logs = try Logs(seconds, tick)
        let agent = logs.agent
        try logs.copied.write(100)
        try logs.renamed.write(100)
        try agent.start(wrapper: logs.wrapper)
        try logs.expect(200, "the first lines")
        agent.process.signal(SIGSTOP)
        try logs.rotate()
        // A pod that comes, and whose log is rotated before the first look at it.
        try agent.home.makeDirectory("logs/later")
        let later = try RotatedLog(agent.log("later/app.log"), LineSource("later"))
        for _ in 0..<3 {
            try later.write(50)
            try later.rotate()
        }
        try later.write(50)
        agent.process.signal(SIGCONT)
        try logs.expect(200 + 4_020 + 200, "after a moment without the agent")
        #expect(try agent.stop() == .code(0))
        try logs.rotate()
        try agent.start(wrapper: logs.wrapper)
        try logs.expect(200 + 8_040 + 200, "after downtime")
        #expect(try agent.stop() == .code(0))
        // Nothing of last week, and nothing twice.
        try agent.launch(["run", "--config", agent.config, "--once"], wrapper: logs.wrapper)
        #expect(try agent.process.wait() == .code(0), "\(agent.said)")
        #expect(try AuditCount.of(logs.broker) == 8_440)
        let texts = logs.reader.texts()
        let all = [
            ("copied", logs.copied, 4_120), ("renamed", logs.renamed, 4_120), ("later", later, 200),
        ]
        for (name, log, count) in all {
            #expect(
                difference(texts.filter { $0.hasPrefix("\(name) ") }, log.source.texts(0..<count))
                    == nil, "\(agent.said)")
        }
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
    }
}
