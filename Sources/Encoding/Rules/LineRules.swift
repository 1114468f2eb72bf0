package import Expressions
package import Model

/// What an input wants of its lines beside their form: which of them become records, and what in
/// them nobody is to see. All of it is asked of the message that a record would have: of a whole
/// line or event, without its label.
package struct LineRules: Sendable {
    /// Where there are any, one of them has to match.
    package let include: [Expression]
    /// None of them may match.
    package let exclude: [Expression]
    /// What is replaced, in lines that become records.
    package let masks: [Mask]
    /// Lines whose own time is longer ago are left out, in milliseconds; those without a time are
    /// not.
    package let longestAgo: Int64?
    /// Bytes at which a line is cut: a part that is shorter is its last one.
    package let longestLine: Int

    package init(
        include: [Expression] = [], exclude: [Expression] = [], masks: [Mask] = [],
        longestAgo: Int64? = nil, longestLine: Int = 1
    ) {
        self.include = include
        self.exclude = exclude
        self.masks = masks
        self.longestAgo = longestAgo
        self.longestLine = longestLine
    }

    /// Every match of an expression, and the text that stands in its place.
    package struct Mask: Hashable, Sendable {
        /// All its matches are replaced.
        package let pattern: Expression
        /// As it is: nothing in it has a meaning.
        package let replacement: [UInt8]

        package init(pattern: Expression, replacement: [UInt8]) {
            self.pattern = pattern
            self.replacement = replacement
        }
    }

    /// Bytes of the longest text that stands for a match.
    var longestReplacement: Int { masks.map(\.replacement.count).max() ?? 0 }

    /// They ask something of a line, and do not mask alone.
    var looksAtLines: Bool { !include.isEmpty || !exclude.isEmpty || longestAgo != nil }

    /// They ask for nothing.
    package var isEmpty: Bool {
        include.isEmpty && exclude.isEmpty && masks.isEmpty && longestAgo == nil
    }

    /// What becomes of a line.
    enum Verdict {
        case kept
        case leftOut
        /// An expression reached a limit before it could tell: the line is a record, and says so.
        case undecided
    }

    /// Of a line whose own time is `time`, read at `now`; both in milliseconds since 1970.
    func verdict(_ message: Span<UInt8>, time: Int64?, now: Int64) -> Verdict {
        if let longestAgo, let time, time < now - longestAgo { return .leftOut }
        if include.isEmpty, exclude.isEmpty { return .kept }
        if let verdict = verdict(byFirstByteOf: message) { return verdict }
        return ExpressionText.with(message) { verdict($0) }
    }

    /// Nil where that does not tell.
    private func verdict(byFirstByteOf message: Span<UInt8>) -> Verdict? {
        if !include.isEmpty {
            for index in include.indices where include[index].mayBegin(message) { return nil }
            return .leftOut
        }
        for index in exclude.indices where exclude[index].mayBegin(message) { return nil }
        return .kept
    }

    private func verdict(_ text: borrowing ExpressionText) -> Verdict {
        var verdict = Verdict.kept
        if !include.isEmpty {
            var isIncluded = false
            for index in include.indices where !isIncluded {
                switch text.contains(include[index]) {
                case true?: isIncluded = true
                case false?: break
                case nil: verdict = .undecided
                }
            }
            if isIncluded { verdict = .kept }
            if !isIncluded, verdict == .kept { return .leftOut }
        }
        for index in exclude.indices {
            switch text.contains(exclude[index]) {
            case true?: return .leftOut
            case false?: break
            case nil: verdict = .undecided
            }
        }
        return verdict
    }
}

/// How often rules did something.
package struct LineCounts: Hashable, Sendable {
    /// Lines that did not become records.
    package var leftOut = 0
    /// Records of lines of which a limit did not let everything be told.
    package var undecided = 0
    /// Matches that were replaced.
    package var masked = 0
    /// Lines that were to be members of their documents and are text, or whose time could not be
    /// read.
    package var undecoded = 0
    /// Where the first of those begins.
    package var firstUndecoded: LogicalOffset?

    package init() {}

    /// None yet. No literal, as for `Frame.Flags`.
    package static var none: LineCounts { LineCounts() }
}
