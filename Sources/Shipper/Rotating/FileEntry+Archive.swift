import Model
import Platform
import Registry

/// What has to be true of an archive before any byte of it goes.
extension FileEntry {
    /// Nobody writes to it any more, and all its bytes are delivered. One of which no byte was ever
    /// read (`start: end`) is somebody else's. Places in one that is packed are those of what is in
    /// it.
    func isDone(size bytes: Int, isPacked: Bool) -> Bool {
        state == .archived && !anchor.bytes.isEmpty && size > .start
            && offset >= (isPacked ? end : base.logical(PhysicalOffset(bytes)))
    }

    /// Whether another entry says of another file that it has the same bytes.
    func hasContent(of other: FileEntry) -> Bool {
        fingerprint == other.fingerprint && fingerprint.length > 0 && base == other.base
            && generation == other.generation && size == other.size && offset == other.offset
            && anchor == other.anchor
    }
}
