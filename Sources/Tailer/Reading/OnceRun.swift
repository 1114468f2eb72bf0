package import Model
import Platform

/// When a run with `--once` has done its work. A pure value.
///
/// A look takes up a bounded number of files, and gives up for a moment where a directory changes
/// under it, where another stream has a file, or where there is no descriptor. None of that is the
/// end: it is looked again for as long as that brings anything, and a few times more.
struct OnceRun {
    /// Looks in a row that brought nothing, before what is left is left.
    static let mostFutileLooks = 10
    /// Between two looks, nanoseconds.
    static let pause: Int64 = 200_000_000

    private var futileLooks = 0
    private var hasMoved = false

    /// Bytes were handed over, or a file was taken up or finished.
    mutating func moved() { hasMoved = true }

    /// Whether the run has done its work.
    enum Completion: Hashable {
        case isOver
        /// To look again after a pause.
        case isNot
    }

    /// Nothing is to be done at this moment. `isSettled`: nothing is left of what was there.
    mutating func pauses(isSettled: Bool) -> Completion {
        if isSettled { return .isOver }
        futileLooks = hasMoved ? 0 : futileLooks + 1
        hasMoved = false
        return futileLooks > Self.mostFutileLooks ? .isOver : .isNot
    }
}

/// Files and bytes that a run with `--once` has left unread of all that was there; plain values.
package struct TailerLeftovers: Sendable {
    /// Bytes of each file that were not handed over.
    package var files: [FileID: Int] = [:]
    /// Last lines of live files, without a newline: they wait for their ends. Not among `files`.
    package var unfinishedLines = 0
    /// Those of files that were rotated: they end where it is proven that nobody writes any more.
    var unprovenLines = 0
    /// Directories that could not be looked at to the end: not listed, or more rotated files in
    /// them than were taken up.
    package var directories = 0
    /// Names that could not be read, or are no regular files.
    package var names = 0
    /// Every directory was scanned.
    package var isScanned = false
    /// The reader ended by itself, and was not stopped.
    package var isOver = false

    package init() {}

    /// Nothing is left but what waits for its newline.
    package var isNothing: Bool { isOver && files.isEmpty && directories == 0 && names == 0 }

    /// Adds those that another reader has left.
    package mutating func add(_ other: TailerLeftovers) {
        files.merge(other.files) { $0 +| $1 }
        unfinishedLines += other.unfinishedLines
        unprovenLines += other.unprovenLines
        directories += other.directories
        names += other.names
        isScanned = isScanned && other.isScanned
        isOver = isOver && other.isOver
    }

    mutating func add(_ stream: LogStream) {
        for file in stream.files {
            // One that was out of reach and is back.
            files[file.id] = nil
            let unread = max(0, file.end - file.position)
            guard unread > 0 else { continue }
            if file.waitsForMore && !file.isFinal {
                unfinishedLines += 1
                if file.drainsSince != nil { unprovenLines += 1 }
            } else {
                files[file.id] = unread
            }
        }
    }
}
