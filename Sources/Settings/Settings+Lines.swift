package import Expressions

/// What an input does with lines beside reading them.
extension Settings {
    /// `include_lines`, `exclude_lines`, `drop` and `mask` of an input.
    package struct Lines: Hashable, Sendable {
        /// Where there are any, a line has to match one of them.
        package let include: [Expression]
        /// A line that matches one of them is left out.
        package let exclude: [Expression]
        /// Lines whose own time is longer ago are left out; nil: none for that.
        package let dropOlderThan: Duration?
        /// In the order of the file.
        package let masks: [Mask]

        /// They ask for something.
        package var hasAny: Bool {
            !include.isEmpty || !exclude.isEmpty || dropOlderThan != nil || !masks.isEmpty
        }
    }

    /// What is replaced in messages.
    package struct Mask: Hashable, Sendable {
        /// All its matches are.
        package let pattern: Expression
        /// Stands in the place of each, as it is; 1,000 bytes at the most.
        package let with: String
    }

    func describe(_ lines: Lines, _ text: inout YAMLText) {
        text.list("include_lines", lines.include.map(\.pattern))
        text.list("exclude_lines", lines.exclude.map(\.pattern))
        if let age = lines.dropOlderThan {
            text.key("drop")
            text.indented { $0.pair("older_than", Quantity.text(age)) }
        }
        guard !lines.masks.isEmpty else { return }
        text.key("mask")
        for mask in lines.masks {
            text.item { text in
                text.pair("pattern", mask.pattern.pattern)
                text.pair("with", mask.with)
            }
        }
    }
}
