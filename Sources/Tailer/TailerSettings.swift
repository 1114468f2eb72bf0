import Model
import Platform
package import Patterns

/// One input, as far as the Tailer has to know it.
package struct TailerInput: Sendable {
    /// As the configuration has it; unique.
    package let name: String
    /// Patterns of files, of which the first one that matches counts.
    package let paths: [PathPattern]
    /// Files to leave out, whatever `paths` say.
    package let exclude: [PathGlob]
    /// Directories beneath which symbolic links that `paths` match are followed, as
    /// `/var/log/pods`; none is followed where there are none.
    package let linkRoots: [String]
    /// Where rotated files may go, beside the directories of their logs.
    package let archives: [PathPattern]
    /// Bytes of a message at the most; longer lines are split.
    package let maxLine: Int
    /// How lines are found.
    package let form: LineForm
    /// Between two looks at a file that is being written to, nanoseconds. All files of an input are
    /// looked at together, each time that so much of the monotonic clock is over.
    package let sweep: Int64

    package init(
        name: String, paths: [PathPattern], exclude: [PathGlob], maxLine: Int,
        form: LineForm = .ascii, archives: [PathPattern] = [], linkRoots: [String] = [],
        sweep: Int64 = 5_000_000
    ) {
        self.form = form
        self.linkRoots = linkRoots
        self.name = name
        self.paths = paths
        self.exclude = exclude
        self.archives = archives
        self.sweep = sweep
        self.maxLine = maxLine
    }
}

extension TailerInput {
    /// Whether a file of this path, as `PathText` spells it, is read.
    package func reads(_ path: String) -> Bool {
        let bytes = PathText.bytes(of: path)
        return paths.contains { $0.matches(bytes) } && !exclude.contains { $0.matches(path) }
    }

    /// The same without exclusions, for a command that tells what they leave out.
    package var withoutExclusions: TailerInput {
        TailerInput(
            name: name, paths: paths, exclude: [], maxLine: maxLine, form: form,
            archives: archives, linkRoots: linkRoots, sweep: sweep)
    }

    /// Whether a link may lead to a file of this path.
    package func mayFollow(to path: String) -> Bool {
        linkRoots.contains { ExactText(path).isBeneath($0) }
            && !exclude.contains { $0.matches(path) }
    }

    /// Directories from which its files are opened.
    package var prefixes: [String] { paths.map(\.prefix) + linkRoots }
}

/// The intervals of the Tailer, in nanoseconds; tests shorten them.
package struct TailerIntervals: Sendable {
    /// Between two looks at a file that somebody copies, and is about to truncate: what was written
    /// after the copy and is not read before that, is lost.
    package var truncationPoll: Int64 = 200_000
    /// How long a file is expected to be truncated after it was copied: a person's copy is followed
    /// by no truncation.
    package var truncationPatience: Int64 = 2_000_000_000
    /// Between two looks at a file that grows fast: a stream with plenty to read waits for no
    /// sweep.
    package var fastestPoll: Int64 = 5_000_000
    /// The longest time between two looks at a quiet file that is not watched, unless a sweep is
    /// longer; they double up to it.
    package var slowestPoll: Int64 = 640_000_000
    /// The longest sweep, whatever the inputs say.
    package var longestSweep = Int64.max
    /// Quiet time after which a file is no longer polled but watched for one write.
    package var idle: Int64 = 5_000_000_000
    /// Files that are followed without being dormant, before those that are read become so at once
    /// and not when they were quiet for `idle`; nil for twice as many as may be open.
    package var mostAwake: Int?
    /// Between two scans of a directory that inotify watches.
    package var watchedScan: Int64 = 60_000_000_000
    /// Between two scans of a directory that it does not, or in which something could not be read.
    package var unwatchedScan: Int64 = 1_000_000_000
    /// How long what links lead to waits at most until all that patterns lead to was walked once.
    package var firstWalk: Int64 = 10_000_000_000
    /// How long a renamed file whose writers cannot be seen is kept for late writes.
    package var drain: Int64 = 300_000_000_000

    package init() {}
}

extension TailerIntervals {
    /// Long intervals end together with others, each so many parts of the shortest of them: with
    /// one wake-up for each quiet file a node at rest would do little else.
    private static let parts: Int64 = 8

    /// When a file is looked at that waits for `interval`.
    func pollDue(_ now: MonotonicTime, _ interval: Int64) -> MonotonicTime {
        guard interval >= slowestPoll else { return now + interval }
        return (now + interval).next(multipleOf: max(1, slowestPoll / Self.parts))
    }

    /// When a directory is scanned that is to be so after `interval`.
    func scanDue(_ now: MonotonicTime, _ interval: Int64) -> MonotonicTime {
        guard interval >= unwatchedScan else { return now + interval }
        let part = max(1, unwatchedScan / Self.parts)
        return (now + (interval - part)).next(multipleOf: part)
    }
}
