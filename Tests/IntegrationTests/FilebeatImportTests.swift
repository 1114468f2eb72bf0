import Platform
import Registry
import TestSupport
import Testing

@Suite("R7: shipper registry import filebeat")
struct FilebeatImportTests {
    @Test(
        "R7: files that Filebeat read in part go on where it stopped: each later line once, none before"
    )
    func big() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        let content = try FilebeatHome.fixture("big/app.log")
        let all = Array(repeatElement(content, count: 1_500).joined())
        for file in 0..<4 { try agent.home.write("logs/\(file).log", all) }
        let filebeat = FilebeatHome(agent: agent)
        // As a crash would leave it, in the middle of an operation.
        try filebeat.capture("big") { Array($0.prefix(500_000)) }
        // What the last whole operations of those say, on top of the checkpoint's older positions.
        let offsets = [1_713_969, 1_785_595, 1_819_500, 1_778_917]

        let dry = try filebeat.takeOver(["--dry-run"])
        #expect(dry.exit == .code(0) && dry.errors.isEmpty, "\(dry.errors)")
        #expect(try agent.home.names() == ["filebeat", "logs", "shipper.yaml"])
        let done = try filebeat.takeOver()
        #expect(done.exit == .code(0) && done.errors.isEmpty, "\(done.errors)")
        // Where the torn operation begins depends on this file system's numbers of inodes and devices.
        let log = try readFile(filebeat.path + "/registry/filebeat/log.json")
        let lines = log.split(separator: 0x0A, omittingEmptySubsequences: false)
        let operation = Array(#"{"op":"#.utf8)
        let torn = try #require(lines.lastIndex { $0.starts(with: operation) })
        let rest = Array(lines[torn...].joined(separator: [0x0A])).count
        #expect(
            done.output.hasPrefix(
                "log.json: byte \(log.count - rest): no valid JSON; "
                    + "the last \(rest) bytes are left out\n"), "\(done.output)")
        #expect(dry.output == done.output.dropLast(1) + " -- nothing was changed (--dry-run)\n")
        let entries = try agent.registry()
        #expect(entries.map(\.path) == (0..<4).map { agent.log("\($0).log") })
        #expect(entries.map(\.offset) == offsets)

