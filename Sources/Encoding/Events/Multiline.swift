package import Expressions

/// Which lines belong to one event.
package struct Multiline: Sendable {
    /// How a line stands to the lines beside it.
    package enum Grouping: Sendable {
        /// A line that matches (or, where `negate`, one that does not) goes on with the event
        /// before it, or the next line goes on with it.
        case pattern(Expression, negate: Bool, match: Side)
        /// So many lines each.
        case count(Int)
    }

    /// Where the event is that a matching line belongs to.
    package enum Side: Hashable, Sendable {
        case after, before
    }

    /// By what, or how many, lines are one event.
    package let grouping: Grouping
    /// A line that matches is the last one of its event.
    package let flush: Expression?
    /// Lines of an event at the most; what has more comes in parts.
    package let mostLines: Int
    /// Nanoseconds that an event waits for its next line.
    package let silence: Int64
    /// Lines are joined without a newline between them.
    package let skipsNewline: Bool

    /// `mostLines` above 0.
    package init(
        _ grouping: Grouping, flush: Expression? = nil, mostLines: Int = 500,
        silence: Int64 = 5_000_000_000, skipsNewline: Bool = false
    ) {
        self.grouping = grouping
        self.flush = flush
        self.mostLines = mostLines
        self.silence = silence
        self.skipsNewline = skipsNewline
    }

    /// Whether a line begins an event, and whether it ends one, where `before` lines of its event
    /// were before it. What an expression cannot tell for a limit does not match.
    func place(of line: Span<UInt8>, before: Int) -> (begins: Bool, ends: Bool) {
        switch grouping {
        case .count(let count): return (false, before + 1 >= count)
        case .pattern(let pattern, let negate, let match):
            let goesOn = Self.finds(pattern, line) != negate
            var ends = match == .before && !goesOn
            if !ends, let flush { ends = Self.finds(flush, line) }
            return (match == .after && !goesOn, ends)
        }
    }

    private static func finds(_ pattern: Expression, _ line: Span<UInt8>) -> Bool {
        pattern.mayBegin(line) && ExpressionText.with(line) { $0.contains(pattern) == true }
    }
}
