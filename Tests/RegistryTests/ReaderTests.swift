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
                            file: $0.file, generation: $0.generation, offset: LogicalOffset(offset),
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
            try #require(contents.entries.allSatisfy { (least...most).contains($0.offset.bytes) })
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
