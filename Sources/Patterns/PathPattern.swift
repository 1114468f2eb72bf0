import Model

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
    /// The segments after the prefix; never empty, and the last one is no `**`.
    package let below: PatternSegments

    /// Parses `text`; throws what is wrong with it in words for its author.
    package init(_ text: String) throws(PathPatternError) {
        guard text.first == "/" else { throw PathPatternError.relative(text) }
        guard !text.utf8.contains(0) else { throw PathPatternError.nulByte(text) }
        let (segments, names) = try PatternSegments.parse(text)
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
        self.below = PatternSegments(Array(segments.dropFirst(fixed.count)))
    }

    /// The one path that it matches; nil for a pattern that may match any number.
    package var literalPath: [UInt8]? {
        guard below.segments.count == 1, case .name(let pattern) = below.segments[0],
            let name = pattern.literal
        else { return nil }
        return Array("\(prefix)/\(name)".utf8)
    }

    /// The captures when this pattern matches all of `path`; nil when it does not.
    package func match(_ path: String) -> [String: String]? {
        guard ExactText(path).isBeneath(prefix) else { return nil }
        return below.match(path.utf8.dropFirst(prefix.utf8.count))
    }
}

extension PathPattern {
    /// Whether it matches all of a path as the kernel has it.
    package func matches(_ path: [UInt8]) -> Bool {
        let fixed = Array("\(prefix)/".utf8)
        guard path.starts(with: fixed) else { return false }
        return below.match(path.dropFirst(fixed.count)) != nil
    }
}

/// The fault of a path pattern.
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
    case captureInGlob(String, in: String)

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
            "the pattern \"\(text)\" ends in a directory; its last segment has to name files, as in "
                + Self.filesBelow(text)
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
        case .captureInGlob(let name, let text):
            "the pattern \"\(text)\" captures {\(name)}, which nothing would use; write * instead"
        }
    }

    /// The pattern of all files beneath the directories that `text` names.
    package static func filesBelow(_ text: String) -> String {
        var directory = text[...]
        while true {
            if directory.hasSuffix("/") {
                directory = directory.dropLast()
            } else if directory == "**" || directory.hasSuffix("/**") {
                directory = directory.dropLast(2)
            } else {
                break
            }
        }
        let begin = text.hasPrefix("/") || !directory.isEmpty ? "\(directory)/" : ""
        return begin + "**/*"
    }
}
