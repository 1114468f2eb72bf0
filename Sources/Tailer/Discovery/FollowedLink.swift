import Model
import Platform

/// A symbolic link that an input has followed, of which one may lead to the next. Lives on the
/// reader thread.
final class FollowedLink {
    /// What a pattern makes of the first link of a chain: so the file at its end is treated.
    struct Origin: Equatable {
        /// The link that the pattern matches, for people.
        let path: String
        let input: Int
        /// Index among the input's patterns.
        let pattern: Int
        let captures: [String: String]

        static func == (a: Origin, b: Origin) -> Bool {
            (a.input, a.pattern) == (b.input, b.pattern) && ExactText(a.path) == ExactText(b.path)
                && a.captures.count == b.captures.count
                && a.captures.allSatisfy { name, value in
                    b.captures[name].map { ExactText($0) == ExactText(value) } ?? false
                }
        }
    }

    let origin: Origin
    /// For people; the origin's, or that of a link which it leads to.
    let path: String
    /// What is written in it.
    let text: [UInt8]
    /// Links from the origin up to this one.
    let depth: Int
    /// Where it leads; nil where it is not followed.
    var target: LinkTarget?
    /// The directory of that.
    weak var directory: DirectoryNode?
    /// The directory of the link that the pattern matches.
    private(set) weak var home: DirectoryNode?
    /// It leads there since the scan of this number had begun: only those after it know.
    var enteredAfter = 0
    /// It was seen by the scan of this number of its own directory.
    var seenBy = 0
    /// Since when it is not there, or leads elsewhere.
    var leftAt: MonotonicTime?
    /// Looks in a row that found nothing where it leads.
    var vainLooks = 0
    /// What was told last.
    var told: Told?

    enum Told: Equatable {
        case notFollowed(reason: String)
        case dangling
    }

    init(
        _ origin: Origin, path: String, text: [UInt8], depth: Int, home: DirectoryNode?
    ) {
        self.home = home
        self.origin = origin
        self.path = path
        self.text = text
        self.depth = depth
    }

    /// Where it leads, for people.
    var destination: String { target?.text ?? PathText.text(text) }

    /// Whether a file that both lead to is this one's: that of fewer steps, for it is found first;
    /// then that of the earlier input or pattern, or else of the path that is less.
    func comes(before other: FollowedLink) -> Bool {
        if depth != other.depth { return depth < other.depth }
        let (mine, theirs) = (origin, other.origin)
        if (mine.input, mine.pattern) != (theirs.input, theirs.pattern) {
            return (mine.input, mine.pattern) < (theirs.input, theirs.pattern)
        }
        return ExactText(mine.path) < ExactText(theirs.path)
    }
}
