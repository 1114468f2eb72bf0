import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite("When nothing can be written") struct WriteFailureTests {
    let data: Data
    private let fault = Fault()
    private let recorder = Recorder()
    init() throws { data = try Data() }

    @Test(
        "R3: positions stay in memory, it is told once, and everything is saved when there is space"
    )
    func full() throws {
        let registry = try data.open(recorder, witness: fault.witness)
        let known = registry.see(.sample(1))
        let leaving = registry.see(.sample(2))
        registry.advance(known, to: 10)
        fault.begin { if case .write = $0 { true } else { false } }
        registry.advance(known, to: 20)
        registry.gone(leaving.file)
        let seen = registry.see(.sample(3))
        registry.advance(seen, to: 5)
        registry.sync()
        #expect(registry.entry(known.file)?.offset == 20 && !registry.isWritten)
        #expect(recorder.failures.count == 1 && recorder.recoveries == 0)
        #expect(registry.health.failure == recorder.failures.first)
        #expect(registry.health.unsavedFiles == 3 && registry.health.entries == 2)
        #expect(
            recorder.failures.first?.description
                == "\(data.path)/registry: positions cannot be saved: test: No space left on device: "
                + "free space on its file system, or raise the limit; shipping goes on, and a "
                + "restart would repeat what is not saved")
        #expect(try data.copy().open().entry(known.file)?.offset == 10)
        fault.end()
        registry.advance(seen, to: 6)
        try registry.recover()
        #expect(registry.isWritten && recorder.recoveries == 1 && recorder.failures.count == 1)
        #expect(registry.health.failure == nil && registry.health.unsavedFiles == 0)
        #expect(registry.health.journalBytes == (try data.journalLength()))
        let after = try data.copy().open()
        #expect(after.recovery.isWhole && after.entries() == registry.entries())
    }

    @Test(
        "R3: whatever the disk says, it is told once with what to do, and all is saved when it is over",
        arguments: [
            (Errno.readOnly, "mount its file system writable"),
            (.permission, "give the shipper's user read and write permission"),
            (.inputOutput, "check the file system"), (.noQuota, "free space"),
        ])
    func codes(_ code: Errno, _ advice: String) throws {
        let registry = try data.open(recorder, witness: fault.witness)
        let entry = registry.see(.sample(1))
        registry.advance(entry, to: 10)
        fault.begin(code)
        for offset in 11...200 {
            registry.advance(entry, to: LogicalOffset(offset))
            registry.sync()
            registry.compactIfDue()
        }
        #expect(recorder.failures.count == 1 && registry.entry(entry.file)?.offset == 200)
        #expect(registry.health.failure?.description.contains(advice) == true)
        #expect(try data.copy().open().entry(entry.file)?.offset == 10)
        fault.end()
        try registry.recover()
        #expect(registry.health.failure == nil && recorder.recoveries == 1)
        #expect(try data.copy().open().entries() == registry.entries())
    }

    @Test("R3: a sync alone saves what could not be saved before")
    func bySync() throws {
        let registry = try data.open(recorder, witness: fault.witness)
        let entry = registry.see(.sample(1))
        fault.begin()
        registry.advance(entry, to: 20)
        fault.end()
        try registry.recover()
        #expect(registry.isWritten && recorder.recoveries == 1 && recorder.syncs == 1)
        #expect(try data.copy().open().entries() == registry.entries())
    }

    @Test("R3: a scan's completion and far more files than one write takes are saved as a snapshot")
    func many() throws {
        let registry = try data.open(recorder, witness: fault.witness)
        fault.begin()
        for number in UInt64(1)...2000 { _ = registry.see(.sample(number)) }
        registry.inputScanned("pods")
        #expect(!registry.isWritten)
        fault.end()
        try registry.recover()
        #expect(registry.isWritten && recorder.failures.count == 1 && recorder.recoveries == 1)
        let after = try data.copy().open()
        #expect(after.entries() == registry.entries() && after.inputIsKnown("pods"))
    }

    @Test("After a failed fsync the journal is written anew, for the kernel may have dropped pages")
    func fsync() throws {
        let registry = try data.open(recorder, witness: fault.witness)
        let entry = registry.see(.sample(1))
        fault.begin { $0 == .synchronise("journal.jsonl") }
        registry.sync()
        #expect(!registry.isWritten && recorder.failures.count == 1 && recorder.syncs == 0)
        registry.advance(entry, to: 5)
        #expect(try data.copy().open().entry(entry.file)?.offset == 5)
        registry.sync()
        #expect(registry.isWritten && recorder.compactions == 1 && recorder.recoveries == 1)
        fault.end()
        try registry.recover()
        #expect(try data.copy().open().entries() == registry.entries())
    }

    @Test("R1: a compaction that fails at any step loses nothing, and the next one succeeds")
    func compaction() throws {
        let reference = Witness()
        let counted = try data.open(witness: reference)
        let before = reference.steps.count
        counted.compact()
        let steps = reference.steps.count - before
        #expect(steps == 10)
        for failing in 0..<steps {
            let data = try Data()
            let recorder = Recorder()
            let left = Mutex<Int?>(nil)
            let witness = Witness { _ in
                left.withLock { left in
                    guard let count = left else { return nil }
                    left = count - 1
                    return count == 0 ? .noSpace : nil
                }
            }
            let registry = try data.open(recorder, witness: witness)
            let entries = (UInt64(1)...3).map { registry.see(.sample($0)) }
            left.withLock { $0 = failing }
            registry.compact()
            left.withLock { $0 = nil }
            #expect(recorder.failures.count == 1, "step \(failing)")
            registry.advance(entries[0], to: 10)
            let killed = try data.copy().open()
            #expect(killed.recovery.isWhole && killed.entries() == registry.entries())
            registry.compact()
            #expect(registry.isWritten && recorder.recoveries == 1, "step \(failing)")
            registry.advance(entries[0], to: 20)
            let after = try data.copy().open()
            #expect(after.recovery.isWhole && after.entries() == registry.entries())
        }
    }

    @Test(
        "A damaged registry on a full disk starts all the same, and is repaired when there is space"
    )
    func damagedAndFull() throws {
        let first = try data.open()
        let entry = first.see(.sample(1))
        first.close()
        var journal = try data.bytes("journal.jsonl")
        journal += Array("half a record".utf8)
        try data.put("journal.jsonl", journal)
        fault.begin()
        let second = try data.open(recorder, witness: fault.witness)
        #expect(second.entries() == [entry] && second.mustStartAtBeginning)
        #expect(!second.isWritten && recorder.failures.count == 1)
        second.advance(entry, to: 5)
        #expect(second.entry(entry.file)?.offset == 5)
        fault.end()
        try second.recover()
        #expect(second.isWritten && recorder.recoveries == 1)
        let after = try data.copy().open()
        #expect(after.recovery.isWhole && after.mustStartAtBeginning)
        #expect(after.entries() == second.entries())
    }

    @Test("The journal's growth is bounded also while it cannot be compacted; then it is memory")
    func boundedWhileFailing() throws {
        let registry = try data.open(recorder, witness: fault.witness)
        let entry = registry.see(.sample(1, path: String(repeating: "p", count: 60_000)))
        // Who may append to an open file may have lost the right to make one beside it.
        fault.begin { if case .create = $0 { true } else { false } }
        let bound = Registry.mostJournalLimits * Registry.smallestJournalLimit
        var longest = 0
        for round in 0..<800 {
            registry.moved(
                entry.file, path: String(repeating: "p", count: 60_000) + "\(round)",
                state: .active)
            registry.sync()
            registry.compactIfDue()
            longest = max(longest, try data.journalLength())
        }
        #expect(longest >= bound && longest < bound + 61_000)
        #expect(recorder.failures.count == 1 && registry.health.unsavedFiles == 1)
        fault.end()
        try registry.recover()
        #expect(try data.journalLength() < 1000)
        #expect(registry.isWritten && registry.health.failure == nil && recorder.recoveries == 1)
        #expect(try data.copy().open().entries() == registry.entries())
    }

    @Test(
        "A compaction that failed is made up for, and health does not stay bad for want of changes")
    func madeUpFor() throws {
        let registry = try data.open(recorder, witness: fault.witness)
        fault.begin { $0 == .create("journal.jsonl.new") }
        registry.inputScanned("pods")
        #expect(registry.health.failure != nil)
        registry.sync()
        #expect(recorder.failures.count == 1 && recorder.recoveries == 0)
        fault.end()
        try registry.recover()
        #expect(registry.health.failure == nil && recorder.recoveries == 1)
    }

    @Test("R3: a write that a real limit cuts in the middle of a line corrupts nothing")
    func cutShort() async throws {
        await #expect(processExitsWith: .success) {
            let data = try Data()
            let recorder = Recorder()
            let registry = try data.open(recorder)
            let entry = registry.see(.sample(1))
            registry.advance(entry, to: 1)
            let length = try data.journalLength()
            var offset = 1
            for room in stride(from: 1, to: 300, by: 3) {
                // Room for a part of the next line, or for one line and a part of another.
                try limitFileSize(try data.journalLength() + room)
                for _ in 0..<2 {
                    offset += 1
                    registry.advance(entry, to: LogicalOffset(offset))
                }
                try limitFileSize(nil)
                let killed = try data.copy().open()
                try #require(killed.recovery.damagedCount == 0)
                let saved = try #require(killed.entry(entry.file)).offset
                try #require((offset - 2...offset).contains(saved.bytes))
                registry.sync()
                try #require(registry.isWritten)
                let after = try data.copy().open()
                try #require(after.recovery.isWhole && after.entries() == registry.entries())
            }
            try #require(try data.journalLength() > length)
            try #require(recorder.failures.count > 50)
            try #require(recorder.failures.count == recorder.recoveries)
        }
    }
}

/// Lets steps fail while it is told to.
private final class Fault: Sendable {
    private let failing = Mutex<(@Sendable (FileStep) -> Bool)?>(nil)
    private let code = Mutex(Errno.noSpace)

    func begin(_ code: Errno) {
        self.code.withLock { $0 = code }
        begin()
    }

    func begin(_ what: @escaping @Sendable (FileStep) -> Bool = { _ in true }) {
        failing.withLock { $0 = what }
    }

    func end() { failing.withLock { $0 = nil } }

    var witness: Witness {
        Witness { [self] step in
            failing.withLock { $0?(step) ?? false } ? code.withLock { $0 } : nil
        }
    }
}
