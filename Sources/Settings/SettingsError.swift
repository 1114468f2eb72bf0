package import YAML

/// Everything that is wrong with a configuration, in the order of the text.
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as it was named.
    package let file: String
    /// Never empty.
    package let faults: [SettingsFault]

    /// Faults that `description` spells out; whoever has more mends these first.
    package static let shown = 50

    package init(file: String, faults: [SettingsFault]) {
        self.file = file
        self.faults = faults
    }

    /// One line for each fault: `FILE:LINE:COLUMN: KEY.PATH: WHAT IS WRONG; WHAT WAS EXPECTED`.
    package var description: String {
        var lines = faults.prefix(Self.shown).map { fault in
            let place = fault.mark.map { ":\($0)" } ?? ""
            let key = fault.key.isEmpty ? "" : fault.key + ": "
            return "\(file)\(place): \(key)\(fault.problem)"
        }
        if faults.count > Self.shown {
            lines.append("\(file): and \(faults.count - Self.shown) more")
        }
        return lines.joined(separator: "\n")
    }
}

/// One thing that is wrong with a configuration.
package struct SettingsFault: Hashable, Sendable {
    /// Nil for what concerns the file as a whole.
    package let mark: Mark?
    /// The full dotted path of the key, list items by their number from 0; empty for what is no
    /// matter of one key.
    package let key: String
    /// The fault, and what was expected, in one line.
    package let problem: String

    /// Makes `problem` fit into one line of a terminal: control characters escaped, 1,000
    /// characters at the most.
    package init(mark: Mark?, key: String, problem: String) {
        self.mark = mark
        self.key = key
        // Patterns and names of the file are repeated in it, with whatever they hold.
        self.problem = Excerpt.of(problem, longest: 1_000)
    }
}
