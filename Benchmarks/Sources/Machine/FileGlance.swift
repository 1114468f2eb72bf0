internal import CMachine
internal import Glibc

/// What a file is at this moment.
package struct FileGlance: Hashable, Sendable {
    /// Tells it from the other files of its file system.
    package let inode: UInt64
    package let bytes: Int
    /// On the disk, or meant for it: without holes.
    package let allocatedBytes: Int

    /// Nil: there is none of this name.
    package init?(_ path: String) throws(MachineError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw MachineError("stat", path)
        }
        inode = UInt64(status.st_ino)
        bytes = Int(status.st_size)
        allocatedBytes = Int(status.st_blocks) * 512
    }
}

/// Hands out what a file holds, a piece at a time, from its first byte on.
package func readPieces(
    _ path: String, _ body: (ArraySlice<UInt8>) -> Void
) throws(MachineError) {
    let descriptor = try Descriptor.open(path, O_RDONLY)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        let count = unsafe read(descriptor.raw, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw MachineError("read", path) }
        if count == 0 { return }
        body(buffer[..<count])
    }
}
