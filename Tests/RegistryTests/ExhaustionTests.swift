import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Registry

/// Every step of a story is a fault point: the machine stops there, or the step fails.
@Suite("Faults at every step") struct ExhaustionTests {
    /// A moment right before a step.
    private struct Moment {
        let step: FileStep
        let files: [String: [UInt8]]
        let truth: FaultStory.Truth
        let afterPowerCut: [[String: [UInt8]]]
    }

    private final class Moments: Sendable {
        private struct State: ~Copyable {
            var moments: [Moment] = []
            var problems: [String] = []
        }
        private let state = Mutex(State())
        private let power = Mutex(PowerModel())
        let data: Data
        let story: FaultStory

        init(_ data: Data, _ story: FaultStory) {
            self.data = data
            self.story = story
        }

        var all: [Moment] { state.withLock { $0.moments } }
        var problems: [String] { state.withLock { $0.problems } }

        func keep(_ step: FileStep) {
            do {
                var files: [String: [UInt8]] = [:]
                for name in try data.names { files[name] = try data.bytes(name) }
                let outcomes = power.withLock { $0.outcomes(before: step, now: files) }
                let moment = Moment(
                    step: step, files: files, truth: story.truth, afterPowerCut: outcomes)
                state.withLock { $0.moments.append(moment) }
            } catch {
                state.withLock { $0.problems.append("\(step): \(error)") }
            }
        }
    }

    /// The story with a look before each step, and the moment after the last.
    private func moments() throws -> [Moment] {
        let data = try Data()
        let story = FaultStory()
        let moments = Moments(data, story)
        let witness = Witness { step in
            moments.keep(step)
            return nil
        }
        let registry = try data.open(witness: witness)
        story.run(registry)
        try story.edit(registry)
        registry.close()
        moments.keep(.synchroniseDirectory)
        #expect(moments.problems == [])
        return moments.all
    }

    private func start(_ files: [String: [UInt8]]) throws -> (Data, Registry) {
        let data = try Data()
        _ = try data.temporary.makeDirectory("data/registry")
        try changeMode(data.path, 0o700)
        for (name, bytes) in files { try data.put(name, bytes) }
        return (data, try data.open())
    }

    /// The registry works after it was opened, and one more start finds it whole.
    private func expectUsable(_ data: Data, _ registry: Registry, _ what: String) throws {
        let entry = registry.see(.sample(77))
        registry.advance(entry, to: 3)
        let expected = registry.entries()
        registry.close()
        let again = try data.open()
        #expect(again.recovery.isWhole && again.entries() == expected, "\(what)")
    }

    @Test("R1: killed before any step, and in the middle of any write at every byte")
    func kills() throws {
        let moments = try moments()
        var points = 0
        for (index, moment) in moments.enumerated() {
            let what = "\(index): \(moment.step)"
            let (data, registry) = try start(moment.files)
            #expect(registry.recovery.isWhole, "\(what): \(registry.recovery)")
            let complaint = FaultStory.complaint(
                of: registry, moment.truth, floors: moment.truth.saved)
            #expect(complaint == nil, "\(what)")
            try expectUsable(data, registry, what)
            points += 1
            guard case .write(let name, let count) = moment.step, index + 1 < moments.count,
                let after = moments[index + 1].files[name]
            else { continue }
            let before = moment.files[name] ?? []
            #expect(after.count == before.count + count)
            // What is being written beside means nothing until it is renamed: a few cuts will do.
            let stride = name.hasSuffix(".new") ? max(1, count / 3) : 1
            for cut in Swift.stride(from: 1, to: count, by: stride) {
                var files = moment.files
                files[name] = Array(after.prefix(before.count + cut))
                let (_, registry) = try start(files)
                #expect(registry.recovery.damagedCount == 0, "\(what), cut after \(cut)")
                let complaint = FaultStory.complaint(
                    of: registry, moment.truth, floors: moment.truth.saved)
                #expect(complaint == nil, "\(what), cut after \(cut)")
                points += 1
            }
        }
        #expect(points > 4000)
        if environmentValue("SHOW_FAULT_POINTS") != nil { print("killed at \(points) points") }
    }

