import Model
import Platform
import Registry
import Shipper
import Synchronization
import TestSupport
import Testing

@Suite("shipper registry show") struct RegistryShowTests {
    private final class Silent: RegistryObserver {
        func report(_ event: RegistryEvent) {
            switch event {
            case .writeFailed(let error), .cannotSetAside(let error): Issue.record("\(error)")
            case .opened, .writeRecovered, .synced, .compacted: break
            }
        }
    }

    let directory: TemporaryDirectory
    private var data: String { directory.path("data") }

    init() throws { directory = try TemporaryDirectory(inMemory: true) }

    private func show(
        _ arguments: [String] = [], data: String? = nil
    ) throws -> (exit: ChildProcess.Exit, output: [String], errors: String) {
        let process = try ChildProcess(
            try findBinary(), ["registry", "show", "--data", data ?? self.data] + arguments)
        let exit = try process.wait()
        return (exit, process.output.split(separator: "\n").map(String.init), process.errors)
    }

    /// A registry with two files of which one is delivered to its end.
    private func make() throws {
        let registry = try Registry.open(directory: data, observer: Silent())
        for (number, name) in ["shop/orders", "shop/carts"].enumerated() {
            let entry = registry.see(
                NewFile(
                    input: "pods", stream: "/nowhere/\(name)", path: "/nowhere/\(name)/current",
                    identity: FileIdentity(
                        handle: [1, 2], device: 7, inode: UInt64(40 + number), birth: 9),
                    fingerprint: .of(head: [1]), offset: 0, size: 2048))
            registry.advance([
                Advance(
                    file: entry.file, generation: entry.generation,
                    offset: LogicalOffset(2048 >> number),
                    anchor: .none)
            ])
        }
        registry.close()
    }

