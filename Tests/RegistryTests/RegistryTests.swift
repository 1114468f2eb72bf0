import Model
import Platform
import TestSupport
import Testing

@testable import Registry

@Suite("The registry while it runs") struct RegistryTests {
    let data: Data
    init() throws { data = try Data() }

    private let head = Array("head".utf8)

    @Test("A file is found again after a restart, with its position, anchor and generation")
    func restart() throws {
        let first = try data.open()
        let entry = first.see(.sample(1, path: "/data/\"odd\"\nname"))
        first.advance(entry, to: 100)
        first.close()
        let second = try data.open()
        #expect(second.recovery.isWhole && second.recovery.entries == 1)
        guard case .same(let found) = second.find(identity: .sample(1), head: head) else {
            Issue.record("the file was not recognised")
            return
        }
        #expect(found.offset == 100 && found.anchor == Anchor(bytes: Array("100".utf8)))
        #expect(found.generation == entry.generation && found.path == "/data/\"odd\"\nname")
        #expect(second.entries() == first.entries())
        #expect(second.entries(ofStream: "shop/orders") == [found])
        #expect(second.entries(ofStream: "another").isEmpty)
    }

    @Test("What advance returned for is there after a kill, without any sync")
    func kill() throws {
        let registry = try data.open()
        registry.advance(registry.see(.sample(1)), to: 100)
        let after = try data.copy().open()
        #expect(after.entries() == registry.entries() && after.recovery.isWhole)
    }

