import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite("Reading the registry of another process") struct ReaderTests {
    let data: Data
    init() throws { data = try Data() }

    @Test("R8: while the agent writes and compacts, every look is consistent")
    func live() throws {
        let registry = try data.open()
        let entries = (UInt64(1)...50).map { registry.see(.sample($0)) }
        registry.inputScanned("pods")
        let isDone = Atomic(false)
        /// The position that every file has at least, and at most, at any moment.
        let begun = Atomic(0)
        let ended = Atomic(0)
        let compactor = try SystemThread("compactor") {
            while !isDone.load(ordering: .acquiring) {
                registry.compact()
                registry.sync()
            }
        }
        let writer = try SystemThread("writer") {
            var offset = 0
            while !isDone.load(ordering: .acquiring) {
                offset += 1
                begun.store(offset, ordering: .releasing)
                registry.advance(
                    entries.map {
                        Advance(
                            file: $0.file, generation: $0.generation, offset: offset,
                            anchor: .none)
                    })
                ended.store(offset, ordering: .releasing)
            }
        }
        defer {
            isDone.store(true, ordering: .releasing)
            compactor.join()
            writer.join()
        }
        for _ in 0..<60 {
            let least = ended.load(ordering: .acquiring)
            let contents = try RegistryReader.read(directory: data.path)
            let most = begun.load(ordering: .acquiring)
            try #require(contents.summary.damaged == [])
            try #require(contents.entries.map(\.file) == entries.map(\.file))
            try #require(contents.inputs == ["pods"] && !contents.mustStartAtBeginning)
            try #require(contents.entries.allSatisfy { $0.offset >= least && $0.offset <= most })
        }
    }

    @Test("A copied directory, also a damaged one, is read without changing anything in it")
    func dead() throws {
        let registry = try data.open()
        let entry = registry.see(.sample(1))
        registry.compact()
        registry.advance(entry, to: 10)
        let copy = try data.copy()
        #expect(try RegistryReader.read(directory: copy.path).entries == registry.entries())
        var journal = try copy.bytes("journal.jsonl")
        journal[journal.count / 2] ^= 1
        journal += Array("half".utf8)
        try copy.put("journal.jsonl", journal)
        let contents = try RegistryReader.read(directory: copy.path)
        #expect(contents.summary.damaged.first?.file == "journal.jsonl")
        #expect(contents.summary.tornTail == 4 && contents.entries.count == 1)
        #expect(try copy.bytes("journal.jsonl") == journal)
        #expect(try copy.names == ["journal.jsonl", "snapshot.jsonl"])
    }

    @Test("A directory that is no registry's is named")
    func none() throws {
        do {
            _ = try RegistryReader.read(directory: data.path)
            Issue.record("nothing was read as something")
        } catch {
            #expect(error.description.hasPrefix("\(data.path)/registry: cannot be read: open"))
            #expect(error.description.contains("No such file or directory"))
        }
    }
}

@Suite("The table of files") struct TableTests {
    @Test("Columns are aligned, numbers to the right, and the last line sums up")
    func text() {
        var small = FileEntry.sample(1, path: "/a")
        small.updated = Timestamp(milliseconds: 1_795_406_550_000)
        var large = FileEntry.sample(2, path: "/data/logs/b")
        (large.base, large.offset, large.state) = (0, 0, .archived)
        large.updated = Timestamp(milliseconds: 1_795_306_550_000)
        let table = RegistryTable(
            entries: [small, large], sizes: [large.file: 3 << 30],
            now: Timestamp(milliseconds: 1_795_406_555_685))
        #expect(
            table.text() == [
                "STREAM       PATH          STATE        SIZE   OFFSET      LAG  AGE",
                "shop/orders  /a            active    4.9 KiB  4.6 KiB    801 B   5s",
                "shop/orders  /data/logs/b  archived  3.0 GiB      0 B  3.0 GiB   1d",
                "2 files, 3.0 GiB behind",
            ])
    }

    @Test("A name cannot steer the terminal")
    func hostile() {
        let entry = FileEntry.sample(1, path: "/a\u{1B}[2J\n\u{9B}31m\u{202E}b\u{2028}ü")
        let lines = RegistryTable(entries: [entry], now: entry.updated).text()
        #expect(lines.count == 3)
        #expect(lines[1].contains(#"/a\u{1b}[2J\u{a}\u{9b}31m\u{202e}b\u{2028}ü"#))
        #expect(lines[2] == "1 file, 801 B behind")
    }

    @Test("JSON has one object per file with every key, exact and escaped")
    func json() {
        var bare = FileEntry.sample(2, path: "/b\n\"\\")
        bare.identity = FileIdentity(handle: nil, device: .max, inode: 7, birth: nil)
        let table = RegistryTable(
            entries: [.sample(1, path: "/a"), bare], sizes: [bare.file: 0], now: bare.updated)
        #expect(
            table.json() == [
                #"{"stream":"shop/orders","path":"/a","identity":{"device":"64768","inode":"1001","#
                    + #""birth":1700000000000000001,"handle":"000000010100"},"#
                    + #""generation":"0123456789abcdef","base":512,"offset":4711,"size":5000,"#
                    + #""lag_bytes":801,"state":"active","updated":"2026-11-23T04:02:35.685Z"}"#,
                #"{"stream":"shop/orders","path":"/b\n\"\\","identity":{"device":"#
                    + #""18446744073709551615","inode":"7","birth":null,"handle":null},"#
                    + #""generation":"0123456789abcdef","base":512,"offset":4711,"size":0,"#
                    + #""lag_bytes":0,"state":"active","updated":"2026-11-23T04:02:35.685Z"}"#,
            ])
    }

    @Test(
        "Sizes for people keep three digits",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (10_188, "9.9 KiB"),
            (10_200, "10 KiB"), (1_047_999, "1023 KiB"), (1_048_064, "1.0 MiB"),
            (Int.max, "8.0 EiB"),
        ])
    func sizes(_ bytes: Int, _ text: String) { #expect(RegistryTable.bytes(bytes) == text) }
}
