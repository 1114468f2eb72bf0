import Kafka
import Platform
import Shipper
import TestSupport
import Testing

@Suite("Descriptors are few, and every line still arrives once", .serialized)
struct DescriptorTests {
    private func line(_ file: Int, _ round: Int) -> String { "file \(file) round \(round)" }

    /// Each file's lines, once each and in order.
    private func audit(_ texts: [String], files: Int, rounds: Int) {
        var next = [Int](repeating: 0, count: files)
        var wrong: [String] = []
        for text in texts {
            let words = text.split(separator: " ")
            guard words.count == 4, let file = Int(words[1]), next.indices.contains(file),
                text == line(file, next[file])
            else {
                wrong.append(text)
                continue
            }
            next[file] += 1
        }
        #expect(wrong.isEmpty, "\(wrong.count) come again or out of order: \(wrong.prefix(10))")
        let missing = next.filter { $0 != rounds }.count
        #expect(missing == 0, "\(missing) files are not complete")
    }

    @Test(
        "T27: 500 files that grow under ulimit -n 128: each line once, nobody short of descriptors")
    func fewDescriptors() throws {
        let (files, rounds) = (500, 6)
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/*.log", kafka: "topic: logs, codec: raw",
            more: "http: {listen: \"127.0.0.1:0\"}")
        func append(_ round: Int) throws {
            for file in 0..<files {
                try agent.home.append("logs/\(file % 25)/\(file).log", line(file, round) + "\n")
            }
        }
        for pod in 0..<25 { try agent.home.makeDirectory("logs/\(pod)") }
        try append(0)
        try agent.start(wrapper: withDescriptors(128))
        #expect(agent.said.contains(" open_files=50"), "\(agent.said)")
        var most = 0
        for round in 1...rounds {
            try eventually("round \(round) of every file; \(agent.said)") {
                most = max(
                    most, try agent.process.openFiles(beneath: agent.home.path("logs")).count)
                return reader.count >= files * round
            }
            if round < rounds { try append(round) }
        }
        // The descriptors of a look, beside those of the files: a directory, and a name in it.
        #expect(most > 20 && most <= 50 + 8, "\(most)")
        #expect(try agent.stop() == .code(0))
        audit(reader.texts(), files: files, rounds: rounds)
        let entries = try agent.registry()
        #expect(entries.count == files)
        #expect(entries.allSatisfy { $0.lag == 0 && $0.offset > 0 && $0.state == "active" })
        for complaint in ["Too many open files", "no broker", "bytes lost", "cannot be"] {
            #expect(!agent.said.contains(complaint), "\(agent.said)")
        }
        // And nothing again.
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(reader.count == files * rounds)
    }

    @Test("100 files, 16 descriptors: renamed and deleted between rounds, each line arrives once")
    func rotated() throws {
        let (files, rounds) = (100, 5)
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "limits: {open_files: 16}")
        try agent.start()
        for round in 0..<rounds {
            for file in 0..<files {
                let path = agent.log("\(file).log")
                switch (round + file) % 4 {
                case 1 where round > 0: try rename(path, "\(path).\(round)")
                case 2 where round > 0: try remove(path)
                default: break
                }
                try appendBytes(Array((line(file, round) + "\n").utf8), to: path)
            }
            try eventually("round \(round) of every file; \(agent.said)") {
                reader.count >= files * (round + 1)
            }
        }
        try eventually("what was deleted leaves the registry; \(agent.said)") {
            try agent.registry().filter { $0.path.hasSuffix(".log") }.count == files
        }
        #expect(try agent.stop() == .code(0))
        audit(reader.texts(), files: files, rounds: rounds)
        #expect(!agent.said.contains("bytes lost"), "\(agent.said)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(reader.count == files * rounds)
    }

    @Test(
        "T26: closed while idle, grown and opened again while the broker answers 2 s late: 5,008 lines"
    )
    func idleClose() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "limits: {open_files: 16}")
        let path = agent.log("a.log")
        try agent.start()
        // A line first, so that the topic and its leader are known before answers come late.
        try agent.home.append("logs/first.log", "first\n")
        try eventually("the first line; \(agent.said)") { reader.count == 1 }
        try broker.setRoundTrip(milliseconds: 2000)
        let source = LineSource("w")
        try appendBytes(source.lines(0..<5_000), to: path)
        var fillers = 0
        var written = 5_000
        for _ in 0..<4 {
            // Twenty others that grow need the sixteen descriptors.
            try eventually("a.log is closed, \(fillers); \(agent.said)") {
                for number in 0..<20 {
                    try agent.home.append("logs/filler-\(number).log", "filler\n")
                }
                fillers += 20
                return try agent.entry("a.log") != nil
                    && !agent.process.openFiles(beneath: agent.home.path("logs")).contains(path)
            }
            try appendBytes(source.lines(written..<written + 2), to: path)
            written += 2
            // Those of the first round follow what is still on its way.
            let last = String(decoding: source.line(written - 1), as: UTF8.self)
            try eventually("a.log is read on; \(agent.said)") { reader.texts().contains(last) }
        }
        try eventually("all lines; \(agent.said)") { reader.count >= 1 + written + fillers }
        try broker.setRoundTrip(milliseconds: 0)
        #expect(try agent.stop() == .code(0))
        let expected = String(decoding: source.lines(0..<written), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        #expect(written == 5_008)
        #expect(reader.texts().filter { $0 != "filler" && $0 != "first" } == expected)
        #expect(reader.count == 1 + written + fillers)
    }

    @Test("where no watch is to be had, a closed file that grows is still noticed")
    func unwatched() throws {
        let (files, rounds) = (60, 4)
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "limits: {open_files: 16}")
        try agent.start(wrapper: try refusing("inotify_add_watch"))
        for round in 0..<rounds {
            for file in 0..<files {
                try agent.home.append("logs/\(file).log", line(file, round) + "\n")
            }
            try eventually("round \(round) of every file; \(agent.said)") {
                reader.count >= files * (round + 1)
            }
        }
        #expect(agent.said.contains("Operation not permitted"), "\(agent.said)")
        #expect(try agent.stop() == .code(0))
        audit(reader.texts(), files: files, rounds: rounds)
    }

    @Test(
        "T28: a closed file that may not be opened again is no deleted file: named once, kept, read later"
    )
    func closedAndForbidden() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "*.log", kafka: "topic: logs, codec: raw",
            more: "limits: {open_files: 16}")
        let path = agent.log("a.log")
        try agent.home.append("logs/a.log", "one\n")
        // As root would after giving up every right beyond a user's.
        try agent.start(wrapper: [
            try findProgram("setpriv", package: "util-linux"), "--inh-caps=-all",
            "--bounding-set=-all",
        ])
        try eventually("the first line; \(agent.said)") { reader.count == 1 }
        var fillers = 0
        try eventually("a.log is closed; \(agent.said)") {
            for number in 0..<20 { try agent.home.append("logs/filler-\(number).log", "filler\n") }
            fillers += 20
            return try !agent.process.openFiles(beneath: agent.home.path("logs")).contains(path)
        }
        try setMode(path, 0)
        try agent.home.append("logs/a.log", "two\n")
        let complaint = "file cannot be read; trying again path=\(path) "
        try eventually("the complaint; \(agent.said)") { agent.said.contains(complaint) }
        // The others need the descriptors again and again, and the complaint is not repeated.
        for _ in 0..<5 {
            for number in 0..<20 { try agent.home.append("logs/filler-\(number).log", "filler\n") }
            fillers += 20
            try eventually("the others go on; \(agent.said)") { reader.count == 1 + fillers }
        }
        #expect(agent.said.split(separator: complaint).count == 2, "\(agent.said)")
        #expect(try agent.entry("a.log")?.offset == 4)
        try setMode(path, 0o644)
        try eventually("it is read on; \(agent.said)") { reader.texts().contains("two") }
        #expect(agent.said.contains("file can be read again path=\(path)"), "\(agent.said)")
        #expect(try agent.stop() == .code(0))
        #expect(reader.texts().filter { $0 != "filler" } == ["one", "two"])
        #expect(!agent.said.contains("bytes lost"))
    }
}
