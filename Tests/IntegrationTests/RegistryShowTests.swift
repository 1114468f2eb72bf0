import Model
import Registry
import Shipper
import Synchronization
import TestSupport
import Testing

@Suite("shipper registry show") struct RegistryShowTests {
    private final class Silent: RegistryObserver {
        func registryRecovered(_ summary: RecoverySummary) {}
        func registryWriteFailed(_ error: RegistryError) { Issue.record("\(error)") }
        func registryWriteRecovered() {}
        func registrySynced(nanoseconds: Int64) {}
        func registryCompacted(entries: Int, bytes: Int, nanoseconds: Int64) {}
        func registryCannotSetAside(_ error: RegistryError) { Issue.record("\(error)") }
    }

    let directory: TemporaryDirectory
    private var data: String { directory.path("data") }

    init() throws { directory = try TemporaryDirectory() }

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
                    file: entry.file, generation: entry.generation, offset: 2048 >> number,
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
        #expect(
            output[0] == "STREAM                PATH                          STATE      SIZE"
                + "   OFFSET      LAG  AGE")
        #expect(
            output[1].hasPrefix(
                "/nowhere/shop/orders  /nowhere/shop/orders/current  active  2.0 KiB  2.0 KiB"
                    + "      0 B"))
        #expect(
            output[2].hasPrefix(
                "/nowhere/shop/carts   /nowhere/shop/carts/current   active  2.0 KiB  1.0 KiB"
                    + "  1.0 KiB"))
        #expect(output[3] == "2 files, 1.0 KiB behind")
    }

    @Test("As JSON, each file is an object on a line of its own")
    func json() throws {
        try make()
        let (exit, output, _) = try show(["--json"])
        #expect(exit == .code(0))
        try #require(output.count == 2)
        #expect(
            output[1].hasPrefix(
                #"{"stream":"/nowhere/shop/carts","path":"/nowhere/shop/carts/current","#
                    + #""identity":{"device":"7","inode":"41","birth":9,"handle":"0102"},"#
                    + #""generation":""#))
        #expect(output[1].contains(#""base":0,"offset":1024,"size":2048,"lag_bytes":1024,"#))
    }

    @Test(
        "A pattern picks files by path or stream",
        arguments: [
            ("/nowhere/*/orders/current", ["orders"]), ("orders/*", ["orders"]),
            ("carts", ["carts"]), ("**/current", ["orders", "carts"]), ("*.gz", []),
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
}
