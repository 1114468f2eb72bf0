import Foundation
import Testing

/// The harness as a program, against the agent's debug build and a real kcat (`make test-bench`
/// installs it).
@Suite(.serialized) struct HarnessTests {
    @Test func theAgentAndKcatAreMeasuredAndTheFiguresAreTheSameAsJSON() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let call = try Call(
            [
                "--size", "2MB", "--runs", "1", "--only", "shipper-json,shipper-raw,kcat",
                "--json", file.path,
            ], shipper: true)
        #expect(call.code == 0, "\(call.errors)")
        for name in ["shipper json", "shipper raw", "kcat"] {
            #expect(call.output.contains("\n| \(name) "), "\(call.output)")
        }
        #expect(call.output.contains("10,298 lines"))

        let json = try parse(file)
        let corpus = try #require(json["corpus"] as? [String: Any])
        #expect(corpus["lines"] as? Int == 10_298)
        let contenders = try #require(json["contenders"] as? [[String: Any]])
        #expect(
            contenders.map { $0["name"] as? String } == ["shipper json", "shipper raw", "kcat"])
        for contender in contenders {
            #expect(contender["failed_runs"] as? Int == 0)
            let runs = try #require(contender["runs"] as? [[String: Any]])
            #expect(runs.map { $0["records"] as? Int } == [10_298])
            let figures = try #require(contender["figures"] as? [String: [String: Double]])
            for figure in ["wall_seconds", "cpu_seconds", "peak_rss_mb", "lines_per_second"] {
                #expect(try #require(figures[figure]?["median"]) > 0)
            }
            // lz4 takes these lines to about half of their 2 MB; a document has its line in it.
            let sent = try #require(figures["sent_mb"]?["median"])
            #expect(sent > 0.5 && sent < 2)
            let ratio = try #require(contender["ratio_to_kcat"] as? [String: Double])
            #expect(try #require(ratio["cpu"]) > 0)
        }
    }

    @Test func formatsAreDividedByLinesAsTheyAre() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let names = ["json", "s6", "ndjson", "exclude", "cri-multiline", "docker-multiline"]
        let call = try Call(
            [
                "--formats", "--size", "200KB", "--runs", "1", "--only",
                names.map { "shipper-\($0)" }.joined(separator: ","), "--json", file.path,
            ], shipper: true)
        #expect(call.code == 0, "\(call.output)\(call.errors)")
        #expect(call.output.contains("CPU ÷ plain"))
        let contenders = try #require(try parse(file)["contenders"] as? [[String: Any]])
        #expect(contenders.map { $0["name"] as? String } == names.map { "shipper \($0)" })
        for contender in contenders {
            // Of a stack trace and its message it is one.
            let runs = try #require(contender["runs"] as? [[String: Any]])
            #expect(runs.map { $0["records"] as? Int } == [1_035])
            #expect(contender["ratio_to_plain"] is [String: Double])
        }
    }

    @Test func aRunCountsOnlyIfTheBrokerHoldsEveryLineOnce() throws {
        let call = try Call([
            "--size", "200KB", "--runs", "1", "--only", "kcat,drops-a-line,repeats-a-line",
        ])
        #expect(call.code == 1)
        #expect(
            call.output.contains(
                "FAILED: drops a line, run 1: the broker holds 1,034 of 1,035 lines: 1 missing\n"))
        #expect(
            call.output.contains(
                "FAILED: repeats a line, run 1: the broker holds 1,036 of 1,035 lines: 1 too many\n"
            ))
        let row = try #require(call.output.split(separator: "\n").first { $0.hasPrefix("| drops") })
        #expect(row.contains("0 of 1") && row.contains("failed"))
    }

    @Test func aBrokerThatIsThereIsUsed() throws {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = try Call.harness()
        process.arguments = ["broker"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        defer {
            // It ends with its input. Signals may be blocked in what the test's threads start.
            #expect(throws: Never.self) { try input.fileHandleForWriting.close() }
            process.waitUntilExit()
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let address = String(line.dropLast())
        #expect(address.hasPrefix("127.0.0.1:"))

        let call = try Call(
            ["--size", "200KB", "--runs", "1", "--only", "shipper-raw", "--broker", address],
            shipper: true)
        #expect(call.code == 0, "\(call.errors)")
        #expect(
            call.output.contains("broker: librdkafka's mock broker at \(address), 4 partitions"))
    }

    @Test func aContenderThatIsNotThereIsNamedAsAbsent() throws {
        let call = try Call(["--size", "20KB", "--runs", "1", "--shipper", "/nowhere/shipper"])
        #expect(call.output.contains("shipper json: absent (/nowhere/shipper is not there"))
        #expect(call.code == 0, "\(call.errors)")
    }

    @Test func anIdleAgentIsMeasuredAndStillShips() throws {
        let call = try Call(
            ["--idle", "--files", "50", "--seconds", "1", "--only", "shipper-json"], shipper: true)
        #expect(call.code == 0, "\(call.errors)")
        #expect(call.output.contains("| shipper json |"))
        #expect(call.output.contains("files: 50 in 25 directories"))
    }

    @Test func theAgeOfEachLineAtTheConsumerIsMeasured() throws {
        let call = try Call(
            ["--latency", "--rate", "500", "--seconds", "1", "--only", "shipper-json"],
            shipper: true)
        #expect(call.code == 0, "\(call.errors)")
        let row = try #require(
            call.output.split(separator: "\n").first { $0.hasPrefix("| shipper json") })
        let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(cells.count == 7 && cells[1] == "500")
        let ages = cells[2...].compactMap { Double($0.replacing(",", with: "")) }
        #expect(ages.count == 5 && ages == ages.sorted() && ages[0] > 0, "\(row)")
    }

    @Test func whatTheLinesOfANodeCostIsMeasured() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let call = try Call(
            [
                "--node", "--rate", "200", "--files", "5", "--seconds", "1", "--partitions", "6",
                "--brokers", "2", "--only", "shipper-json,shipper-node",
                "--json", file.path,
            ], shipper: true)
        #expect(call.code == 0, "\(call.errors)\(call.output)")
        for name in ["shipper json", "shipper node"] {
            #expect(call.output.contains("\n| \(name)"), "\(name)")
        }
        #expect(call.output.contains("lines: 200 a second for 1 s, each to one of 5 files"))
        #expect(call.output.contains("2 of librdkafka's mock brokers"))

        let contenders = try #require(try parse(file)["contenders"] as? [[String: Any]])
        #expect(contenders.count == 2)
        for contender in contenders { try checkLinesOfANode(contender) }
    }

    private func checkLinesOfANode(_ contender: [String: Any]) throws {
        let run = try #require((contender["runs"] as? [[String: Any]])?.first)
        #expect(run["records"] as? Int == 400)
        let medians = try #require(contender["medians"] as? [String: Double])
        for figure in [
            "cpu_percent", "raw_kb_per_second", "sent_kb_per_second", "segments_per_second",
            "requests_per_second", "rss_mb", "p50_milliseconds",
        ] {
            #expect(try #require(medians[figure], "\(figure)") > 0)
        }
        let ages = ["p50_milliseconds", "p99_milliseconds", "max_milliseconds"]
            .compactMap { medians[$0] }
        #expect(ages.count == 3 && ages == ages.sorted())
    }

    @Test func aContenderThatEndsByItselfIsFoundOutAndNamed() throws {
        let call = try Call([
            "--node", "--rate", "10", "--files", "1", "--seconds", "1", "--only", "shipper-json",
            "--shipper", "/bin/false",
        ])
        #expect(call.code == 1)
        #expect(
            call.output.contains("FAILED: shipper json, run 1: it ended, exit code 1"),
            "\(call.output)")
    }

    @Test func whatGrowsWithTheFilesOfANodeIsMeasuredPartByPart() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let call = try Call(
            ["--scale", "--files", "200", "--seconds", "1", "--json", file.path], shipper: true)
        #expect(call.code == 0, "\(call.errors)\(call.output)")
        #expect(
            call.output.contains("start: 40 files in 20 directories, 200 lines, from start to end"))
        #expect(call.output.contains("crowd: one directory fills with 200 files of a line"))
        #expect(call.output.contains("bulk: 800,000 bytes in 10 files, and the same in one"))

        let contenders = try #require(try parse(file)["contenders"] as? [[String: Any]])
        #expect(contenders.map { $0["name"] as? String } == ["shipper json"])
        let parts = try #require(contenders.first?["parts"] as? [String: [String: Any]])
        for (part, figures) in [
            ("start", ["wall_seconds", "cpu_seconds", "peak_rss_mb"]),
            (
                "crowd",
                ["calm_p50_milliseconds", "p50_milliseconds", "p99_milliseconds", "make_seconds"]
            ),
            ("full", ["calm_p50_milliseconds", "p50_milliseconds", "take_up_seconds"]),
            ("found", ["p50_milliseconds", "p99_milliseconds", "take_up_seconds"]),
            ("memory", ["rss_mb", "bytes_per_file"]), ("rest", ["cpu_percent", "rss_mb"]),
            ("bulk", ["one_cpu_seconds", "many_cpu_seconds", "cpu_ratio"]),
        ] {
            let medians = try #require(parts[part]?["medians"] as? [String: Double], "\(part)")
            for figure in figures {
                #expect(try #require(medians[figure], "\(part): \(figure)") > 0)
            }
        }
    }

    @Test func aPartThatFailsIsNamedAndTheOthersGoOn() throws {
        let call = try Call([
            "--scale", "--files", "20", "--seconds", "1", "--parts",
            "start,crowd,full,found,memory",
            "--shipper", "/bin/false",
        ])
        #expect(call.code == 1)
        for part in ["start", "crowd", "full", "found", "memory"] {
            #expect(
                call.output.contains("FAILED: shipper json, \(part), run 1: "), "\(call.output)")
        }
        #expect(call.output.contains("| start ") && call.output.contains("failed"))
    }

    /// With one child it is at its preparations, with two the agent runs beside the broker.
    @Test(arguments: [1, 2])
    func anInterruptedHarnessTakesItsProcessesAndFilesAway(children: Int) throws {
        let manager = FileManager.default
        let scratch = manager.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)")
        try manager.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? manager.removeItem(at: scratch) }
        let (out, err) = (scratch.appending(path: "out"), scratch.appending(path: "err"))
        let process = try Call.start(
            [
                "--idle", "--files", "2000", "--seconds", "600", "--only", "shipper-json",
                "--shipper", try Call.shipper(),
            ], scratch: scratch, out: out, err: err)
        let pid = process.processIdentifier
        let deadline = Date.now.addingTimeInterval(60)
        var found: [Substring] = []
        while found.count < children, Date.now < deadline, process.isRunning {
            let text = try String(
                contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
            found = text.split(separator: " ")
        }
        process.terminate()
        process.waitUntilExit()
        #expect(found.count == children && process.terminationStatus == 143)
        for child in found { #expect(!manager.fileExists(atPath: "/proc/\(child)")) }
        let said = try String(contentsOf: err, encoding: .utf8)
        #expect(
            try manager.contentsOfDirectory(atPath: scratch.path).sorted() == ["err", "out"],
            "\(said)")
    }

    @Test(arguments: [
        (["--runs", "0"], "--runs: \"0\" is no number from 1 to 10000000"),
        (["--size", "1XB"], "--size: \"1XB\" is no size such as 1GB or 64MiB"),
        (["--only", "vector"], "--only: no contender is called \"vector\""),
        (["--fast"], "unknown option --fast"), (["--node=1"], "--node takes no value"),
        (
            ["--parts", "start,end"],
            "--parts: \"start,end\" is no list of start, crowd, full, found, memory, rest, bulk"
        ),
        (["--brokers", "65"], "--brokers: \"65\" is no number from 1 to 64"),
    ])
    func wrongUsageSaysWhatIsWrong(arguments: [String], message: String) throws {
        let call = try Call(arguments)
        #expect(call.code == 64)
        #expect(call.errors.hasPrefix("shipper-bench: \(message)\n"))
    }

    private func parse(_ file: URL) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: try Data(contentsOf: file))
        return try #require(value as? [String: Any])
    }
}
