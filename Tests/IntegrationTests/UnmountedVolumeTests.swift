import Platform
import Shipper
import TestSupport
import Testing

@Suite(
    "A volume that is not mounted for a while: what is on it stays known",
    .enabled(if: PrivateMounts.permitted, "\(PrivateMounts.needed)"))
struct UnmountedVolumeTests {
    @Test(
        "unmounted while no agent runs, with a log of that name where it was: read on after the next mount",
        // Where files have no handles, what was bound looks as if it had been removed.
        arguments: VolumeStory.Kind.allCases.filter { $0 == .volume || MachineFacts.hasHandles },
        LogPair.all)
    fileprivate func whileDown(kind: VolumeStory.Kind, log: LogPair) throws {
        try PrivateMounts.run {
            let story = try VolumeStory(kind, log)
            try story.start()
            try story.write("one")
            try story.rotate()
            try story.write("two")
            try story.stop()
            try appendBytes(LineSource("left").lines(0..<5), to: story.agent.log("pod/\(log.live)"))
            try story.unmount()
            try story.start()
            try story.write("stray")
            try story.stop()
            try story.mount()
            try story.start()
            try eventually("what was left; \(story.agent.said)") { story.reader.count >= 35 }
            try story.need(story.reader.count == 35)
            try story.write("three")
            try story.verify(45)
        }
    }

    /// 1. An agent reads a log. A volume is mounted over its directory, and has a log of that name.
    /// 2. The volume is unmounted and mounted again.
    /// 3. Of none of that an event tells, and the clock would not look for most of a minute.
    @Test(
        "mounted over what a running agent reads, unmounted and mounted again: lines come at once, each once",
        arguments: VolumeStory.Kind.allCases, LogPair.all)
    fileprivate func whileRunning(kind: VolumeStory.Kind, log: LogPair) throws {
        try PrivateMounts.run {
            let story = try VolumeStory(kind, log)
            try story.unmount()
            try story.start()
            try story.write("beneath")
            try story.mount()
            try story.writeBeforeTheClock("mounted")
            try story.unmount()
            try story.writeBeforeTheClock("uncovered")
            try story.mount()
            try story.writeBeforeTheClock("again")
            try story.verify(40)
        }
    }

    @Test(
        "mounted over all that an agent reads: its lines come at once, in directories that had these names, too"
    )
    func overAll() throws {
        try PrivateMounts.run {
            let story = try VolumeStory(.volume, LogPair.all[0])
            try story.start()
            try story.write("before")
            try story.agent.home.makeDirectory("other")
            try PrivateMounts.mount(story.agent.home.path("other"), bytes: 1 << 20)
            try story.agent.home.makeDirectory("other/pod")
            try PrivateMounts.bind(story.agent.home.path("other"), at: story.agent.log(""))
            try story.writeBeforeTheClock("over")
            try PrivateMounts.unmount(story.agent.log(""))
            try story.writeBeforeTheClock("after")
            try story.verify(30)
            try PrivateMounts.unmount(story.agent.home.path("other"))
        }
    }
}

/// A log on a volume, with an earlier file of it beside it.
private struct VolumeStory {
    enum Kind: CaseIterable {
        /// The volume is a file system of its own.
        case volume
        /// It is a directory of the same file system, bound to where it is.
        case bound
    }
    let broker: BrokerProcess
    let reader: KafkaReader
    let agent: Agent
    let kind: Kind
    let log: LogPair

    init(_ kind: Kind, _ log: LogPair) throws {
        self.kind = kind
        self.log = log
        broker = try BrokerProcess(topics: ["logs"])
        reader = try KafkaReader(broker)
        agent = try Agent(
            broker.address, path: "**/\(log.live)", kafka: "topic: logs, codec: raw")
        try agent.home.makeDirectory("volume")
        try agent.home.makeDirectory("logs/pod")
        if kind == .volume { try PrivateMounts.mount(agent.home.path("volume"), bytes: 1 << 20) }
        try mount()
    }

    func mount() throws { try PrivateMounts.bind(agent.home.path("volume"), at: agent.log("pod")) }
    func start() throws { try agent.start(wrapper: try PrivateMounts.wrapper()) }
    func unmount() throws { try PrivateMounts.unmount(agent.log("pod")) }

    /// Writes to a log and waits until that has come, and nothing else.
    func write(_ name: String) throws {
        let count = reader.count
        try appendBytes(
            LineSource(name).lines(0..<10), to: agent.log("pod/\(log.live)"))
        try eventually("the lines of \(name); \(agent.said)") { reader.count >= count + 10 }
        try need(reader.count == count + 10)
    }

    /// As soon as it is heard of, and long before the clock would find it.
    func writeBeforeTheClock(_ name: String) throws {
        let clock = ContinuousClock()
        let start = clock.now
        try write(name)
        try need(clock.now - start < .seconds(30))
    }

    func rotate() throws {
        try rename(
            agent.log("pod/\(log.live)"), agent.log("pod/\(log.earlier)"))
    }

    func need(_ isSo: Bool, line: Int = #line) throws {
        if !isSo { throw Unexpected(description: "line \(line): \(reader.texts()) \(agent.said)") }
    }

    func stop() throws {
        let end = try agent.stop()
        guard end == .code(0) else {
            throw Unexpected(description: "it ended with \(end): \(agent.said)")
        }
    }

    /// No line came twice, and none was told as lost; but for what nobody can tell from what was moved away.
    func verify(_ count: Int) throws {
        try stop()
        let last = try agent.launch(
            ["run", "--config", agent.config, "--once"], wrapper: try PrivateMounts.wrapper())
        try need(try last.wait() == .code(0))
        try need(try AuditCount.of(broker) == count)
        try need(Set(reader.texts()).count == count)
        try need(kind == .bound || !agent.said.contains(" bytes lost"))
        try unmount()
        if kind == .volume { try PrivateMounts.unmount(agent.home.path("volume")) }
    }
}
