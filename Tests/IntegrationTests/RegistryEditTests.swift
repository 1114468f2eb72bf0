import Platform
import TestSupport
import Testing

@Suite("shipper registry verify, compact, forget, rewind") struct RegistryEditTests {
    let broker: BrokerProcess
    let reader: KafkaReader
    let agent: Agent

    init() throws {
        broker = try BrokerProcess(topics: ["logs"])
        reader = try KafkaReader(broker)
        agent = try Agent(broker.address, path: "*.log")
    }

    private func registry(
        _ arguments: String..., data: String? = nil
    ) throws -> (exit: ChildProcess.Exit, output: [String], errors: String) {
        let process = try ChildProcess(
            try findBinary(), ["registry"] + arguments + ["--data", data ?? agent.data])
        let exit = try process.wait()
        return (exit, process.output.split(separator: "\n").map(String.init), process.errors)
    }

    /// Two files, delivered.
    private func ship() throws {
        try agent.home.write("logs/a.log", "one\ntwo\nthree\n")
        try agent.home.write("logs/b.log", "other\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try reader.waitFor(["one", "two", "three", "other"])
    }

    private func ids(_ message: String) throws -> [String] {
        try reader.records.map { try $0.document() }.filter { $0.message == message }
            .map(\.metadata.id)
    }

    private func files() throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try agent.home.names("data/registry") {
            files[name] = try readFile(agent.home.path("data/registry/\(name)"))
        }
        return files
    }

    @Test("Rewound to an offset, the lines from there are sent again with the ids that they had")
    func rewind() throws {
        try ship()
        let (exit, output, errors) = try registry("rewind", "a.log", "--to", "4")
        #expect(exit == .code(0) && errors.isEmpty)
        #expect(output.last == "1 file rewound, 10 bytes to be sent again, 0 skipped")
        #expect(output[1].hasSuffix("a.log    14   4  sends 10 bytes again"), "\(output)")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("two lines are sent again") { reader.count >= 6 }
        for (message, count) in ["one": 1, "two": 2, "three": 2, "other": 1] {
            let ids = try ids(message)
            #expect(ids.count == count && Set(ids).count == 1, "\(message): \(ids)")
        }
        #expect(try agent.entry("a.log")?.offset == 14)
    }

    @Test("Rewound to the end, what is there is skipped, but for a line that is not finished")
    func skip() throws {
        try ship()
        try agent.home.append("logs/a.log", "skipped\nhalf ")
        let (exit, output, _) = try registry("rewind", "*", "--to", "end")
        #expect(exit == .code(0))
        #expect(
            output.last
                == "1 file rewound, 0 bytes to be sent again, 8 skipped; 1 there already")
        try agent.home.append("logs/a.log", "a line\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("the line that was finished") { reader.count >= 5 }
        #expect(try reader.messages().sorted() == ["half a line", "one", "other", "three", "two"])
    }

    @Test("The beginning of a file that was renamed meanwhile is found again by its identity")
    func renamed() throws {
        try ship()
        try rename(agent.log("a.log"), agent.log("c.log"))
        let (exit, _, _) = try registry("rewind", "a.log", "--to", "beginning")
        #expect(exit == .code(0))
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("three lines are sent again") { reader.count >= 7 }
        #expect(try Set(ids("one")).count == 1 && ids("one").count == 2)
    }

    @Test("An offset that cannot be is refused with the reason, and nothing is changed")
    func refused() throws {
        try ship()
        let before = try files()
        for (target, pattern, reason) in [
            ("5", "a.log", "5 is in the middle of a line, which begins at 4"),
            ("15", "a.log", "beyond its end, which is 14"),
            ("4", "*", "an offset is for one file, and 2 match"),
        ] {
            let (exit, output, _) = try registry("rewind", pattern, "--to", target)
            #expect(exit == .code(1))
            #expect(output.dropFirst().dropLast().allSatisfy { $0.hasSuffix(reason) }, "\(output)")
        }
        try remove(agent.log("a.log"))
        try agent.home.write("logs/a.log", "something else\n")
        for (target, reason) in [
            ("end", "another file, or other content, has its name"),
            (
                "15",
                "beyond 14, where the file ended when it was last seen; now another file, or other "
                    + "content, has its name"
            ),
        ] {
            let (exit, output, _) = try registry("rewind", "a.log", "--to", target)
            #expect(exit == .code(1) && output[1].hasSuffix("not rewound: \(reason)"), "\(output)")
        }
        let none = try registry("rewind", "nothing*", "--to", "end")
        #expect(none.exit == .code(1) && none.output.isEmpty)
        #expect(none.errors == "shipper: no known file matches nothing*\n")
        #expect(try files().mapValues(\.count) == before.mapValues(\.count))
    }

