import Model
import Platform

/// A file that is open and was looked at, and that is not taken up yet. Lives on the reader thread.
final class Candidate {
    let request: FileOpener.Request
    let source: OpenFile
    let status: FileStatus
    let identity: FileIdentity
    /// The first bytes of its content, at most `Fingerprint.longest`.
    let head: [UInt8]
    /// Its content is compressed.
    let packed: GzipReader?

    init(
        _ request: FileOpener.Request, _ descriptor: consuming Descriptor, _ status: FileStatus,
        _ identity: FileIdentity
    ) throws(SystemError) {
        self.request = request
        self.status = status
        self.identity = identity
        source = OpenFile(descriptor)
        let head = try source.descriptor.read(count: Fingerprint.longest, at: 0)
        guard request.mayBePacked, GzipReader.isGzip(head) else {
            self.head = head
            packed = nil
            return
        }
        let reader = try GzipReader(source.descriptor, size: status.size)
        var content = [UInt8](repeating: 0, count: Fingerprint.longest)
        let count = try reader.read(into: &content, at: 0, in: source.descriptor)
        self.head = Array(content.prefix(count))
        packed = reader
    }

    /// `head` as far as it is known to be written.
    var begin: [UInt8] { packed == nil ? FileSighting.written(head) : head }

    /// Bytes of its content; of a compressed one what it says itself.
    var size: Int { packed?.size ?? status.size }

    /// At most `count` bytes of a plain one.
    func read(count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
        try source.descriptor.read(count: count, at: offset)
    }

    func sighting(isFirstScan: Bool) -> FileSighting {
        let stream = request.stream
        return FileSighting(
            input: stream.input, stream: stream.id, streamName: stream.name,
            isS6: stream.kind == .s6, path: request.path, captures: stream.captures,
            identity: identity, head: head, begin: begin, size: size,
            archived: request.isArchived, firstScan: isFirstScan)
    }

    /// Whether it holds what a file held that was read up to the physical offset `position`, and whose
    /// bytes before that are `anchor`. Its head is known to agree.
    ///
    /// A copy that ends before the position has nothing unread; a compressed one is compared when it
    /// is read.
    func continues(at position: Int, after anchor: [UInt8]) throws(SystemError) -> Bool {
        guard packed == nil, status.size >= position, position > 0, !anchor.isEmpty else {
            return true
        }
        let known = anchor.suffix(position)
        return try read(count: known.count, at: position - known.count) == Array(known)
    }

    /// Whether its content is the beginning of what `file` holds now.
    func isBeginning(of file: TailedFile) throws(SystemError) -> Bool {
        guard packed == nil, status.size > 0 else { return false }
        let source = try file.opened()
        guard try source.descriptor.status().size >= status.size else { return false }
        let start = max(0, status.size - Anchor.longest)
        let theirs = try source.descriptor.read(count: head.count, at: 0)
        guard theirs == head else { return false }
        return try source.descriptor.read(count: status.size - start, at: start)
            == read(count: status.size - start, at: start)
    }

    /// Whether its content was the beginning of what `other`, a plain file, held when that was looked
    /// at. Where that was truncated since, only their beginnings tell.
    func wasBeginning(of other: Candidate) throws(SystemError) -> Bool {
        guard packed == nil, status.size > 0, status.size <= other.status.size,
            other.head.starts(with: head)
        else { return false }
        guard try other.source.descriptor.status().size >= status.size else { return true }
        let start = max(0, status.size - Anchor.longest)
        return try other.read(count: status.size - start, at: start)
            == read(count: status.size - start, at: start)
    }
}
