package import Platform

/// Finds the files that patterns match at this moment, by one walk that opens no file.
package enum MatchingFiles {
    /// In the order of inputs and paths. What cannot be looked at is handed to `report`, and those
    /// of `mounts` that do not answer to `silent`.
    package static func now(
        _ inputs: [TailerInput], mounts: MountTable? = nil, report: (TailerEvent) -> Void,
        silent: (String) -> Void = { _ in }
    ) -> [MatchingFile] {
        var found = TreeWalk.all(inputs, mounts: mounts, report: report, silent: silent) { look in
            look.matches.filter { $0.kind != .other && !$0.isMissing }.map {
                MatchingFile(
                    input: $0.input, path: look.node.text(of: $0.name), link: $0.link?.origin.path,
                    isLink: $0.kind == .link)
            }
        }
        for file in found where file.isLink {
            report(.linkNotFollowed(path: file.path, reason: "the input has no follow_symlinks"))
        }
        found.removeAll(where: \.isLink)
        found.sort { ($0.input, $0.path) < ($1.input, $1.path) }
        // Patterns whose prefixes overlap lead to a file twice; the first input has it.
        var seen: Set<[UInt8]> = []
        return found.filter { seen.insert(Array($0.path.utf8)).inserted }
    }
}

/// A regular file that an input's pattern matches now.
package struct MatchingFile: Hashable, Sendable {
    /// Index of the input.
    package let input: Int
    /// The path as text for people.
    package let path: String
    /// The link that leads to it, which a pattern matches; nil where one matches the file.
    package let link: String?
    /// It is a link itself.
    fileprivate let isLink: Bool
}
