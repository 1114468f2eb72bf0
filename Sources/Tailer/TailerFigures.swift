import Model
import Platform
import Synchronization

/// How much the reader thread has to look after. Set by that thread, a second after a change, or
/// ten where there is very much, and read by any other without a lock: the figures are of about the
/// same moment.
package final class TailerFigures: Sendable {
    private let fileCount = Atomic<Int>(0)
    private let openCount = Atomic<Int>(0)
    private let streamCount = Atomic<Int>(0)
    private let directoryCount = Atomic<Int>(0)
    private let watchCount = Atomic<Int>(0)
    private let unwatchedCount = Atomic<Int>(0)
    private let starvedCount = Atomic<Int>(0)
    private let unread = Atomic<Int>(0)
    private let unreadableCount = Atomic<Int>(0)
    private let heldFileCount = Atomic<Int>(0)
    private let heldByteCount = Atomic<Int>(0)

    package init() {}

    /// Files that are followed, open or parked.
    package var files: Int { fileCount.load(ordering: .relaxed) }
    /// Those that have a descriptor.
    package var openFiles: Int { openCount.load(ordering: .relaxed) }
    /// Logs that are followed, those without a directory included.
    package var streams: Int { streamCount.load(ordering: .relaxed) }
    /// Directories that patterns lead into.
    package var directories: Int { directoryCount.load(ordering: .relaxed) }
    /// inotify watches on directories and quiet files.
    package var watches: Int { watchCount.load(ordering: .relaxed) }
    /// Directories that inotify does not tell of, or in which something cannot be read, so that
    /// they are scanned often.
    package var unwatchedDirectories: Int { unwatchedCount.load(ordering: .relaxed) }
    /// Streams that have bytes and wait for in-flight credit.
    package var starvedStreams: Int { starvedCount.load(ordering: .relaxed) }
    /// Bytes of followed files that were not read when their sizes were last looked at, without the
    /// last lines of live files that have no newline yet.
    package var unreadBytes: Int { unread.load(ordering: .relaxed) }

    /// Names and directories that cannot be read at the moment.
    package var unreadable: Int { unreadableCount.load(ordering: .relaxed) }
    /// Open files that cannot be closed without a risk of loss.
    package var heldFiles: Int { heldFileCount.load(ordering: .relaxed) }
    /// Bytes of the disk that only descriptors of this process keep.
    package var heldBytes: Int { heldByteCount.load(ordering: .relaxed) }

    /// Plain values of one moment, counted by the reader thread.
    struct Count {
        var files = 0
        var openFiles = 0
        var streams = 0
        var directories = 0
        var watches = 0
        var unwatchedDirectories = 0
        var starvedStreams = 0
        var unreadBytes = 0
        var unreadable = 0
        var held = HeldShares.Amount()

        mutating func add(_ stream: LogStream) {
            streams += 1
            files += stream.files.count
            // What waits for its newline may do so for ever, and nobody can ship it meanwhile.
            for file in stream.files where !file.continuesToWait {
                unreadBytes +|= max(0, file.written - file.position)
            }
        }

        /// Streams that have one file each, which is read.
        mutating func add(dormant count: Int) {
            streams += count
            files += count
        }
    }

    func set(_ count: Count) {
        fileCount.store(count.files, ordering: .relaxed)
        openCount.store(count.openFiles, ordering: .relaxed)
        streamCount.store(count.streams, ordering: .relaxed)
        directoryCount.store(count.directories, ordering: .relaxed)
        watchCount.store(count.watches, ordering: .relaxed)
        unwatchedCount.store(count.unwatchedDirectories, ordering: .relaxed)
        starvedCount.store(count.starvedStreams, ordering: .relaxed)
        unread.store(count.unreadBytes, ordering: .relaxed)
        unreadableCount.store(count.unreadable, ordering: .relaxed)
        heldFileCount.store(count.held.files, ordering: .relaxed)
        heldByteCount.store(count.held.bytes, ordering: .relaxed)
    }
}