    @Test("It lists what is known of a stopped agent's files as aligned text")
    func text() throws {
        try make()
        let (exit, output, errors) = try show()
        #expect(exit == .code(0) && errors.isEmpty)
        try #require(output.count == 4)
        // No such files were ever here: their volume may be missing.
        #expect(
            output[0]
                == "STREAM                FILE     STATE        FORMAT     SIZE  DELIVERED      LAG  AGE"
        )
        #expect(
            output[1].hasPrefix(
                "/nowhere/shop/carts   current  unreachable  -       2.0 KiB    1.0 KiB  1.0 KiB"))
        #expect(
            output[2].hasPrefix(
                "/nowhere/shop/orders  current  unreachable  -       2.0 KiB    2.0 KiB        -"))
        #expect(
            output[3].hasPrefix("2 files in 2 streams, 1 behind by 1.0 KiB in all, the oldest for ")
        )
        #expect(output[3].hasSuffix(", 2 unreachable"))
    }

    @Test("As JSON, each file is an object on a line of its own")
    func json() throws {
        try make()
        let (exit, output, _) = try show(["--json"])
        #expect(exit == .code(0))
        try #require(output.count == 2)
        #expect(
            output[0].hasPrefix(
                #"{"stream":"/nowhere/shop/carts","path":"/nowhere/shop/carts/current","#
                    + #""identity":{"device":"7","inode":"41","birth":9,"handle":"0102"},"#
                    + #""generation":""#))
        #expect(output[0].contains(#""base":0,"offset":1024,"size":2048,"lag_bytes":1024,"#))
    }

    @Test(
        "A pattern picks files by path or stream",
        arguments: [
            ("/nowhere/*/orders/current", ["orders"]), ("orders/*", ["orders"]),
            ("carts", ["carts"]), ("**/current", ["carts", "orders"]), ("*.gz", []),
        ])
    func pattern(pattern: String, names: [String]) throws {
        try make()
        let (exit, output, errors) = try show(["--json", pattern])
        #expect(exit == .code(0) && errors.isEmpty)
        #expect(output.count == names.count)
        for (line, name) in zip(output, names) { #expect(line.contains("/nowhere/shop/\(name)")) }
    }

    @Test("A pattern that is none, and a directory that is none, are named; exit 1")
    func refused() throws {
        try make()
        let bad = try show(["a["])
        #expect(bad.exit == .code(1) && bad.output.isEmpty)
        #expect(
            bad.errors == "shipper: the pattern \"a[\" opens a [ or { that it does not close in "
                + "the same segment\n")
        let none = try show(data: directory.path("none"))
        #expect(none.exit == .code(1) && none.output.isEmpty)
        #expect(
            none.errors.hasPrefix("shipper: \(directory.path("none"))/registry: cannot be read: "))
        #expect(none.errors.contains("No such file or directory"))
    }

    @Test("A damaged registry shows what can be proven, names the byte of each fault, and exits 1")
    func damaged() throws {
        try make()
        let path = "data/registry/journal.jsonl"
        var journal = try readFile(directory.path(path))
        let starts = journal.indices.filter { $0 > 0 && journal[$0 - 1] == UInt8(ascii: "\n") }
        // The record that the second file was seen.
        let begin = try #require(starts.first { journal[$0...].starts(with: #"{"n":3,"#.utf8) })
        journal[begin + 20] ^= 1
        try directory.write(path, journal)
        let (exit, output, errors) = try show(["--json"])
        #expect(exit == .code(1))
        #expect(output.count == 1 && output.first?.contains("/nowhere/shop/orders") == true)
        #expect(errors.hasPrefix("shipper: journal.jsonl: byte \(begin): "), "\(errors)")
        #expect(errors.split(separator: "\n").count == 1, "\(errors)")
        // It only looks.
        #expect(try readFile(directory.path(path)) == journal)
        #expect(try directory.names("data/registry") == ["journal.jsonl"])
    }

    @Test("A running agent's registry is shown, and a copy of it, without disturbing the agent")
    func live() throws {
        let broker = try BrokerProcess(topics: ["logs"])
        let agent = try Agent(broker.address, path: "*.log")
        try agent.home.write("logs/a.log", "one\ntwo\n")
        try agent.start()
        try eventually("two lines are saved; the agent says: \(agent.said)") {
            try agent.entry("a.log")?.offset == 8
        }
        let entry = try #require(try agent.entry("a.log"))
        #expect(entry.size == 8 && entry.lag == 0 && entry.state == "active")
        for name in try agent.home.names("data/registry") {
            try directory.write(
                "copy/registry/\(name)", try readFile(agent.home.path("data/registry/\(name)")))
        }
        let copy = try show(["--json"], data: directory.path("copy"))
        #expect(copy.exit == .code(0) && copy.errors.isEmpty)
        #expect(copy.output.count == 1)
        #expect(try agent.stop() == .code(0), "\(agent.said)")
        // What was written since counts as lag: the size is that of the file now.
        try agent.home.append("logs/a.log", "three\n")
        let after = try #require(try agent.entry("a.log"))
        #expect(after.offset == 8 && after.size == 14 && after.lag == 6)
    }

    @Test("R8: a registry that is compacted all the time gives a consistent answer each time")
    func compacted() throws {
        let registry = try Registry.open(directory: data, observer: Silent())
        let entries = (0..<50).map { number in
            registry.see(
                NewFile(
                    input: "pods", stream: "/nowhere/\(number)", path: "/nowhere/\(number)/current",
                    identity: FileIdentity(
                        handle: nil, device: 7, inode: UInt64(number), birth: nil),
                    fingerprint: .of(head: [1]), offset: 0, size: PhysicalOffset(1 << 40)))
        }
        let stop = Atomic(false)
        let rounds = Atomic(0)
        let reached = Atomic(0)
        let thread = try SystemThread("compactor") {
            var offset = 0
            while !stop.load(ordering: .acquiring) {
                offset += 1
                registry.advance(
                    entries.map {
                        Advance(
                            file: $0.file, generation: $0.generation,
                            offset: LogicalOffset(offset), anchor: .none)
                    })
                reached.store(offset, ordering: .releasing)
                registry.compact()
                rounds.add(1, ordering: .releasing)
            }
        }
        defer {
            stop.store(true, ordering: .releasing)
            thread.join()
            registry.close()
        }
        var last = [Int](repeating: 0, count: 50)
        var shown = 0
        // However slow the disk is, it is shown while it is compacted.
        try eventually("twenty compactions while it was shown") {
            let before = reached.load(ordering: .acquiring)
            let (exit, output, errors) = try show(["--json"])
            #expect(exit == .code(0) && errors.isEmpty, "\(errors)")
            #expect(output.count == 50)
            // All files move by one write, in their order. A reader that keeps nobody from writing may see
            // the beginning of it: then those at the beginning are at the next position, and all others at one.
            let offsets = try (0..<50).map { number in
                let line = try #require(output.first { $0.contains("\"/nowhere/\(number)\"") })
                let text = line.split(separator: "\"offset\":").last?.prefix { $0.isNumber }
                return try #require(text.flatMap { Int($0) })
            }
            let all = try #require(offsets.last)
            let ahead = offsets.prefix { $0 == all + 1 }.count
            #expect(offsets == (0..<50).map { $0 < ahead ? all + 1 : all })
            #expect(all >= before && zip(offsets, last).allSatisfy(>=))
            last = offsets
            shown += 1
            return shown >= 20 && rounds.load(ordering: .acquiring) > 20
        }
    }

    @Test("--watch draws anew until SIGINT, and waits for an agent that has not been there yet")
    func watch() throws {
        let process = try ChildProcess(
            try findBinary(), ["registry", "show", "--watch", "--data", data])
        try eventually("it says that there is nothing yet") {
            process.output.contains("cannot be read")
        }
        try make()
        try eventually("it shows two files") { process.output.contains("\n2 files in 2 streams") }
        process.signal(2)
        #expect(try process.wait() == .code(0))
        #expect(process.errors.isEmpty && !process.output.contains("\u{1B}"))
    }

    @Test(
        "A terminal gets a bar and colour, unless it asks for none; a pipe gets neither",
        .enabled(if: MachineFacts.hasTerminals, "\(MachineFacts.terminalNeeded)"))
    func terminal() throws {
        try make()
        let script = try findProgram("script", package: "bsdutils")
        func shown(_ environment: [String: String]) throws -> String {
            let command = "'\(try findBinary())' registry show --data '\(data)'"
            let process = try ChildProcess(
                script, ["-qec", command, "/dev/null"],
                environment: ["TERM": "xterm", "COLUMNS": "100"].merging(environment) { $1 })
            #expect(try process.wait() == .code(0), "\(process.output)")
            return process.output
        }
        let coloured = try shown(["NO_COLOR": ""])
        #expect(coloured.contains("██████████") && coloured.contains("\u{1B}[33m"))
        let plain = try shown(["NO_COLOR": "1"])
        #expect(plain.contains("██████████") && !plain.contains("\u{1B}"))
        #expect(try !shown(["TERM": "dumb"]).contains("█"))
        #expect(try !show().output.joined().contains("█"))
    }

    @Test("--sort orders text and JSON alike")
    func sorted() throws {
        try make()
        for (order, first) in [("path", "carts"), ("lag", "carts")] {
            let json = try show(["--sort", order, "--json"]).output
            #expect(json.first?.contains("/nowhere/shop/\(first)") == true, "\(order)")
            #expect(try show(["--sort", order]).output[1].contains("/nowhere/shop/\(first)"))
        }
    }

    @Test("The documented example of --json has the keys of what is printed, in their order")
    func documented() throws {
        try make()
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = String(
            decoding: try readFile("/\(root)/docs/registry-show.md"), as: UTF8.self)
        func keys(_ line: some StringProtocol) -> [String] {
            line.split(separator: "\":").dropLast().map { part in
                String(part.split(separator: "\"").last ?? "")
            }
        }
        let example = try #require(
            page.split(separator: "\n").first { $0.hasPrefix("{\"stream\"") })
        let line = try #require(try show(["--json"]).output.first)
        #expect(keys(line) == keys(example) && keys(line).count == 15)
        for key in keys(line) { #expect(page.contains("`\(key)`"), "\(key)") }
        for state in ["active", "archived", "deleted", "unreachable", "gone"] {
            #expect(page.contains("`\(state)`"))
        }
    }
}