        let reader = try KafkaReader(broker)
        #expect(try agent.once() == .code(0), "\(agent.said)")
        let expected = offsets.reduce(0) { sum, offset in
            sum + all[offset...].count { $0 == 0x0A }
        }
        try eventually("\(expected) lines") { reader.count >= expected }
        #expect(try AuditCount.of(broker) == expected)
        for (file, offset) in offsets.enumerated() {
            let records = try reader.records.map { try $0.document() }
                .filter { $0.log.file.path == agent.log("\(file).log") }
            // Each line that begins at the position or after it, in order, and nothing else.
            var starts: [Int] = []
            for index in offset..<all.count where index == 0 || all[index - 1] == 0x0A {
                starts.append(index)
            }
            #expect(records.map(\.log.offset) == starts)
            for record in records.prefix(40) {
                let line = all[record.log.offset...].prefix { $0 != 0x0A }
                #expect(Array(record.message.utf8) == Array(line))
            }
        }
        #expect(try agent.registry().allSatisfy { $0.lag == 0 })
    }

    /// An agent with these files, none of which is shipped anywhere, and a Filebeat beside it.
    private func agent(
        _ files: [String: String], path: String = "*.log", input: String = ""
    ) throws -> (Agent, FilebeatHome) {
        let agent = try Agent("127.0.0.1:1", path: path, input: input)
        for (name, text) in files { try agent.home.write("logs/\(name)", text) }
        return (agent, FilebeatHome(agent: agent))
    }

    @Test(
        "R7: what Filebeat 7.17 wrote of its inputs log, container and filestream is taken over",
        arguments: [
            ("log-input", ["app.log": 1213]),
            ("two-inputs", ["a.log": 1213, "b.log": 118, "c.log": 238]),
            ("container-cri", ["orders-0_shop_app-0123456789abcdef.log": 343]),
        ])
    func captured(name: String, offsets: [String: Int]) throws {
        let (agent, filebeat) = try agent([:])
        for file in offsets.keys {
            try agent.home.write("logs/\(file)", FilebeatHome.fixture("\(name)/input/\(file)"))
        }
        try filebeat.capture(name)
        // The data directory, and what is in it.
        for directory in ["", "/registry", "/registry/filebeat", "/registry/filebeat/"] {
            let dry = try filebeat.takeOver(["--dry-run"], directory: filebeat.path + directory)
            #expect(dry.exit == .code(0), "\(dry.errors)")
            #expect(dry.output.contains("\(offsets.count) file"), "\(dry.output)")
        }
        let done = try filebeat.takeOver()
        #expect(done.exit == .code(0) && done.errors.isEmpty, "\(done.errors)")
        let found = try agent.registry().map { ($0.path, $0.offset) }
        #expect(
            Dictionary(uniqueKeysWithValues: found)
                == Dictionary(uniqueKeysWithValues: offsets.map { (agent.log($0.key), $0.value) }))
        // A second time changes nothing.
        let again = try filebeat.takeOver()
        #expect(again.exit == .code(0))
        #expect(again.output.contains("left as it is: known already, delivered up to "))
        #expect(try agent.registry().map(\.offset) == found.map(\.1))
    }

    @Test(
        "R7: a row that knows only a path is taken over if the file is older than it, or on demand")
    func paths() throws {
        let (agent, filebeat) = try agent(["b.log": ""])
        for file in ["a.log", "b.log"] {
            try agent.home.write(
                "logs/\(file)", FilebeatHome.fixture("path-identity/input/\(file)"))
        }
        // Those rows are of a time before these files.
        try filebeat.capture("path-identity")
        let refused = try filebeat.takeOver()
        #expect(
            refused.output.hasSuffix(
                "0 files taken over, 0 bytes of them left to ship; 2 not taken over\n"))
        #expect(refused.line("a.log").contains("--trust-paths takes it over"))
        #expect(try agent.registry().isEmpty)
        let trusted = try filebeat.takeOver(["--trust-paths"])
        #expect(trusted.exit == .code(0))
        #expect(try agent.registry().map(\.offset) == [1213, 118])

        let (other, second) = try self.agent(["a.log": "one\ntwo\n"])
        let path = other.log("a.log")
        try second.write([
            second.stream("path", path, path, 4, updated: 4_000_000_000)
        ])
        let proven = try second.takeOver()
        #expect(proven.line("a.log").hasSuffix("taken over"), "\(proven.output)")
        #expect(try other.registry().map(\.offset) == [4])
    }

    @Test("R7: what is not provably the same file is listed with its reason and not taken over")
    func refusals() throws {
        let (agent, filebeat) = try agent([
            "good.log": "one\ntwo\nthree\n", "short.log": "one\n", "middle.log": "one two three\n",
            "reused.log": "one\ntwo\n", "twice.log": "one\ntwo\nthree\n", "deep/other.log": "x\n",
            "mixed.log": "one\ntwo\n", "empty.log": "",
        ])
        let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try agent.home.write("logs/app.log", "app\n")
        try agent.home.write("logs/app.log.1.gz", gzip)
        try makeLink(agent.log("link.log"), to: agent.log("good.log"))
        let status = try FileStatus.glance(at: Array(agent.log("reused.log").utf8))
        let digest = String(repeating: "00", count: 32)
        try filebeat.write([
            filebeat.native("good.log", 8), filebeat.native("short.log", 5),
            filebeat.native("middle.log", 4), filebeat.native("twice.log", 8),
            (
                "filestream::second" + filebeat.native("twice.log", 4).key.dropFirst(15),
                filebeat.native("twice.log", 4).value
            ),
            filebeat.native("deep/other.log", 2), filebeat.native("app.log.1.gz", 4),
            filebeat.native("mixed.log", 4),
            (
                "filestream::second" + filebeat.native("mixed.log", 9).key.dropFirst(15),
                filebeat.native("mixed.log", 9).value
            ),
            filebeat.stream("native", "1-\(status.device)", agent.log("reused.log"), 4),
            filebeat.stream("native", "2-\(status.device)", agent.log("gone.log"), 4),
            filebeat.stream("native", "3-\(status.device)", agent.log("link.log"), 4),
            filebeat.stream("fingerprint", digest, agent.log("good.log"), 4),
            filebeat.native("empty.log", 0),
            ("httpjson::x::y", "{}"),
        ])
        let done = try filebeat.takeOver()
        #expect(done.exit == .code(0) && done.errors.isEmpty, "\(done.errors)")
        func reason(_ name: String, _ reason: String) {
            let line = done.line(name)
            #expect(line.contains("not taken over: \(reason)"), "\(line)")
        }
        #expect(
            done.output.split(separator: "\n").contains {
                $0.contains("good.log ") && $0.hasSuffix("8    14     6  taken over")
            })
        #expect(
            done.line("twice.log").hasSuffix(
                "taken over (2 rows, up to 8: the smallest position counts)"))
        reason("short.log", "is shorter than what Filebeat has read of it (5 bytes)")
        reason("middle.log", "has no end of a line where Filebeat stopped (at byte 4)")
        // One of its two rows does not fit, so the other one is not believed.
        reason("mixed.log", "is shorter than what Filebeat has read of it (9 bytes)")
        reason("reused.log", "another file is there now: inode \(status.inode) of device")
        reason("gone.log", "is gone, and no file that an input matches is it")
        reason("link.log", "is a symbolic link; an input has to match where it leads")
        reason("deep/other.log", "no input of the configuration matches it")
        reason("app.log.1.gz", "is compressed, and Filebeat's position is not of its content")
        #expect(done.output.contains("no file that an input matches begins with the 1024 bytes"))
        reason("httpjson::x::y", "is of the input httpjson, which reads no files")
        #expect(
            done.output.hasSuffix(
                "3 files taken over, 16 bytes of them left to ship; 10 not taken over\n"))
        let offsets = try agent.registry().map { [$0.path, "\($0.offset)"] }
        #expect(
            offsets == [
                [agent.log("empty.log"), "0"], [agent.log("good.log"), "8"],
                [agent.log("twice.log"), "4"],
            ])
    }

    @Test(
        "R7: a file made after Filebeat had written last is another one with the same inode number")
    func reused() throws {
        let (agent, filebeat) = try agent(["a.log": "one\n"])
        try filebeat.write([filebeat.native("a.log", 4)])
        let first = try FileStatus.glance(at: Array(agent.log("a.log").utf8)).modified
        try eventually("the clock of the file system moves on") {
            try agent.home.write("logs/later.log", "one\ntwo\n")
            let later = try FileStatus.glance(at: Array(agent.log("later.log").utf8)).modified
            if later > first { return true }
            try remove(agent.log("later.log"))
            return false
        }
        let row = try filebeat.native("later.log", 4)
        // Both rows are in a registry that is older than the second file.
        let log = try readFile(agent.home.path("filebeat/registry/filebeat/log.json"))
        let more = "{\"op\":\"set\",\"id\":2}\n{\"k\":\"\(row.key)\",\"v\":\(row.value)}\n"
        let path = agent.home.path("filebeat/registry/filebeat/log.json")
        try agent.home.write("filebeat/registry/filebeat/log.json", log + Array(more.utf8))
        try setModified(path, like: agent.log("a.log"))
        let done = try filebeat.takeOver()
        #expect(
            done.line("later.log").contains("was made after Filebeat had written its registry last")
        )
        #expect(try agent.registry().map(\.path) == [agent.log("a.log")])
    }

    @Test(
        "R7: any number in any field of a row is taken for what it says or left alone, and no more")
    func extremes() throws {
        let names = (0..<OutsideNumbers.texts.count).map { "\($0).log" }
        let content = "one\ntwo\n"
        for key in [
            "offset", "inode", "device", "seconds", "fraction", "ttl",
        ] {
            let (agent, filebeat) = try agent(
                Dictionary(uniqueKeysWithValues: names.map { ($0, content) }))
            let rows = try zip(names, OutsideNumbers.texts).map { name, number in
                let status = try FileStatus.glance(at: Array(agent.log(name).utf8))
                func value(_ of: String, _ usual: some BinaryInteger) -> String {
                    of == key ? number : "\(usual)"
                }
                let (inode, device) = (
                    value("inode", status.inode), value("device", status.device)
                )
                return (
                    key: "filebeat::logs::native::\(inode)-\(device)",
                    value: #"{"source":"\#(agent.log(name))","offset":\#(value("offset", 4)),"#
                        + #""ttl":\#(value("ttl", -1)),"type":"log","#
                        + #""FileStateOS":{"inode":\#(inode),"device":\#(device)},"#
                        + #""identifier_name":"native","#
                        + #""timestamp":[\#(value("fraction", 1)),\#(value("seconds", 4_000_000_000))]}"#
                )
            }
            try filebeat.write(rows)
            let done = try filebeat.takeOver()
            #expect(done.exit == .code(0), "\(key): \(done.errors)")
            for entry in try agent.registry() {
                #expect([0, 4].contains(entry.offset), "\(key): \(entry.path)")
            }
            if key == "offset" {
                #expect(try agent.registry().map(\.offset) == [0], "\(done.output)")
            }
        }
    }

    @Test("R7: a fingerprint and an inode's marker find a file that was renamed")
    func otherIdentities() throws {
        let head = String(repeating: "0123456789abcdef\n", count: 70)
        let (agent, filebeat) = try agent([
            "app.log": "new\n", "app.log.1": head + "rest\n", "b.log": head + "b\n",
            "c.log": "one\ntwo\n",
        ])
        try agent.home.append("logs/b.log", "more\n")
        let whole = try readFile(agent.log("app.log.1"))
        let digest = Digest.sha256(whole.span.extracting(0..<1024))
        let hex = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let marked = try FileStatus.glance(at: Array(agent.log("c.log").utf8))
        try filebeat.write([
            filebeat.stream("fingerprint", hex, agent.log("app.log"), head.utf8.count),
            filebeat.stream("inode_marker", "\(marked.inode)-disk-1", agent.log("c.log"), 4),
        ])
        // app.log.1 and b.log begin alike, and Filebeat's path is of neither.
        let unclear = try filebeat.takeOver(["--dry-run"])
        #expect(unclear.line("app.log").contains("2 files begin like it"), "\(unclear.output)")
        try agent.home.write("logs/b.log", "another\n")
        let done = try filebeat.takeOver()
        #expect(done.exit == .code(0))
        #expect(done.line("app.log.1").hasSuffix("taken over (was \(agent.log("app.log")))"))
        let entries = try agent.registry()
        #expect(entries.map(\.path) == [agent.log("app.log.1"), agent.log("c.log")])
        #expect(entries.map(\.stream) == [agent.log("app.log"), agent.log("c.log")])
        #expect(entries.map(\.offset) == [head.utf8.count, 4])
    }

    @Test(
        "R7: what an s6-log rotated since is finished first; archives before what Filebeat read stay"
    )
    func s6() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let reader = try KafkaReader(broker)
        let agent = try Agent(
            broker.address, path: "{pod}/log/current", input: "format: plain",
            kafka: "topic: logs, codec: raw")
        let names = (1...4).map { "@4000000065e07a1\($0)2f072f40.s" }
        for (index, name) in names.enumerated() {
            try agent.home.write("logs/a/log/\(name)", "old \(index)\nmore \(index)\n")
        }
        try agent.home.write("logs/a/log/current", "now\nthen\n")
        let filebeat = FilebeatHome(agent: agent)
        // It read this one in part while it was `current`; what came after it, it has never seen.
        try filebeat.write([
            filebeat.native("a/log/\(names[2])", 6, source: agent.log("a/log/current"))
        ])
        let dry = try filebeat.takeOver(["--dry-run", "--reread-archives"])
        #expect(dry.output.contains("1 file taken over, 7 bytes of them left to ship -- nothing"))
        let done = try filebeat.takeOver()
        #expect(done.exit == .code(0) && done.errors.isEmpty)
        for name in names.prefix(2) {
            #expect(
                done.line(name).hasSuffix(
                    "taken for read: an archive older than what Filebeat was reading"))
        }
        #expect(
            try agent.registry().map(\.stream) == Array(repeating: agent.log("a/log"), count: 3))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try reader.waitFor(["more 2", "old 3", "more 3", "now", "then"])
        #expect(reader.texts() == ["more 2", "old 3", "more 3", "now", "then"])
        #expect(try AuditCount.of(broker) == 5)
    }

    @Test("R7: other stores and damaged ones are refused by name, and nothing is made")
    func stores() throws {
        let (agent, filebeat) = try agent(["a.log": "one\n"])
        let bbolt = [UInt8](repeating: 0, count: 16) + [0xED, 0xDA, 0x0C, 0xED] + [2, 0, 0, 0]
        func refused(_ file: String, _ content: [UInt8], _ message: String) throws {
            try agent.home.write("other/\(file)", content)
            let result = try filebeat.takeOver(directory: agent.home.path("other"))
            #expect(result.exit == .code(1) && result.output.isEmpty)
            #expect(result.errors.contains(message), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1)
            try remove(agent.home.path("other/\(file)"))
        }
        try refused("x", [], "other: no registry of Filebeat is here: name its data directory")
        try refused(
            "registry/filebeat.db", bbolt, "registry/filebeat.db is a bbolt store, which cannot")
        try refused(
            "receiver_filelog_", bbolt,
            "other/receiver_filelog_ is of the OpenTelemetry Collector's file storage")
        try refused(
            "registry/filebeat/data.json", Array("[]".utf8),
            "data.json: it is of a registry as Filebeat kept it before 7.9: start Filebeat 7.9")
        try refused(
            "registry/filebeat/meta.json", Array(#"{"version":"7"}"#.utf8),
            "other/registry/filebeat/meta.json: version \"7\" of Filebeat's registry is not known")
        try agent.home.write("old", "[]")
        let old = try filebeat.takeOver(directory: agent.home.path("old"))
        #expect(old.errors.contains("old: it is of a registry as Filebeat kept it before 7.9"))
        try filebeat.write([filebeat.native("a.log", 4)])
        try agent.home.write("filebeat/registry/filebeat/9.json", "[\n{\"_key\":\"a")
        let damaged = try filebeat.takeOver()
        #expect(damaged.exit == .code(1))
        #expect(damaged.errors.contains("filebeat/9.json: byte 2: no valid JSON"))
        #expect(try !agent.home.names().contains("data"))
    }

    @Test("R7: neither an agent nor a Filebeat may be running: exit 75, nothing changed")
    func running() throws {
        let (agent, filebeat) = try agent(["a.log": "one\ntwo\n"])
        try filebeat.write([filebeat.native("a.log", 4)])
        do {
            let home = try Descriptor.open(filebeat.path, O.directory)
            guard case .taken(let lock) = try FileLock.attempt("filebeat.lock", in: home) else {
                throw Unexpected(description: "the lock is held by somebody")
            }
            let refused = try filebeat.takeOver()
            #expect(refused.exit == .code(75) && refused.output.isEmpty)
            #expect(
                refused.errors.contains(
                    "a Filebeat that uses this registry is running: stop it first"))
            let dry = try filebeat.takeOver(["--dry-run"])
            #expect(dry.exit == .code(0) && dry.errors.contains("its positions still move"))
            _ = lock
        }
        try agent.start()
        let held = try filebeat.takeOver()
        #expect(held.exit == .code(75), "\(held)")
        #expect(held.errors.contains("process \(agent.process.pid) holds this data directory"))
        #expect(try agent.stop() == .code(0))
    }
}

/// Gives a file the time of the last change that another one has.
private func setModified(_ path: String, like other: String) throws {
    let touch = try ChildProcess(
        try findProgram("touch", package: "coreutils"), ["-m", "-r", other, path])
    guard try touch.wait() == .code(0) else { throw Unexpected(description: touch.errors) }
}
