import Model

/// A pattern that chooses among paths that are known: those that an input leaves out, those that a
/// command is about. It is written like a path pattern, without captures, and where it does not
/// start with `/` it may lie in any directory. Unlike there, `*`, `?`, `[…]` and `**` stand for
/// what begins with a dot, too: what is read in a hidden directory can be left out as elsewhere.
package struct PathGlob: Hashable, Sendable {
    /// As it was written.
    package let text: String
    private let segments: PatternSegments

    /// Parses `text`; throws what is wrong with it in words for its author.
    package init(_ text: String) throws(PathPatternError) {
        guard !text.utf8.contains(0) else { throw PathPatternError.nulByte(text) }
        var (segments, captures) = try PatternSegments.parse(text)
        if let name = captures.first {
            throw PathPatternError.captureInGlob(name, in: text)
        }
        guard case .name = segments.last, text.last != "/" else {
            throw PathPatternError.endsInDirectory(text)
        }
        if !text.hasPrefix("/"), segments.first != .anyDirectories {
            segments.insert(.anyDirectories, at: 0)
        }
        self.text = text
        self.segments = PatternSegments(segments)
    }

    /// Whether the absolute `path`, as `PathText` spells it, is one of them.
    package func matches(_ path: String) -> Bool {
        segments.match(PathText.bytes(of: path), dots: .matched) != nil
    }

    /// Its last segment has no wildcard: it could be meant for a directory.
    package var namesOne: Bool {
        guard case .name(let name) = segments.segments.last else { return false }
        return name.literal != nil
    }

    /// Whether both choose the same for being written alike but for what says nothing, as `*.gz`
    /// and `**/*.gz`.
    package func isSame(as other: PathGlob) -> Bool { segments == other.segments }

    /// Whether there is a path that both match.
    package func canMeet(_ pattern: PathPattern) -> Bool {
        let fixed = pattern.prefix.split(separator: "/").map { name in
            PatternSegments.Segment.name(SegmentPattern(literal: Array(name.utf8)))
        }
        return PatternSegments(fixed + pattern.below.segments).canMeet(segments)
    }
}