    @Test("R1: a power cut at any step, whatever of the unforced the disk has kept")
    func powerCuts() throws {
        var points = 0
        for (index, moment) in try moments().enumerated() {
            for (number, files) in moment.afterPowerCut.enumerated() {
                let what = "\(index): \(moment.step), outcome \(number)"
                let (data, registry) = try start(files)
                #expect(registry.recovery.damagedCount == 0, "\(what): \(registry.recovery)")
                let complaint = FaultStory.complaint(
                    of: registry, moment.truth, floors: moment.truth.forced)
                #expect(complaint == nil, "\(what)")
                try expectUsable(data, registry, what)
                points += 1
            }
        }
        #expect(points > 200)
        if environmentValue("SHOW_FAULT_POINTS") != nil { print("power cut at \(points) points") }
    }

    /// Fails steps by their number.
    private final class Failing: Sendable {
        private let state = Mutex<(count: Int, failing: Range<Int>)>((0, 0..<0))
        let code: Errno

        init(_ failing: Range<Int>, _ code: Errno) {
            self.code = code
            state.withLock { $0.failing = failing }
        }

        var count: Int { state.withLock { $0.count } }

        func next() -> Errno? {
            state.withLock { state in
                defer { state.count += 1 }
                return state.failing.contains(state.count) ? code : nil
            }
        }

        func end() { state.withLock { $0.failing = 0..<0 } }
    }

    @Test(
        "R1: any step fails, once or with those after it: nothing is lost, and what comes is saved",
        arguments: [Errno.inputOutput, .noSpace], [1, 7])
    func failures(code: Errno, length: Int) throws {
        let quiet = Failing(0..<0, code)
        let undisturbed = try Data()
        let counted = try undisturbed.open(witness: Witness { _ in quiet.next() })
        FaultStory().run(counted)
        counted.close()
        #expect(quiet.count > 50)
        for failing in 0..<quiet.count {
            let what = "step \(failing)"
            let data = try Data()
            let story = FaultStory()
            let recorder = Recorder()
            let faults = Failing(failing..<(failing + length), code)
            let witness = Witness { _ in faults.next() }
            let registry: Registry
            do {
                registry = try data.open(recorder, witness: witness)
            } catch {
                // Where not even the first journal can be made there is nothing to be saved in.
                #expect(failing < 5, "\(what): \(error)")
                faults.end()
                try data.open(recorder, witness: witness).close()
                continue
            }
            story.run(registry)
            #expect(registry.health.failure == nil || !registry.isWritten, "\(what)")
            let killed = try data.copy().open()
            #expect(killed.recovery.damagedCount == 0, "\(what): \(killed.recovery)")
            let truth = story.truth
            #expect(FaultStory.complaint(of: killed, truth, floors: [:]) == nil, "\(what)")
            faults.end()
            try registry.recover()
            #expect(registry.isWritten && registry.health.failure == nil, "\(what)")
            #expect(recorder.failures.count == recorder.recoveries, "\(what)")
            let saved = try data.copy().open()
            #expect(saved.recovery.isWhole && saved.entries() == registry.entries(), "\(what)")
            let complaint = FaultStory.complaint(of: saved, truth, floors: truth.saved)
            #expect(complaint == nil, "\(what)")
            registry.close()
        }
        if environmentValue("SHOW_FAULT_POINTS") != nil {
            print("failed at \(quiet.count) points, \(length) at a time")
        }
    }

    @Test("R1: an edit that fails at any step is done whole or not at all")
    func edits() throws {
        var failing = 0
        while true {
            let data = try Data()
            let registry = try data.open()
            FaultStory().run(registry)
            let before = registry.entries()
            let (forgotten, rewound) = (before[0].file, before[1].file)
            registry.close()
            let step = Failing(failing..<(failing + 1), .noSpace)
            let second = try data.open(witness: Witness { _ in step.next() })
            var hasFailed = false
            do {
                try second.edit([
                    .forget(forgotten), .rewind(rewound, to: 2, anchor: .none, size: nil),
                ])
            } catch {
                hasFailed = true
            }
            second.close()
            let after = try data.copy().open()
            #expect(after.recovery.isWhole)
            let isDone = after.entry(forgotten) == nil && after.entry(rewound)?.offset == 2
            let isUndone = after.entries() == before
            #expect(isDone || isUndone, "step \(failing)")
            #expect(hasFailed || isDone, "step \(failing)")
            if step.count <= failing { break }
            failing += 1
        }
        #expect(failing >= 10)
    }

