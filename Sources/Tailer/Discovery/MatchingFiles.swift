private import Platform

/// A regular file that an input's pattern matches now.
package struct MatchingFile: Hashable, Sendable {
    /// Index of the input.
    package let input: Int
    /// The path as text for people.
    package let path: String
}

/// What the patterns match at this moment, by one walk that opens no file.
package enum MatchingFiles {
    /// In the order of inputs and paths. What cannot be looked at is handed to `report`.
    package static func now(
        _ inputs: [TailerInput], report: @escaping (TailerEvent) -> Void
    ) -> [MatchingFile] {
        let tree = DirectoryTree(
            inputs: inputs, intervals: TailerIntervals(), watches: .none(report: report),
            territory: Territory(.undivided(inputs), reader: 0), report: report)
        var found: [MatchingFile] = []
        tree.walk { look in
            for match in look.matches
            where match.kind != .link && match.kind != .other && !match.isAbsent {
                found.append(
                    MatchingFile(input: match.input, path: look.node.text(of: match.name)))
            }
        }
        found.sort { ($0.input, $0.path) < ($1.input, $1.path) }
        // Patterns whose prefixes overlap lead to a file twice; the first input has it.
        var seen: Set<[UInt8]> = []
        return found.filter { seen.insert(Array($0.path.utf8)).inserted }
    }
}
