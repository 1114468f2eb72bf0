import Model
import Platform

/// The registry's knowledge as a value: records that are replayed at start and changes while
/// running go through the same `apply`.
struct RegistryState: Sendable {
    var table = EntryTable()
    /// Files that left lately.
    private(set) var departed = DepartedEntries()
    /// Inputs whose first scan is complete. Bounded by the inputs there ever were.
    var inputs: Set<String> = []
    /// Invariant: above the number of every file there is or was, but for numbers that nobody gave.
    private(set) var nextFile = 1
    /// Something was lost by damage, and not every input has been scanned since.
    var mustStartAtBeginning = false

    /// Whoever gives a number each nanosecond comes here in 18 years: a file or a record with a
    /// larger one is somebody's forgery, and numbers that went on from there could not be read some
    /// day.
    static let mostGiven = 1 << 59

    /// The number of the next file.
    var fresh: FileID {
        var number = nextFile
        while table[FileID(number: number)] != nil { number += 1 }
        return FileID(number: number)
    }

    /// Numbers below `number` were given.
    mutating func given(below number: Int) {
        if number <= Self.mostGiven { nextFile = max(nextFile, number) }
    }

    /// Takes a change and says whether it changed anything. The rules are those of the format:
    /// facts, own generation only, forward only.
    mutating func apply(_ change: Change) -> Bool {
        switch change {
        case .seen(let entry), .truncated(let entry), .cutting(let entry), .cut(let entry):
            return put(entry)
        case .advance(let advance, let at):
            return take(advance, at)
        case .head(let file, let generation, let fingerprint, let at):
            guard var entry = table[file], entry.generation == generation,
                entry.fingerprint.length < fingerprint.length
            else { return false }
            entry.fingerprint = fingerprint
            entry.updated = at
            table.put(entry)
            return true
        case .moved(let file, let path, let state, let at):
            guard let known = table[file],
                ExactText(known.path) != ExactText(path) || known.state != state
            else { return false }
            return table.change(file) { entry in
                entry.path = path
                entry.state = state
                entry.updated = at
            }
        case .gone(let file):
            if let entry = table[file] { departed.add(entry) }
            return table.remove(file)
        case .input(let name):
            return inputs.insert(name).inserted
        case .settled:
            defer { mustStartAtBeginning = false }
            return mustStartAtBeginning
        }
    }

    private mutating func put(_ new: FileEntry) -> Bool {
        given(below: new.file.number + 1)
        var entry = new
        if let known = table[new.file] {
            guard known.generationCount <= new.generationCount else { return false }
            if known.generation == new.generation, known.offset > new.offset {
                entry.offset = known.offset
                entry.anchor = known.anchor
            }
            guard known != entry else { return false }
        }
        table.put(entry)
        departed.remove(entry.file)
        return true
    }

    private mutating func take(_ advance: Advance, _ at: Timestamp) -> Bool {
        guard let known = table[advance.file], known.generation == advance.generation,
            known.offset <= advance.offset
        else { return false }
        let size = advance.size ?? known.size
        guard known.offset < advance.offset || known.size != size else { return false }
        return table.change(advance.file) { entry in
            entry.offset = advance.offset
            entry.anchor = advance.anchor
            entry.size = size
            entry.updated = at
        }
    }
}
