import Glibc
import Platform
import Shipper
import Synchronization
import TestSupport
import Testing

@Suite("No pod takes what its neighbours need", .serialized)
struct FairnessTests {
    /// What is done beside a test, again and again, until it ends.
    private final class Storm: Sendable {
        private let isOver = Atomic(false)
        private let rounds = Atomic(0)
        private let failure = Shared<String?>(nil)
        private let threads = Shared<[SystemThread]>([])

        /// `body` gets the number of its thread.
        init(threads count: Int = 1, _ body: @escaping @Sendable (Int) throws -> Void) throws {
            for number in 0..<count {
                let started = try SystemThread("storm") { [self] in
                    do {
                        while !isOver.load(ordering: .acquiring) {
                            try body(number)
                            rounds.add(1, ordering: .releasing)
                        }
                    } catch {
                        failure.with { $0 = "\(error)" }
                    }
                }
                threads.with { $0.append(started) }
            }
        }

        var count: Int { rounds.load(ordering: .acquiring) }

        func stop() throws {
            isOver.store(true, ordering: .releasing)
            for thread in threads.current { thread.join() }
            if let failure = failure.current { throw Unexpected(description: failure) }
        }
    }

    /// 1. A pod renames one file to and fro. Its name is all digits and dots, which look like rotated
    ///    ones; each event costs the agent more than the pod.
    /// 2. The agent reads events, and nothing else, for as long as that goes on.
    @Test(
        "a pod that renames files all the time does not keep others from being shipped",
        arguments: ["long names", "many directories"])
    func eventStorm(kind: String) throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/*/*.log", kafka: "topic: logs, codec: raw")
        let directories = kind == "many directories" ? 50 : 1
        let name = (0..<240).map { $0 % 2 == 0 ? "." : "1" }.joined()
        let paths = try (0..<directories).map { number in
            let directory = try agent.home.makeDirectory("logs/evil/\(number)")
            try agent.home.write("logs/evil/\(number)/a\(name)", "")
            return (a: "\(directory)/a\(name)", b: "\(directory)/b\(name)")
        }
        try agent.home.write("logs/good/log/app.log", "line 0\n")
        try agent.start()
        try eventually("the first line; \(agent.said)") { reader.count == 1 }
        let storm = try Storm { _ in
            for (a, b) in paths {
                try rename(a, b)
                try rename(b, a)
            }
        }
        defer { #expect(throws: Never.self) { try storm.stop() } }
        // Lines of a log that is there, and of one that appears.
        for line in 1...20 {
            try agent.home.append("logs/good/log/app.log", "line \(line)\n")
            try agent.home.write("logs/good/log/new\(line).log", "new \(line)\n")
            let rounds = storm.count
            try eventually("line \(line) in the storm; \(agent.said)") {
                reader.count == 1 + 2 * line
            }
            try eventually("the storm goes on") { storm.count > rounds }
        }
        try storm.stop()
        #expect(try agent.stop() == .code(0))
        let texts = reader.texts()
        #expect(texts.filter { $0.hasPrefix("line") } == (0...20).map { "line \($0)" })
        #expect(
            texts.filter { $0.hasPrefix("new") }.sorted() == (1...20).map { "new \($0)" }.sorted())
    }

    /// 1. A pod has thousands of files, and makes and removes one more all the time.
    /// 2. Each time all of them were looked at, and everybody waited for that.
    @Test(
        "a busy directory of 3,000 files: others' lines come in between, and no file is looked at for what others do"
    )
    func busyDirectory() throws {
        let files = 3_000
        let broker = try BrokerProcess(topics: ["evil", "good"])
        let reader = try KafkaReader(broker, topics: ["good"])
        let agent = try Agent(
            broker.address, path: "{pod}/*.log", kafka: "topic: \"{pod}\", codec: raw",
            more: "http: {listen: \"127.0.0.1:0\"}")
        let calls = try FailingCalls()
        try agent.home.write("logs/good/app.log", "line 0\n")
        try agent.start(wrapper: calls.wrapper)
        try eventually("the first line; \(agent.said)") { reader.count == 1 }
        for file in 0..<files { try agent.home.write("logs/evil/\(file).log", "one\n") }
        let poke = agent.log("evil/poke.log")
        let storm = try Storm { _ in
            try appendBytes([], to: poke)
            try remove(poke)
            Turn.giveUp()
        }
        defer { #expect(throws: Never.self) { try storm.stop() } }
        for line in 1...20 {
            try agent.home.append("logs/good/app.log", "line \(line)\n")
            try eventually("line \(line); \(agent.said)") { reader.count == 1 + line }
        }
        try eventually("its own; \(agent.said)") {
            try AuditCount.of(broker, topic: "evil") == files
        }
        try storm.stop()
        let address = try agent.address()
        let evil = agent.log("evil")
        let inode = try FileStatus.glance(at: Array(evil.utf8)).inode
        try eventually("it is quiet, and all of it is watched; \(agent.said)") {
            try (Metrics(address)["shipper_watches"] ?? 0) > Double(files)
                && agent.process.isWatching(inode)
        }
        try calls.fail(.counted(.stat, beneath: evil), .counted(.getdents, beneath: evil))
        // Ten listings: each takes two of these.
        while try calls.count(of: .getdents) < 20 {
            let listed = try calls.count(of: .getdents)
            try appendBytes([], to: poke)
            try remove(poke)
            try eventually("it is listed; \(agent.said)") {
                try calls.count(of: .getdents) > listed
            }
        }
        // Meanwhile all may be looked at by the clock, which takes two for each, once in the minute that these
        // listings may take.
        let looks = try calls.count(of: .stat)
        #expect(looks < 4 * files)
        // One that is written to is looked at.
        try agent.home.append("logs/evil/1.log", "two\n")
        try eventually("it is looked at; \(agent.said)") { try calls.count(of: .stat) > looks }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts("good") == (0...20).map { "line \($0)" })
    }

    /// 1. A quiet file has a one-shot watch. The queue of events overflows while it is written to: the
    ///    watch is used up, and nobody hears of it.
    /// 2. A scan finds that line. The watch was believed in ever after, and each further line waited
    ///    for the next scan by the clock.
    @Test("D9: after an overflow a quiet file is woken as before")
    func overflow() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/*.log", kafka: "topic: logs, codec: raw")
        try agent.home.write("logs/quiet/app.log", "line 0\n")
        try agent.home.makeDirectory("logs/busy")
        try agent.start()
        let inode = try FileStatus.glance(at: Array(agent.log("quiet/app.log").utf8)).inode
        func waitForWatch(_ line: Int) throws {
            try eventually("line \(line); \(agent.said)") { reader.count == line + 1 }
            try eventually("the kernel watches it; \(agent.said)") {
                try agent.process.isWatching(inode)
            }
        }
        try waitForWatch(0)
        agent.process.signal(SIGSTOP)
        let text = String(
            decoding: try readFile("/proc/sys/fs/inotify/max_queued_events"), as: UTF8.self)
        let most = try #require(Int(text.filter(\.isNumber)))
        // Two events for each, so that the last of them are lost.
        for number in 0...(most / 2 + 100) {
            let path = agent.log("busy/\(number)")
            try appendBytes([], to: path)
            try remove(path)
        }
        try agent.home.append("logs/quiet/app.log", "line 1\n")
        agent.process.signal(SIGCONT)
        try waitForWatch(1)
        #expect(agent.said.contains("inotify events were lost"))
        for line in 2...3 {
            try agent.home.append("logs/quiet/app.log", "line \(line)\n")
            try waitForWatch(line)
        }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts() == (0...3).map { "line \($0)" })
    }

    @Test(
        "D8: without an inotify instance lines are shipped, and it is said once; check needs none")
    func noInstance() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(broker.address, path: "{pod}/*.log", kafka: "topic: logs, codec: raw")
        try agent.home.write("logs/old/app.log", "line 0\n")
        let refusing = try refusing("inotify_init1")
        let check = try agent.launch(["check", "--config", agent.config], wrapper: refusing)
        #expect(try check.wait() == .code(0))
        #expect(check.output.contains("matches 1 file now"), "\(check.output)")
        #expect(check.errors.isEmpty, "\(check.errors)")
        try agent.start(wrapper: refusing)
        try eventually("the first line; \(agent.said)") { reader.count == 1 }
        for line in 1...3 {
            try agent.home.append("logs/old/app.log", "line \(line)\n")
            try agent.home.write("logs/new\(line)/app.log", "new \(line)\n")
            try eventually("line \(line); \(agent.said)") { reader.count == 1 + 2 * line }
        }
        let said = agent.process.errors.split(separator: "\n").filter { $0.contains("inotify") }
        #expect(said.count == 1, "\(said)")
        #expect(said.first?.contains("inotify cannot be used; scanning everything") == true)
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts().filter { $0.hasPrefix("line") } == (0...3).map { "line \($0)" })
    }

    @Test(
        "limits.watches: a pod with very many directories is scanned, and its neighbours are watched"
    )
    func watches() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "**/*.log", kafka: "topic: logs, codec: raw",
            more: """
                limits: {watches: 100}
                http: {listen: "127.0.0.1:0"}
                """)
        for number in 0..<1_000 { try agent.home.makeDirectory("logs/evil/\(number)") }
        try agent.start()
        let address = try agent.address()
        try eventually("all are scanned; \(agent.said)") {
            try Metrics(address)["shipper_directories"] == 1_002
        }
        for pod in 0..<3 {
            try agent.home.write("logs/good/\(pod)/log/app.log", "line \(pod)\n")
            try eventually("line \(pod); \(agent.said)") { reader.count == pod + 1 }
        }
        try eventually("the figures; \(agent.said)") {
            let metrics = try Metrics(address)
            return metrics["shipper_directories"] == 1_009
                && metrics["shipper_directories_unwatched"] ?? 0 >= 909
        }
        let metrics = try Metrics(address)
        #expect(metrics["shipper_watches"] ?? .infinity <= 100)
        #expect(metrics["shipper_watches_limit"] == 100)
        let said = agent.process.errors.split(separator: "\n").filter { $0.contains("watches") }
        #expect(said.count == 1 && said[0].contains("most_in=\(agent.log("evil")) "), "\(said)")
        // What nobody watches is shipped too.
        try agent.home.write("logs/evil/999/app.log", "line 3\n")
        try eventually("line 3; \(agent.said)") { reader.count == 4 }
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts() == (0...3).map { "line \($0)" })
    }
}

extension ChildProcess {
    /// Whether one of its inotify instances has a watch on the file with this number, as the kernel says.
    fileprivate func isWatching(_ inode: UInt64) throws -> Bool {
        let word = " ino:\(String(inode, radix: 16)) "
        return try directoryNames("/proc/\(pid)/fdinfo").contains { name in
            do throws(SystemError) {
                let text = String(
                    decoding: try readFile("/proc/\(pid)/fdinfo/\(name)"), as: UTF8.self)
                return text.contains(word)
            } catch {
                // It was closed since it was listed.
                return false
            }
        }
    }
}