    @Test("A forgotten file is shipped from its beginning, and the others are not")
    func forget() throws {
        try ship()
        let (exit, output, _) = try registry("forget", "a.log")
        #expect(exit == .code(0))
        #expect(
            output.last == "1 file forgotten; what is there of them is shipped from its beginning")
        #expect(try agent.registry().map(\.path) == [agent.log("b.log")])
        #expect(try agent.once() == .code(0), "\(agent.said)")
        try eventually("three lines are sent again") { reader.count >= 7 }
        #expect(try ids("other").count == 1)
        // Nobody knows any more how often its content was another one, so its ids are new ones.
        #expect(try ids("one").count == 2 && Set(ids("one")).count == 2)
    }

    @Test("A dry run says the same and changes nothing")
    func dry() throws {
        try ship()
        let before = try files()
        for arguments in [
            ["rewind", "*", "--to", "beginning"], ["forget", "*"], ["compact"],
        ] {
            let process = try ChildProcess(
                try findBinary(),
                ["registry"] + arguments + ["--dry-run", "--data", agent.data])
            #expect(try process.wait() == .code(0) && process.errors.isEmpty)
            #expect(process.output.hasSuffix(" -- nothing was changed (--dry-run)\n"))
        }
        #expect(try files() == before)
    }

    @Test("Compact leaves one whole snapshot and an empty journal")
    func compact() throws {
        try ship()
        let before = try agent.registry()
        let (exit, output, _) = try registry("compact")
        #expect(exit == .code(0) && output.count == 1 && output[0].hasPrefix("2 files: snapshot "))
        let journal = try readFile(agent.home.path("data/registry/journal.jsonl"))
        #expect(journal.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(try agent.registry() == before)
    }

    @Test("Verify finds a bit that is wrong, names its line's first byte, and leaves it as it is")
    func verify() throws {
        try ship()
        let whole = try registry("verify")
        #expect(whole.exit == .code(0) && whole.errors.isEmpty)
        #expect(whole.output.count == 1 && whole.output[0].hasSuffix(": every checksum is right"))
        let path = "data/registry/snapshot.jsonl"
        var snapshot = try readFile(agent.home.path(path))
        let second = try #require(snapshot.firstIndex(of: UInt8(ascii: "\n"))) + 1
        snapshot[second + 12] ^= 4
        try agent.home.write(path, snapshot)
        let damaged = try registry("verify")
        #expect(damaged.exit == .code(1))
        #expect(
            damaged.output.first
                == "snapshot.jsonl: byte \(second): does not match its checksum")
        #expect(damaged.output.last?.hasSuffix(": 1 fault") == true, "\(damaged.output)")
        #expect(try readFile(agent.home.path(path)) == snapshot)
    }

    @Test("Verify says of a record that a kill cut where it begins, and that it is no fault")
    func torn() throws {
        try ship()
        let path = "data/registry/journal.jsonl"
        let journal = try readFile(agent.home.path(path))
        try agent.home.write(path, journal + Array(#"{"n":9,"op"#.utf8))
        let (exit, output, _) = try registry("verify")
        #expect(exit == .code(0))
        #expect(
            output.first == "journal.jsonl: byte \(journal.count): ends with 10 bytes of a record "
                + "that is not finished; the next start cuts them off")
    }

    @Test(
        "R4: while an agent runs, what would change its registry is refused with its number and 75"
    )
    func held() throws {
        try agent.home.write("logs/a.log", "one\n")
        try agent.start()
        try eventually("the line is saved; \(agent.said)") {
            try agent.entry("a.log")?.offset == 4
        }
        let holder = "\(agent.data): process \(agent.process.pid) holds this data directory"
        for arguments in [["forget", "*"], ["rewind", "*", "--to", "beginning"], ["compact"]] {
            let process = try ChildProcess(
                try findBinary(), ["registry"] + arguments + ["--data", agent.data])
            #expect(try process.wait() == .code(75) && process.output.isEmpty)
            #expect(process.errors.hasPrefix("shipper: \(holder)"), "\(process.errors)")
        }
        let second = try ChildProcess(try findBinary(), ["run", "--config", agent.config])
        #expect(try second.wait() == .code(75))
        #expect(second.errors.contains("process \(agent.process.pid) holds"), "\(second.errors)")
        #expect(try registry("verify").exit == .code(0))
        #expect(try agent.stop() == .code(0))
        #expect(try agent.entry("a.log")?.offset == 4)
    }

    @Test("What is no data directory is named and not made")
    func none() throws {
        let missing = agent.home.path("missing")
        for arguments in [["verify"], ["compact"], ["forget", "*"]] {
            let process = try ChildProcess(
                try findBinary(), ["registry"] + arguments + ["--data", missing])
            #expect(try process.wait() == .code(1))
            #expect(process.errors.hasPrefix("shipper: \(missing)/registry: cannot be read: "))
        }
        #expect(try !agent.home.names().contains("missing"))
    }
}