    /// 1. The new journal is written beside the old one, and is about to be renamed.
    /// 2. The rename takes its time. An advance comes in, and another one after it.
    /// 3. The machine stops before the rename, or after it: either journal has both advances.
    @Test("R1, R6: an advance while the journal changes hands waits for nothing and is in both")
    func whileRenaming() throws {
        for failing in [nil, FileStep.rename("journal.jsonl.new", to: "journal.jsonl")] {
            let data = try Data()
            let box = Mutex<Registry?>(nil)
            let before = Mutex<[FileEntry]>([])
            let witness = Witness { step in
                guard step == .rename("journal.jsonl.new", to: "journal.jsonl"),
                    let registry = box.withLock({ $0 }), let entry = registry.entries().first
                else { return nil }
                registry.advance(entry, to: 20)
                registry.advance(entry, to: 30)
                do {
                    let killed = try data.copy().open()
                    before.withLock { $0 = killed.entries() }
                } catch {
                    Issue.record("\(error)")
                }
                return step == failing ? .inputOutput : nil
            }
            let registry = try data.open(witness: witness)
            let entry = registry.see(.sample(1))
            registry.advance(entry, to: 10)
            box.withLock { $0 = registry }
            registry.compact()
            box.withLock { $0 = nil }
            #expect(before.withLock { $0 } == registry.entries())
            let after = try data.copy().open()
            #expect(after.recovery.isWhole && after.entries() == registry.entries())
            #expect(after.entry(entry.file)?.offset == 30)
            registry.advance(entry, to: 40)
            registry.close()
            let last = try data.open()
            #expect(last.recovery.isWhole && last.entry(entry.file)?.offset == 40)
        }
    }

    @Test("R1: a write that the new journal refuses while it changes hands leaves both whole")
    func refusedBySuccessor() throws {
        let data = try Data()
        let recorder = Recorder()
        let box = Mutex<Registry?>(nil)
        let isRenaming = Mutex(false)
        let witness = Witness { step in
            if case .write("journal.jsonl.new", _) = step, isRenaming.withLock({ $0 }) {
                return .noSpace
            }
            guard step == .rename("journal.jsonl.new", to: "journal.jsonl"),
                let registry = box.withLock({ $0 }), let entry = registry.entries().first
            else { return nil }
            isRenaming.withLock { $0 = true }
            registry.advance(entry, to: 20)
            isRenaming.withLock { $0 = false }
            return nil
        }
        let registry = try data.open(recorder, witness: witness)
        let entry = registry.see(.sample(1))
        box.withLock { $0 = registry }
        registry.compact()
        box.withLock { $0 = nil }
        #expect(recorder.failures.count == 1 && registry.entry(entry.file)?.offset == 20)
        registry.sync()
        #expect(registry.isWritten && recorder.recoveries == 1)
        let after = try data.copy().open()
        #expect(after.recovery.isWhole && after.entries() == registry.entries())
    }

    @Test("R1: data are forced before the rename, the directory after it, snapshot before journal")
    func order() throws {
        let witness = Witness()
        let data = try Data()
        let registry = try data.open(witness: witness)
        let before = witness.steps.count
        registry.compact()
        let kinds = witness.steps[before...].filter {
            if case .write = $0 { false } else { true }
        }
        #expect(
            kinds == [
                .create("snapshot.jsonl.new"), .synchronise("snapshot.jsonl.new"),
                .rename("snapshot.jsonl.new", to: "snapshot.jsonl"), .synchroniseDirectory,
                .create("journal.jsonl.new"), .synchronise("journal.jsonl.new"),
                .rename("journal.jsonl.new", to: "journal.jsonl"), .synchroniseDirectory,
            ])
    }
}
