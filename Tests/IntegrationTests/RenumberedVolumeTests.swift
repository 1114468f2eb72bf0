import Glibc
import Platform
import Shipper
import TestSupport
import Testing

@Suite(
    "A volume that is mounted under another device number",
    .enabled(if: PrivateMounts.permitted, "\(PrivateMounts.needed)"))
struct RenumberedVolumeTests {
    /// 1. A volume is detached while the agent runs. Another one is mounted there for a while, whose log has the same
    ///    inode number.
    /// 2. The first one comes back, with lines that were written elsewhere.
    @Test(
        "detached and attached while the agent runs: each file goes on where it was, under its ids",
        arguments: LogPair.all)
    fileprivate func whileRunning(log: LogPair) throws {
        try PrivateMounts.run {
            let story = try RenumberedStory(log)
            let (live, home) = ("\(story.place)/\(log.live)", story.agent.home)
            try story.mount("volume", at: story.place)
            try story.start()
            try story.ship("one", to: live)
            let inode = try Descriptor.open(live, O_RDONLY).status().inode
            try rename(live, "\(story.place)/\(log.earlier)")
            try story.ship("two", to: live)
            try eventually("all is saved") {
                try story.agent.registry().allSatisfy { $0.lag == 0 }
            }
            let before = try story.agent.registry()
            var devices = Set([try story.device(story.place)])
            try story.detach()

            let away = home.path("pod/volume")
            try story.mount("other", at: away, not: devices)
            devices.insert(try story.device(away))
            try story.write("other", to: "\(away)/\(log.live)")
            try story.need(
                try Descriptor.open("\(away)/\(log.live)", O_RDONLY).status().inode == inode)
            try story.attach()
            try story.expect(10, after: 20, "other")
            try story.detach()

            try story.mount("volume", at: away, not: devices)
            try story.write("left", to: "\(away)/\(log.live)")
            try story.attach()
            try story.expect(10, after: 30, "left")
            try story.ship("three", to: live)
            try story.verify(50, before)
            try story.clean()
        }
    }

    /// 1. The node starts anew: the agent runs before the volume is mounted, and somebody logs where it will be.
    /// 2. The volume is mounted, and its device has another number than when it was read.
    @Test(
        "mounted after the agent has found the directory without it: each file goes on where it was, under its ids",
        arguments: LogPair.all)
    fileprivate func afterStart(log: LogPair) throws {
        try PrivateMounts.run {
            let story = try RenumberedStory(log)
            let (live, home) = ("\(story.place)/\(log.live)", story.agent.home)
            // A way to the mount point when something is mounted there.
            try home.makeDirectory("beneath")
            try PrivateMounts.bind(story.place, at: home.path("beneath"))
            try story.mount("volume", at: story.place)
            try story.start()
            try story.ship("one", to: live)
            try rename(live, "\(story.place)/\(log.earlier)")
            try story.ship("two", to: live)
            try story.need(try story.agent.stop() == .code(0))
            let before = try story.agent.registry()
            let devices = Set([try story.device(story.place)])
            try story.write("left", to: live)
            try PrivateMounts.unmount(story.place)

            try story.start()
            try story.ship("stray", to: live)
            try story.mount("volume", at: story.place, not: devices)
            // What happens at the mount point has the agent look there.
            try home.write("beneath/news", "")
            try story.expect(10, after: 30, "left")
            try story.ship("three", to: live)
            try story.verify(50, before)
            try PrivateMounts.unmount(home.path("beneath"))
            try story.clean()
        }
    }
}

/// A log on a volume whose device has another number each time that it is mounted, with an earlier file of it beside
/// it.
private struct RenumberedStory {
    let broker: BrokerProcess
    let reader: KafkaReader
    let agent: Agent
    let log: LogPair

    init(_ log: LogPair) throws {
        self.log = log
        broker = try BrokerProcess(topics: ["logs"])
        reader = try KafkaReader(broker)
        agent = try Agent(broker.address, path: "**/\(log.live)")
        for volume in ["volume", "other"] {
            try agent.home.makeDirectory(volume)
            try PrivateMounts.mount(agent.home.path(volume), bytes: 1 << 20)
            for part in ["lower", "upper", "work"] {
                try agent.home.makeDirectory("\(volume)/\(part)")
            }
            // With the same inode number on both: mounting may take some.
            try agent.home.write("\(volume)/upper/\(log.live)", "")
        }
        try agent.home.makeDirectory("logs/pod/volume")
        try agent.home.makeDirectory("mounts")
    }

