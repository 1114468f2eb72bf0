import Model
import Platform
import Synchronization
import TestSupport

@testable import Registry

/// A run of a registry in which everything happens once, told in steps, with what a crash may find at
/// any moment. What it promises is written down before each call and after it.
final class FaultStory: Sendable {
    /// What may be found after a crash.
    struct Truth: Sendable {
        /// The most that was ever asked to be saved of each generation.
        var ceiling: [GenerationID: LogicalOffset] = [:]
        /// The least of each file that a kill may leave: what calls have returned for.
        var saved: [FileID: Floor] = [:]
        /// The least that a power cut may leave: what was forced to the disk.
        var forced: [FileID: Floor] = [:]
        /// Inputs whose scan was completed for good.
        var inputs: Set<String> = []
    }

    struct Floor: Hashable, Sendable {
        var count: Int
        var offset: LogicalOffset
    }

    private let state = Mutex(Truth())

    var truth: Truth { state.withLock { $0 } }

    /// What is wrong with a registry that was opened after a crash; nil for nothing.
    static func complaint(
        of registry: Registry, _ truth: Truth, floors: [FileID: Floor]
    ) -> String? {
        for entry in registry.entries() where entry.offset > truth.ceiling[entry.generation] ?? 0 {
            return "file \(entry.file.number) is at \(entry.offset), never acknowledged"
        }
        for (file, floor) in floors {
            guard let entry = registry.entry(file) else { return "file \(file.number) is missing" }
            if entry.generationCount < floor.count
                || (entry.generationCount == floor.count && entry.offset < floor.offset)
            {
                return "file \(file.number) is at \(entry.offset), behind \(floor.offset)"
            }
        }
        for input in truth.inputs where !registry.inputIsKnown(input) {
            return "the scan of \(input) is forgotten"
        }
        return nil
    }

    // MARK: What is done

    private func see(_ registry: Registry, _ number: UInt64, head: String = "head") -> FileEntry {
        let entry = registry.see(.sample(number, head: head))
        note(entry)
        return entry
    }

    private func note(_ entry: FileEntry) {
        state.withLock { truth in
            truth.ceiling[entry.generation] = max(
                truth.ceiling[entry.generation] ?? 0, entry.offset)
            truth.saved[entry.file] = Floor(count: entry.generationCount, offset: entry.offset)
        }
    }

    private func advance(_ registry: Registry, _ files: [FileID], _ offset: LogicalOffset) {
        let entries = files.compactMap { registry.entry($0) }
        state.withLock { truth in
            for entry in entries {
                truth.ceiling[entry.generation] = max(
                    truth.ceiling[entry.generation] ?? 0, offset)
            }
        }
        registry.advance(
            entries.map {
                Advance(
                    file: $0.file, generation: $0.generation, offset: offset,
                    anchor: Anchor(bytes: Array("\(offset)".utf8)), size: 9999)
            })
        for entry in entries.compactMap({ registry.entry($0.file) }) { note(entry) }
    }

    private func forced(_ body: () -> Void) {
        let before = state.withLock { $0.saved }
        body()
        state.withLock { $0.forced = before }
    }

    private func leaving(_ file: FileID, _ body: () -> Void) {
        state.withLock { truth in
            truth.saved[file] = nil
            truth.forced[file] = nil
        }
        body()
    }

    /// All of it. With faults, `edit` may throw; the story ends there.
    func run(_ registry: Registry) {
        let first = see(registry, 1)
        let second = see(registry, 2, head: "")
        advance(registry, [first.file, second.file], 10)
        forced { registry.sync() }
        registry.inputScanned("pods")
        state.withLock { truth in
            if registry.isWritten { truth.inputs = ["pods"] }
        }
        registry.headGrew(second.file, head: [1, 2, 3])
        advance(registry, [first.file], 20)
        if let again = registry.truncated(
            second.file, identity: .sample(2), fingerprint: .of(head: [9]))
        {
            note(again)
        }
        let third = see(registry, 3)
        advance(registry, [second.file, third.file], 5)
        registry.moved(first.file, path: "/a.1", state: .archived)
        forced { registry.sync() }
        if let (copy, live) = registry.continued(
            third.file, in: .sample(4), path: "/copy", size: 50, live: .sample(3))
        {
            note(copy)
            note(live)
            advance(registry, [copy.file, live.file], 8)
        }
        forced { registry.compact() }
        advance(registry, [first.file, second.file, third.file], 30)
        leaving(first.file) { registry.gone(first.file) }
        if let packed = registry.relocated(
            third.file, to: .sample(5), path: "/copy.gz", size: 7)
        {
            note(packed)
        }
        registry.settled()
        forced { registry.sync() }
        advance(registry, [second.file, third.file], 40)
        forced { registry.compact() }
        let last = see(registry, 6)
        advance(registry, [last.file], 1)
        forced { registry.sync() }
    }

    /// What operators do: a position goes back and an entry leaves, in one step.
    func edit(_ registry: Registry) throws(RegistryError) {
        let entries = registry.entries()
        guard entries.count > 1 else { return }
        state.withLock { truth in
            truth.saved[entries[0].file] = nil
            truth.forced[entries[0].file] = nil
            truth.saved[entries[1].file]?.offset = 0
            truth.forced[entries[1].file]?.offset = 0
        }
        try registry.edit([
            .forget(entries[0].file),
            .rewind(entries[1].file, to: 2, anchor: .none, size: nil),
        ])
    }
}

/// What a power cut would leave of a directory: the kernel keeps a file's content for certain only up
/// to its last fsync, and names only up to the last fsync of the directory. Fed with the steps before
/// each is taken.
struct PowerModel {
    private final class File {
        var forced: [UInt8] = []
    }
    private var names: [String: File] = [:]
    private var forcedNames: [String: File] = [:]
    /// The step that was told last: it is done when the next one is told.
    private var pending: FileStep?

    /// What may be on the disk after a power cut, of the files as they are now.
    mutating func outcomes(before step: FileStep, now: [String: [UInt8]]) -> [[String: [UInt8]]] {
        settle(now)
        pending = step
        var outcomes: [[String: [UInt8]]] = []
        for chosen in [names, forcedNames] {
            outcomes.append(chosen.mapValues(\.forced))
            // The kernel may have written back what nobody asked it to, and cut it anywhere.
            var cut = chosen.mapValues(\.forced)
            for (name, file) in chosen where names[name] === file {
                guard let content = now[name], content.starts(with: file.forced) else { continue }
                let more = content.count - file.forced.count
                cut[name] = Array(content.prefix(file.forced.count + more * 2 / 3))
            }
            outcomes.append(cut)
        }
        return outcomes
    }

    private mutating func settle(_ now: [String: [UInt8]]) {
        switch pending {
        case .create(let name): names[name] = File()
        case .synchronise(let name): names[name]?.forced = now[name] ?? []
        case .rename(let old, let new): names[new] = names.removeValue(forKey: old)
        case .remove(let name): names[name] = nil
        case .link(let old, let new): names[new] = names[old]
        case .synchroniseDirectory: forcedNames = names
        case .write, .truncate, nil: break
        }
    }
}
