import Model
import Platform
import Registry
import Tailer

/// What has to be true of an archive before any byte of it goes.
extension FileEntry {
    /// Nobody writes to it any more, and all its bytes are delivered. One of which no byte was ever
    /// read (`start: end`) is somebody else's. Places in one that is packed are those of what is in
    /// it.
    func isDone(size bytes: Int, isPacked: Bool) -> Bool {
        state == .archived && !anchor.bytes.isEmpty && size > .start
            && offset >= (isPacked ? end : base.logical(PhysicalOffset(bytes)))
    }

    /// Whether a file is the one that the entry says, and has the bytes that were delivered: by its
    /// identity, its first bytes and its last ones. Of one that is packed, the first bytes of what
    /// is in it, and how many it says there are.
    ///
    /// 1. An archive is removed, and its entry is there until a look of the reader.
    /// 2. Another file is put there, and gets the inode number at once.
    /// 3. By its number alone it would be one that is delivered.
    func isContent(
        of file: borrowing Descriptor, _ status: FileStatus, isPacked: Bool
    ) throws(SystemError) -> Bool {
        guard fingerprint.length > 0, identity.agrees(with: FileIdentity(of: file, status)) else {
            return false
        }
        let (bytes, anchor) = (base.physical(offset).bytes, anchor.bytes)
        guard isPacked else {
            guard bytes == status.size, bytes >= anchor.count,
                fingerprint.matches(head: try file.read(count: Fingerprint.longest, at: 0))
            else { return false }
            return try file.read(count: anchor.count, at: bytes - anchor.count) == anchor
        }
        // The length, modulo 2^32, is what a gzip file ends with.
        let trailer = try file.read(count: 4, at: max(0, status.size - 4))
        let length = trailer.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard trailer.count == 4, length == UInt64(max(0, size.bytes)) & 0xFFFF_FFFF else {
            return false
        }
        var head = [UInt8](repeating: 0, count: Fingerprint.longest)
        let content = Decompressor(.gzip, isWhole: true)
        let count = try content.read(
            into: &head, count: head.count, at: 0, budget: .max, in: file)
        guard let count, content.fault == nil else { return false }
        return fingerprint.matches(head: Array(head.prefix(count)))
    }

    /// Whether another entry says of another file that it has the same bytes.
    func hasContent(of other: FileEntry) -> Bool {
        fingerprint == other.fingerprint && fingerprint.length > 0 && base == other.base
            && generation == other.generation && size == other.size && offset == other.offset
            && anchor == other.anchor
    }
}