    /// Where the volume is mounted, if the pod is there.
    var place: String { agent.log("pod/volume") }

    func device(_ path: String) throws -> UInt64 {
        try Descriptor.open(path, O_RDONLY | O_DIRECTORY).status().device
    }

    /// Mounts a volume on a directory with another number than the one it had.
    func mount(_ volume: String, at place: String, not old: Set<UInt64> = []) throws {
        for round in 0..<100 {
            try PrivateMounts.overlay(agent.home.path(volume), at: place)
            if try !old.contains(device(place)) { return }
            try PrivateMounts.unmount(place)
            // Somebody else has that number now.
            let name = "mounts/\(volume)-\(old.count)-\(round)"
            try agent.home.makeDirectory(name)
            try PrivateMounts.mount(agent.home.path(name), bytes: 4096)
        }
        try need(false)
    }

    func start() throws { try agent.start(wrapper: try PrivateMounts.wrapper()) }

    func write(_ name: String, _ count: Int = 10, to path: String) throws {
        try appendBytes(LineSource(name).lines(0..<count), to: path)
    }

    /// Waits until so many lines more have come, and nothing else.
    func expect(_ count: Int, after before: Int, _ what: String) throws {
        try eventually("the lines of \(what); \(agent.said)") { reader.count >= before + count }
        try need(reader.count == before + count)
    }

    /// Writes to a log and waits until that has come.
    func ship(_ name: String, to path: String) throws {
        let before = reader.count
        try write(name, to: path)
        try expect(10, after: before, name)
    }

    func need(_ isSo: Bool, line: Int = #line) throws {
        if !isSo {
            throw Unexpected(
                description: "line \(line): \(try reader.messages()) \(agent.said)")
        }
    }

    /// The pod with everything in it is gone, and nothing of it is open.
    func detach() throws {
        try PrivateMounts.unmount(place)
        try rename(agent.log("pod"), agent.home.path("pod"))
        let pid = agent.process.pid
        try eventually("nothing of it is open; \(agent.said)") {
            try directoryNames("/proc/\(pid)/fd").allSatisfy { name in
                guard let text = linkTarget("/proc/\(pid)/fd/\(name)") else { return true }
                return !text.hasSuffix(log.live) && !text.hasSuffix(log.earlier)
            }
        }
    }

    func attach() throws { try rename(agent.home.path("pod"), agent.log("pod")) }

    /// No mount is left.
    func clean() throws {
        try PrivateMounts.unmount(place)
        for name in try directoryNames(agent.home.path("mounts")) {
            try PrivateMounts.unmount(agent.home.path("mounts/\(name)"))
        }
        for volume in ["volume", "other"] { try PrivateMounts.unmount(agent.home.path(volume)) }
    }

    /// Every line came once, none was told as lost, and each file has the ids that it had.
    func verify(_ count: Int, _ before: [Agent.Entry]) throws {
        try need(try agent.stop() == .code(0))
        let last = try agent.launch(
            ["run", "--config", agent.config, "--once"], wrapper: try PrivateMounts.wrapper())
        try need(try last.wait() == .code(0))
        try need(try AuditCount.of(broker) == count)
        try need(Set(try reader.messages()).count == count)
        let documents = try reader.records.map { try $0.document() }
        try need(Set(documents.map(\.metadata.id)).count == count)
        let now = try agent.registry()
        try need(before.count == 2)
        try need(Set(now.map(\.generation)).isSuperset(of: before.map(\.generation)))
        let generations = Dictionary(grouping: documents) { $0.message.prefix { $0 != " " } }
            .mapValues { Set($0.map { $0.metadata.id.prefix(16) }) }
        try need(generations["two"]?.count == 1)
        try need(generations["two"] == generations["left"])
        try need(generations["two"] == generations["three"])
        try need(!agent.said.contains(" bytes lost"))
    }
}
