/// A path pattern of an input: an absolute path whose segments may hold `*`, `?`, `[a-z]` as in
/// glob(7), `{word}`, which captures what it stands for, or be `**`, any number of directories.
package struct PathPattern: Hashable, Sendable {
    /// The pattern as it was written.
    package let text: String
    /// The directory that everything matched lies beneath, without a trailing `/`: the segments
    /// before the first that is not literal, and never the last one.
    package let prefix: String
    /// Names in braces, in their order.
    package let captures: [String]
    /// What comes after the prefix; never empty, and the last one is no `**`.
    let segments: [Segment]

    enum Segment: Hashable, Sendable {
        case anyDirectories
        case name(SegmentPattern)
    }

    /// Parses `text`; throws what is wrong with it in words for its author.
    package init(_ text: String) throws(PathPatternError) {
        guard text.first == "/" else { throw PathPatternError.relative(text) }
        guard !text.utf8.contains(0) else { throw PathPatternError.nulByte(text) }
        var names: [String] = []
        var segments: [Segment] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: true) {
            if part == "." || part == ".." { throw PathPatternError.dots(text) }
            if part == "**" {
                if segments.last != .anyDirectories { segments.append(.anyDirectories) }
                continue
            }
            let pattern = try SegmentPattern(part, in: text)
            for name in pattern.captures {
                if names.contains(name) { throw PathPatternError.captureTwice(name, in: text) }
                names.append(name)
            }
            segments.append(.name(pattern))
        }
        guard case .name = segments.last, text.last != "/" else {
            throw PathPatternError.endsInDirectory(text)
        }
        var fixed: [String] = []
        for segment in segments.dropLast() {
            guard case .name(let pattern) = segment, let literal = pattern.literal else { break }
            fixed.append(literal)
        }
        guard !fixed.isEmpty else { throw PathPatternError.noFixedPrefix(text) }
        self.text = text
        self.captures = names
        self.prefix = "/" + fixed.joined(separator: "/")
        self.segments = Array(segments.dropFirst(fixed.count))
    }

    /// What is captured when this pattern matches all of `path`; nil when it does not.
    package func match(_ path: String) -> [String: String]? {
        guard path.hasPrefix(prefix + "/") else { return nil }
        let names = path.utf8.dropFirst(prefix.utf8.count).split(separator: UInt8(ascii: "/"))
        var places = start
        for (index, name) in names.enumerated() {
            let step = self.step(from: places, into: Array(name))
            if index == names.count - 1 { return step.match }
            places = step.below
        }
        return nil
    }
}

/// What is wrong with a path pattern.
package enum PathPatternError: Error, Hashable, CustomStringConvertible {
    case relative(String)
    case nulByte(String)
    case dots(String)
    case captureTwice(String, in: String)
    case endsInDirectory(String)
    case noFixedPrefix(String)
    case badCapture(String, in: String)
    case openBracket(String)
    case partDoubleStar(String)

    package var description: String {
        switch self {
        case .relative(let text):
            "the pattern \"\(text)\" is relative; it has to start with /"
        case .nulByte(let text):
            "the pattern \"\(text)\" holds a NUL byte, which no path can"
        case .dots(let text):
            "the pattern \"\(text)\" holds a . or .. segment; write the path without it"
        case .captureTwice(let name, let text):
            "the pattern \"\(text)\" captures {\(name)} twice; give each capture a name of its own"
        case .endsInDirectory(let text):
            "the pattern \"\(text)\" ends in a directory; its last segment has to name files"
        case .noFixedPrefix(let text):
            "the pattern \"\(text)\" has no fixed prefix; at least its first segment has to be a "
                + "plain directory name that is not the file itself, as in /data/logs/*.log"
        case .badCapture(let capture, let text):
            "the pattern \"\(text)\" holds {\(capture)}; a capture is a word of letters, digits "
                + "and _ in braces, as in {namespace}"
        case .openBracket(let text):
            "the pattern \"\(text)\" opens a [ or { that it does not close in the same segment"
        case .partDoubleStar(let text):
            "the pattern \"\(text)\" holds ** beside other characters; ** has to be a whole segment"
        }
    }
}

/// Where a walk down the directories stands in a pattern.
struct PatternPlace: Hashable, Sendable {
    /// Index of the segment that the next name has to match.
    var segment: Int
    var captured: [String: String] = [:]
}

extension PathPattern {
    /// Where a walk stands in the prefix directory.
    var start: [PatternPlace] { [PatternPlace(segment: 0)] }

    /// What one more name leads to: the captures when the whole pattern matches it as a file, and
    /// where the walk stands below it when it is a directory.
    func step(
        from places: [PatternPlace], into name: [UInt8]
    ) -> (match: [String: String]?, below: [PatternPlace]) {
        var match: [String: String]?
        var below: [PatternPlace] = []
        for place in places {
            var place = place
            if segments[place.segment] == .anyDirectories {
                // `**` takes this name as one more directory, and stands for none as well.
                // Hidden directories are meant only when they are named, as in glob(7).
                if name.first != UInt8(ascii: "."), !below.contains(place) { below.append(place) }
                place.segment += 1
            }
            guard case .name(let pattern) = segments[place.segment],
                pattern.matches(name, captured: &place.captured)
            else { continue }
            place.segment += 1
            if place.segment == segments.count {
                match = match ?? place.captured
            } else if !below.contains(place) {
                below.append(place)
            }
        }
        return (match, below)
    }
}
