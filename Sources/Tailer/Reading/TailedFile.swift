import Model
import Platform

/// One open file of a stream, from its opening to the end of its bytes. Lives on the reader thread.
final class TailedFile {
    let id: FileID
    let descriptor: Descriptor
    let identity: FileIdentity
    /// Its name in the stream's directory; nil when it has none there any more.
    var name: [UInt8]?
    var path: String
    /// Logical offset of the next byte to hand over. Everything before was taken by the output.
    var position: Int
    /// Logical minus physical offset.
    private(set) var base: Int
    /// Logical size when last looked at.
    var size: Int
    /// The bytes before `position`, at most `Anchor.longest`: when the file does not hold them any
    /// more, its content is another one.
    private(set) var anchor: [UInt8]
    /// The byte before `position` is there and is no newline.
    var continuesLine: Bool { anchor.last.map { $0 != UInt8(ascii: "\n") } ?? false }
    /// Bytes at the beginning that the output knows for the fingerprint.
    var headLength: Int
    /// Nobody will write to it any more.
    private(set) var isFinal = false
    /// It became final since its size was last looked at: the size that is known may be an old one,
    /// and what looks like an unfinished line at its end may go on.
    var hasOldSize = false
    /// Since when it has not been the stream's live file, monotonic nanoseconds; nil while it is.
    var drainsSince: Int64?
    /// The bytes from `position` to `size` are the beginning of a line and were looked at: there is
    /// nothing to do before the file grows or becomes final.
    var waitsForMore = false
    /// `--once`: the logical offset where reading ends.
    var limit = Int.max

    init(
        start: FileStart, descriptor: consuming Descriptor, sighting: FileSighting,
        name: [UInt8], anchor: [UInt8]
    ) {
        id = start.file
        self.descriptor = descriptor
        identity = sighting.identity
        self.name = name
        path = sighting.path
        position = start.offset
        base = start.base
        size = start.base + sighting.size
        headLength = sighting.head.count
        self.anchor = anchor
    }

    /// Whether only more bytes, or the proof that none will come, give this file anything to do.
    var continuesToWait: Bool { waitsForMore && !isFinal }

    /// Logical offset where reading has to end for now.
    var end: Int { min(size, limit) }

    /// No name anywhere leads to it.
    var isUnlinked: Bool {
        do throws(SystemError) {
            return try descriptor.status().links == 0
        } catch {
            // A network file system says so of a file that somebody else removed.
            return true
        }
    }

    /// The first `count` bytes of `chunk`, which begins at `position`, are taken.
    func advance(over chunk: Span<UInt8>, _ count: Int) {
        position += count
        // Bytes that were read are there, whatever the last look at the size said.
        size = max(size, position)
        if count < Anchor.longest {
            anchor.removeFirst(max(0, anchor.count + count - Anchor.longest))
        } else {
            anchor.removeAll(keepingCapacity: true)
        }
        for index in max(0, count - Anchor.longest)..<count { anchor.append(chunk[index]) }
    }

    /// From now on what is there is all there will be.
    func becomeFinal() {
        guard !isFinal else { return }
        isFinal = true
        hasOldSize = true
        waitsForMore = false
    }

    /// It has its stream's own name again, so it may be written to again.
    func becomeLive() {
        isFinal = false
        drainsSince = nil
    }

    /// The content is another one: back to its first byte.
    func restart(at start: FileStart, size: Int, headLength: Int) {
        self.headLength = headLength
        position = start.offset
        base = start.base
        self.size = start.base + size
        anchor = []
        waitsForMore = false
        if limit != .max { limit = self.size }
    }
}