    @Test("Nothing is known of a file that was never seen, or left")
    func unknown() throws {
        let registry = try data.open()
        #expect(registry.find(identity: .sample(1), head: head) == .none)
        let entry = registry.see(.sample(1))
        registry.gone(entry.file)
        #expect(registry.find(identity: .sample(1), head: head) == .none)
        #expect(registry.advance(entry, to: 10) == 0)
        #expect(
            registry.truncated(entry.file, identity: .sample(1), fingerprint: .of(head: [])) == nil)
        let next = registry.see(.sample(1))
        #expect(next.file != entry.file)
        #expect(try data.copy().open().entries() == [next])
    }

    @Test("T13: an inode number that is used again is another file")
    func reused() throws {
        let registry = try data.open()
        _ = registry.see(.sample(1))
        var other = FileIdentity.sample(1)
        other = FileIdentity(
            handle: [0, 0, 0, 1, 9, 9], device: other.device, inode: other.inode, birth: 5)
        #expect(registry.find(identity: other, head: head) == .none)
    }

    @Test("A file is recognised by birth time where handles are refused now")
    func withoutHandle() throws {
        let registry = try data.open()
        let entry = registry.see(.sample(1))
        #expect(registry.find(identity: .sample(1, handle: false), head: head) == .same(entry))
    }

    @Test("A file whose device has another number keeps its generation and its position")
    func renumbered() throws {
        let registry = try data.open()
        let entry = registry.see(.sample(1))
        registry.advance(entry, to: 10)
        let old = entry.identity
        let new = FileIdentity(
            handle: old.handle, device: 99, inode: old.inode, birth: old.birth)
        #expect(registry.find(identity: new, head: head) == .none)
        registry.renumbered([entry.file: new])
        guard case .same(let found) = registry.find(identity: new, head: head) else {
            Issue.record("the file was not recognised")
            return
        }
        #expect(found.file == entry.file && found.generation == entry.generation)
        #expect(found.offset == 10 && registry.find(identity: old, head: head) == .none)
        #expect(try data.copy().open().entries() == [found])
    }

    @Test("T15: the same inode with another beginning is told apart from a new file")
    func otherContent() throws {
        let registry = try data.open()
        let entry = registry.see(.sample(1))
        #expect(
            registry.find(identity: .sample(1), head: Array("else".utf8)) == .otherContent(entry))
        #expect(
            registry.find(identity: .sample(1), head: Array("hea".utf8)) == .otherContent(entry))
        #expect(registry.find(identity: .sample(1), head: Array("header".utf8)) == .same(entry))
    }

    @Test("Among several entries of one inode the one whose content it is is found")
    func several() throws {
        let registry = try data.open()
        let weak = FileIdentity(handle: nil, device: 1, inode: 2, birth: nil)
        func see(_ head: String) -> FileEntry {
            registry.see(
                NewFile(
                    input: "i", stream: "s", path: "p", identity: weak,
                    fingerprint: .of(head: Array(head.utf8)), offset: 0, size: 0))
        }
        let (first, second) = (see("a"), see("ab"))
        let third = see("b")
        #expect(registry.find(identity: weak, head: Array("abc".utf8)) == .same(second))
        #expect(registry.find(identity: weak, head: Array("a".utf8)) == .same(first))
        #expect(registry.find(identity: weak, head: Array("x".utf8)) == .otherContent(third))
        registry.gone(third.file)
        registry.gone(second.file)
        #expect(registry.find(identity: weak, head: Array("abc".utf8)) == .same(first))
    }

    @Test("T23: a short file keeps its entry while its head grows")
    func growingHead() throws {
        let registry = try data.open()
        let entry = registry.see(.sample(1, head: "a"))
        registry.headGrew(entry.file, head: Array("b longer".utf8))
        #expect(registry.entry(entry.file)?.fingerprint.length == 1)
        registry.headGrew(entry.file, head: Array("abc".utf8))
        #expect(registry.entry(entry.file)?.fingerprint == .of(head: Array("abc".utf8)))
        let long = Array("abc".utf8) + [UInt8](repeating: 120, count: 3000)
        registry.headGrew(entry.file, head: long)
        #expect(registry.entry(entry.file)?.fingerprint.length == 1024)
        let after = try data.copy().open()
        #expect(after.entries() == registry.entries())
        guard case .same = after.find(identity: .sample(1), head: Array(long.prefix(1024))) else {
            Issue.record("the grown file was not recognised")
            return
        }
    }

    @Test("T17: late acknowledgements of an older generation do not touch the reset position")
    func lateAdvance() throws {
        let registry = try data.open()
        let old = registry.see(.sample(1))
        registry.advance(old, to: 4000)
        let new = try #require(
            registry.truncated(
                old.file, identity: .sample(1), fingerprint: .of(head: Array("new".utf8))))
        #expect(new.generation != old.generation && new.generationCount == 1)
        #expect(new.offset == 0 && new.base == 0 && new.anchor == .none)
        #expect(registry.advance(old, to: 5000) == 0)
        #expect(registry.entry(old.file)?.offset == 0)
        #expect(registry.advance(new, to: 7) == 1)
        #expect(try data.copy().open().entries() == registry.entries())
    }

    @Test("A position never moves back")
    func forwardOnly() throws {
        let registry = try data.open()
        let entry = registry.see(.sample(1))
        registry.advance(entry, to: 100)
        #expect(registry.advance(entry, to: 99) == 0)
        #expect(registry.advance(entry, to: 100) == 0)
        #expect(registry.entry(entry.file)?.offset == 100)
    }

    @Test("Many advances are one write")
    func oneWrite() throws {
        let witness = Witness()
        let registry = try data.open(witness: witness)
        let entries = (1...20).map { registry.see(.sample($0)) }
        let before = witness.steps.count
        registry.advance(
            entries.map {
                Advance(file: $0.file, generation: $0.generation, offset: 9, anchor: .none, size: 9)
            })
        #expect(witness.steps.count == before + 1)
        #expect(registry.entries().allSatisfy { $0.offset == 9 && $0.size == 9 })
    }

    @Test("A renamed file keeps its position; its path and state are saved")
    func moved() throws {
        let registry = try data.open()
        let entry = registry.see(.sample(1))
        registry.advance(entry, to: 10)
        registry.moved(entry.file, path: "/data/logs/1/@40000000.s", state: .archived)
        let after = try #require(try data.copy().open().entry(entry.file))
        #expect(after.path == "/data/logs/1/@40000000.s" && after.state == .archived)
        #expect(after.offset == 10 && after.generation == entry.generation)
    }

    @Test("A generation's id hangs on all that it is minted of")
    func generations() {
        let handle = FileIdentity(handle: [0, 0, 0, 1, 0xAB], device: 5, inode: 6, birth: 7)
        let birth = FileIdentity(handle: nil, device: 5, inode: 6, birth: 7)
        let (mint, other) = (Generation(seed: [1, 2]), Generation(seed: [1, 3]))
        let file = FileID(number: 3)
        let ids = [
            mint.mint(handle, file, count: 0), mint.mint(birth, file, count: 0),
            mint.mint(birth, file, count: 1), mint.mint(birth, FileID(number: 4), count: 0),
            other.mint(birth, file, count: 0),
        ]
        #expect(Set(ids).count == 5)
        // Nor does one opening mint an id twice, whatever counts say.
        #expect(!ids.contains(mint.mint(birth, file, count: 0)))
        #expect(Generation.random().seed != Generation.random().seed)
    }

    /// Each way in which it comes about that a file is seen for the first time more than once.
    @Test("A file that is seen anew never gets an id again that it had")
    func idsAfterLoss() throws {
        var ids: [GenerationID] = []
        for _ in 0..<2 {
            // Another registry knows nothing of this one.
            let other = try Data()
            let registry = try other.open()
            let first = registry.see(.sample(1))
            let truncated = try #require(
                registry.truncated(
                    first.file, identity: first.identity, fingerprint: first.fingerprint))
            registry.gone(first.file)
            let back = registry.see(.sample(1))
            ids += [first.generation, truncated.generation, back.generation]
            try registry.edit([.forget(back.file)])
            registry.close()
            // What a power cut takes with it is a number that was given, too.
            let again = try other.open()
            ids.append(again.see(.sample(1)).generation)
            again.close()
        }
        #expect(Set(ids).count == ids.count)
    }

    @Test("A generation's id is read back and not computed again")
    func savedGeneration() throws {
        let first = try data.open()
        let entry = first.see(.sample(1))
        first.close()
        // As if minting worked otherwise in this version.
        let other = GenerationID(value: entry.generation.value ^ 1)
        let text = { (id: GenerationID) in String(id.value, radix: 16) }
        try data.rewriteJournal { $0.replacing(text(entry.generation), with: text(other)) }
        #expect(try data.open().entry(entry.file)?.generation == other)
    }

    @Test("An input's first scan is remembered, also when the journal is lost to a power cut")
    func inputs() throws {
        let registry = try data.open()
        #expect(!registry.inputIsKnown("pods"))
        registry.inputScanned("pods")
        #expect(registry.inputIsKnown("pods") && !registry.inputIsKnown("other"))
        let copy = try data.copy()
        let journal = try copy.bytes("journal.jsonl")
        let header = try #require(journal.firstIndex(of: 0x0A))
        try copy.put("journal.jsonl", Array(journal[...header]))
        let after = try copy.open()
        #expect(after.inputIsKnown("pods") && after.recovery.isWhole)
    }

    @Test("Compaction keeps every entry, shortens the journal, and numbers go on")
    func compaction() throws {
        let recorder = Recorder()
        let registry = try data.open(recorder)
        let entries = (1...700).map { registry.see(.sample($0)) }
        for entry in entries.prefix(300) { registry.gone(entry.file) }
        for entry in entries.suffix(400) { registry.advance(entry, to: 10) }
        let before = try data.bytes("journal.jsonl").count
        registry.compact()
        #expect(recorder.compactions == 1)
        #expect(try data.bytes("journal.jsonl").count < 200 && before > 100_000)
        let more = registry.see(.sample(9999))
        #expect(more.file.number == 701)
        registry.advance(entries[500], to: 20)
        let after = try data.copy().open()
        #expect(after.recovery.isWhole && after.entries() == registry.entries())
        registry.close()
        #expect(try data.open().entries() == after.entries())
        #expect(try data.names == ["journal.jsonl", "snapshot.jsonl"])
    }

    @Test("The journal's growth is bounded")
    func bounded() throws {
        let recorder = Recorder()
        let registry = try data.open(recorder)
        let entry = registry.see(.sample(1, path: String(repeating: "p", count: 4000)))
        var longest = 0
        for round in 0..<4500 {
            registry.moved(
                entry.file, path: String(repeating: "p", count: 4000) + "\(round)", state: .active)
            longest = max(longest, try data.journalLength())
            registry.compactIfDue()
        }
        #expect(longest > Registry.smallestJournalLimit && recorder.compactions == 2)
        #expect(longest < Registry.smallestJournalLimit + 10_000)
    }

    @Test("A number is never given to a second file, not even after its file left")
    func numbers() throws {
        let first = try data.open()
        let entry = first.see(.sample(1))
        first.gone(entry.file)
        first.compact()
        first.close()
        #expect(try data.open().see(.sample(2)).file > entry.file)
    }

    @Test("Sync forces the journal to the disk once per change, not once per call")
    func syncs() throws {
        let recorder = Recorder()
        let witness = Witness()
        let registry = try data.open(recorder, witness: witness)
        let entry = registry.see(.sample(1))
        registry.sync()
        registry.sync()
        #expect(recorder.syncs == 1)
        registry.advance(entry, to: 5)
        registry.sync()
        #expect(recorder.syncs == 2)
        #expect(witness.steps.count { $0 == .synchronise("journal.jsonl") } == 2)
    }

    @Test("After close nothing is written any more, and the directory is free")
    func closed() throws {
        let registry = try data.open()
        let entry = registry.see(.sample(1))
        registry.close()
        let bytes = try data.bytes("journal.jsonl")
        registry.advance(entry, to: 5)
        registry.sync()
        registry.compact()
        registry.close()
        #expect(try data.bytes("journal.jsonl") == bytes)
        #expect(!registry.isWritten)
        _ = try data.open()
    }

    @Test("R5: a clock that jumps back or beyond all bounds loses nothing")
    func clock() throws {
        var state = RegistryState()
        let entry = FileEntry.sample(1)
        _ = state.apply(.seen(entry))
        let later = Advance(
            file: entry.file, generation: entry.generation, offset: 5000, anchor: .none)
        let changed = state.apply(.advance(later, at: Timestamp(milliseconds: 0)))
        #expect(changed)
        #expect(state.table[entry.file]?.offset == 5000)
    }

    @Test("Entries by number, handle, inode and stream stay in step through random changes")
    func tableModel() {
        var random = SplitMix(seed: 3)
        var table = EntryTable()
        var model: [FileID: FileEntry] = [:]
        for round in 0..<3000 {
            let number = Int.random(in: 1...600, using: &random)
            let file = FileID(number: number)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let removed = table.remove(file)
                #expect(removed == (model.removeValue(forKey: file) != nil))
            case 1:
                let changed = table.change(file) { $0.offset = LogicalOffset(round) }
                #expect(changed == (model[file] != nil))
                model[file]?.offset = LogicalOffset(round)
            default:
                let streams = ["a", "b", "c\(number % 50)"]
                var entry = FileEntry.sample(
                    number, stream: streams[Int.random(in: 0..<3, using: &random)])
                entry.identity = .sample(UInt64.random(in: 1...300, using: &random))
                table.put(entry)
                model[file] = entry
            }
        }
        #expect(table.count == model.count)
        #expect(table.sorted == model.values.sorted { $0.file < $1.file })
        for stream in ["a", "b", "none"] + (0..<50).map({ "c\($0)" }) {
            let expected = model.values.filter { $0.stream == stream }
            #expect(
                table.entries(ofStream: stream) == expected.sorted { $0.file < $1.file })
        }
        for number in UInt64(1)...300 {
            let identity = FileIdentity.sample(number)
            let expected = model.values.filter { $0.identity == identity }.map(\.file).sorted()
            #expect(table.candidates(for: identity).map(\.file).sorted() == expected)
        }
    }
}

extension Data {
    /// Changes the journal's lines as text and gives each its right checksum again.
    func rewriteJournal(_ change: (String) -> String) throws {
        var bytes: [UInt8] = []
        for line in try self.bytes("journal.jsonl").split(separator: 0x0A) {
            let content = line.dropLast(JournalFormat.checksumLength)
            let changed = Array(change(String(decoding: content, as: UTF8.self)).utf8)
            let sum = String(Checksum.crc32(changed.span), radix: 16)
            bytes += changed + JournalFormat.checksumKey
            bytes += Array((String(repeating: "0", count: 8 - sum.count) + sum + "\"}\n").utf8)
        }
        try put("journal.jsonl", bytes)
    }

    func journalLength() throws -> Int {
        try Descriptor.directory(atPath: "\(path)/registry").status(of: "journal.jsonl").size
    }
}
