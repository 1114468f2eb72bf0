import Machine

/// Which of the lines that were written are in the archives and the log, and how often. Files are
/// taken from the oldest on, as one sequence of bytes: a line may begin in one and end in the next.
struct KeptLines {
    private let lines: NumberedLines
    private var counts: [UInt8]
    /// Of a line that has begun.
    private var begun: [UInt8] = []
    private var last = -1
    /// Bytes of all files, without the holes at their beginnings.
    private(set) var bytes = 0
    /// What stands between two newlines and is no line that was written.
    private(set) var torn = 0
    /// Lines that stand behind one that was written later.
    private(set) var misplaced = 0

    /// Where `written` lines were.
    init(_ lines: NumberedLines, written: Int) {
        self.lines = lines
        counts = Array(repeating: 0, count: written)
    }

    /// Lines that are nowhere.
    var lost: Int { counts.count { $0 == 0 } }

    /// How often a line stands somewhere once more.
    var repeated: Int { counts.reduce(0) { $0 + max(0, Int($1) - 1) } }

    /// Takes what a file holds. `hasHole`: the zeros at its beginning are not its content.
    mutating func take(_ path: String, hasHole: Bool = false) throws(MachineError) {
        var isAtHole = hasHole
        try readPieces(path) { piece in
            var piece = piece
            if isAtHole {
                piece = piece.drop { $0 == 0 }
                isAtHole = piece.isEmpty
            }
            take(piece)
        }
    }

    mutating func take(_ piece: ArraySlice<UInt8>) {
        bytes += piece.count
        var rest = piece
        while let end = rest.firstIndex(of: 0x0A) {
            if begun.isEmpty {
                note(rest[..<end])
            } else {
                begun += rest[..<end]
                note(begun[...])
                begun.removeAll(keepingCapacity: true)
            }
            rest = rest[(end + 1)...]
        }
        begun += rest
    }

    /// What stands behind the last newline is torn.
    mutating func end() {
        if !begun.isEmpty { torn += 1 }
        begun = []
    }

    private mutating func note(_ line: ArraySlice<UInt8>) {
        guard let number = lines.number(of: line), counts.indices.contains(number) else {
            torn += 1
            return
        }
        if counts[number] < .max { counts[number] += 1 }
        if number < last { misplaced += 1 }
        last = number
    }

    /// What is wrong; nil: each line is there once, whole and in its place.
    var fault: String? {
        let found = [
            (lost, "lost"), (repeated, "twice"), (torn, "torn"), (misplaced, "out of order"),
        ].filter { $0.0 > 0 }.map { "\(Number.grouped($0.0)) \($0.1)" }
        return found.isEmpty ? nil : "lines kept: " + found.joined(separator: ", ")
    }

    /// The log and its archives `NAME.1`, `NAME.2` and so on, as they lie in a directory: the oldest
    /// one first, the log at the end.
    static func order(_ names: [String], log: String) -> [String] {
        let archives = names.compactMap { name in
            name.hasPrefix(log + ".") ? Int(name.dropFirst(log.utf8.count + 1)) : nil
        }
        return archives.sorted(by: >).map { "\(log).\($0)" } + (names.contains(log) ? [log] : [])
    }
}
