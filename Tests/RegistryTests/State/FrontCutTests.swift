import Model
import Platform
import TestSupport
import Testing

@testable import Registry

@Suite("The front of a file is removed")
struct FrontCutTests {
    private let data: Data
    /// Where the registry is that was opened last.
    private final class Place {
        var data: Data
        init(_ data: Data) { self.data = data }
    }
    private let place: Place
    private let old = [UInt8](repeating: UInt8(ascii: "o"), count: 2000)
    private let new = [UInt8](repeating: UInt8(ascii: "n"), count: 2000)
    private let zeros = [UInt8](repeating: 0, count: 1024)
    private let length = 8192

    init() throws {
        data = try Data()
        place = Place(data)
    }

    /// A file of which 10,000 bytes are delivered.
    private func begin(_ registry: Registry) -> FileEntry {
        let entry = registry.see(
            NewFile(
                input: "pods", stream: "/log/app.log", path: "/log/app.log", identity: .sample(1),
                fingerprint: .of(head: old), offset: .start, size: 12_000))
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: entry.offset + 10_000,
                anchor: Anchor(bytes: Array(old[..<Anchor.longest])), size: 12_000)
        ])
        return registry.entry(entry.file) ?? entry
    }

    private func archive() -> NewFile {
        NewFile(
            input: "pods", stream: "/log/app.log", path: "/log/app.log.1", identity: .sample(2),
            fingerprint: .of(head: old), offset: PhysicalOffset(length),
            size: PhysicalOffset(length), state: .archived)
    }

    private func cut(_ registry: Registry, _ entry: FileEntry) -> FileEntry? {
        registry.beginCut(
            entry.file, entry.generation, length: length, head: new, archive: archive())
    }

    /// Closes it, or leaves it as a kill would, and opens it again.
    private func again(_ registry: Registry, compacted: Bool) throws -> Registry {
        if compacted {
            registry.compact()
            registry.close()
        } else {
            place.data = try place.data.copy()
        }
        return try place.data.open(allowsCuts: true)
    }

    @Test(
        "R1: a kill at each step: the file's first bytes say how far it came",
        arguments: [false, true])
    func killed(compacted: Bool) throws {
        var registry = try data.open(allowsCuts: true)
        let entry = begin(registry)
        _ = try #require(cut(registry, entry))
        registry = try again(registry, compacted: compacted)
        let punching = try #require(registry.entry(entry.file))
        #expect(punching.cut?.step == .punching)
        #expect(registry.entries().count == 2)
        #expect(punching.cutEnd(old) == .untouched)
        #expect(punching.cutEnd(zeros) == .punched)
        // It cannot have come so far yet: a log of one line again and again begins so before, too.
        #expect(punching.cutEnd(new) == nil)
        #expect(registry.announceCollapse(entry.file))
        registry = try again(registry, compacted: compacted)
        let collapsing = try #require(registry.entry(entry.file))
        #expect(collapsing.cutEnd(old) == nil)
        #expect(collapsing.cutEnd(zeros) == .punched)
        #expect(collapsing.cutEnd(new) == .collapsed)
        // Whoever finds the file before anybody has looked at that finds it as it is.
        guard case .same(let found) = registry.find(identity: .sample(1), head: new) else {
            Issue.record("it is not found")
            return
        }
        #expect(found.base == Base(entry.base.bytes + length))
        #expect(found.offset == entry.offset)
        #expect(found.generation == entry.generation)
        #expect(found.anchor == entry.anchor)
        #expect(found.size == PhysicalOffset(12_000 - length))
        #expect(found.fingerprint == .of(head: new))
        registry = try again(registry, compacted: compacted)
        #expect(registry.entry(entry.file)?.base == found.base)
        #expect(registry.entry(entry.file)?.cut == nil)
    }

    @Test func whatWasNotBegunIsTakenBackWithTheArchivesEntry() throws {
        let registry = try data.open(allowsCuts: true)
        let entry = begin(registry)
        _ = try #require(cut(registry, entry))
        let (settled, end) = try #require(registry.settleCut(entry.file, head: old))
        #expect(end == .untouched)
        #expect(settled.base == entry.base && settled.fingerprint == entry.fingerprint)
        #expect(registry.entries().map(\.file) == [entry.file])
        #expect(registry.settleCut(entry.file, head: old) == nil)
    }

    @Test func aHoleThatStaysIsWhatTheFileIsKnownByFromThenOn() throws {
        let registry = try data.open(allowsCuts: true)
        let entry = begin(registry)
        _ = try #require(cut(registry, entry))
        let (settled, end) = try #require(registry.settleCut(entry.file, head: zeros))
        #expect(end == .punched)
        #expect(settled.base == entry.base)
        #expect(registry.find(identity: .sample(1), head: zeros) == .same(settled))
    }

    @Test("O3: what is not delivered, of another generation, or under way is not begun")
    func refused() throws {
        let registry = try data.open(allowsCuts: true)
        let entry = begin(registry)
        func cut(_ length: Int, _ generation: GenerationID, _ head: [UInt8]) -> FileEntry? {
            registry.beginCut(
                entry.file, generation, length: length, head: head, archive: archive())
        }
        #expect(cut(10_000, entry.generation, new) == nil)
        #expect(cut(.max, entry.generation, new) == nil)
        #expect(cut(0, entry.generation, new) == nil)
        #expect(cut(length, GenerationID(value: 1), new) == nil)
        #expect(cut(length, entry.generation, zeros) == nil)
        #expect(cut(length, entry.generation, new) != nil)
        #expect(cut(length, entry.generation, new) == nil)
        #expect(registry.entries().count == 2)
    }

    @Test func deliveriesGoOnMeanwhile() throws {
        let registry = try data.open(allowsCuts: true)
        let entry = begin(registry)
        _ = try #require(cut(registry, entry))
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: entry.offset + 500,
                anchor: Anchor(bytes: Array("later\n".utf8)))
        ])
        #expect(registry.announceCollapse(entry.file))
        let (settled, _) = try #require(registry.settleCut(entry.file, head: new))
        #expect(settled.offset == entry.offset + 500)
        #expect(settled.anchor.bytes == Array("later\n".utf8))
        #expect(
            try data.copy().open(allowsCuts: true).entry(entry.file) == registry.entry(entry.file))
    }

    private func versions(_ data: Data) throws -> [Int] {
        try ["snapshot.jsonl", "journal.jsonl"].map { name in
            let head = String(decoding: try data.bytes(name).prefix(60), as: UTF8.self)
            return head.contains(#""version":1,"#) ? 1 : head.contains(#""version":2,"#) ? 2 : 0
        }
    }

    /// What an older agent does not read is written only where somebody rotates.
    @Test func theNewFormatIsWrittenOnlyWhereFrontsMayGo() throws {
        var registry = try data.open()
        let entry = begin(registry)
        registry.compact()
        registry.advance(entry, to: entry.offset + 100)
        let known = registry.entry(entry.file)
        #expect(try versions(data) == [1, 1])
        #expect(cut(registry, entry) == nil)
        registry.close()
        registry = try data.open(allowsCuts: true)
        #expect(try versions(data) == [2, 2])
        #expect(registry.recovery.damagedCount == 0)
        #expect(registry.entry(entry.file) == known)
        registry.close()
        registry = try data.open()
        #expect(try versions(data) == [1, 1])
        #expect(registry.entry(entry.file) == known)
        registry.close()
        registry = try data.open(allowsCuts: true)
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: entry.offset + 200,
                anchor: Anchor(bytes: Array(old[..<Anchor.longest])))
        ])
        _ = try #require(cut(registry, entry))
        registry.close()
        // There is one that has to be finished.
        registry = try data.open()
        #expect(try versions(data) == [2, 2])
        #expect(registry.entry(entry.file)?.cut != nil)
    }

    @Test func whatStandsBeforeThePositionHasToBeKnown() throws {
        let registry = try data.open(allowsCuts: true)
        let entry = begin(registry)
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: entry.offset + 500,
                anchor: .none)
        ])
        #expect(cut(registry, entry) == nil)
    }

    @Test func theArchiveStaysKnownWhereAHoleIsOrNobodyRemovesIt() throws {
        let registry = try data.open(allowsCuts: true)
        let entry = begin(registry)
        _ = try #require(cut(registry, entry))
        let touched = try #require(registry.settleCut(entry.file, head: old, isTouched: true))
        #expect(touched.end == .punched)
        #expect(touched.entry.fingerprint == entry.fingerprint)
        #expect(registry.entries().count == 2)
        _ = try #require(cut(registry, entry))
        guard case .same(let found) = registry.find(identity: .sample(1), head: old) else {
            Issue.record("it is not found")
            return
        }
        #expect(found.cut == nil)
        #expect(registry.entries().count == 3)
    }
}
