import CLinux
import Glibc

/// An open file descriptor that one owner closes. Not copyable, so that it cannot be closed twice
/// or used after; the raw number stays in this module but for `withRawValue`.
///
/// May move between threads; one thread uses it at a time, but `pread`, `write` and `fsync` on one
/// descriptor from several threads are what the kernel makes of them.
package struct Descriptor: ~Copyable, Sendable {
    private let number: Int32

    /// Takes over `number`, which nobody else closes.
    package init(owning number: Int32) { self.number = number }

    deinit {
        // An error of close on what was only read, or was fsynced before, tells nothing: the
        // descriptor is gone in every case on Linux (close(2), "Dealing with error returns").
        _ = Glibc.close(number)
    }

    /// Lends the number to a call; it must not outlive `body`.
    package borrowing func withRawValue<R>(_ body: (Int32) throws -> R) rethrows -> R {
        try body(number)
    }

    /// Gives the number away: whoever gets it closes it.
    package consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// open(2). `flags` gets O_CLOEXEC; `mode` counts with O_CREAT.
    package static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0o600
    ) throws(SystemError) -> Descriptor {
        let number = retrying { unsafe clinux_open(path, flags | O_CLOEXEC, mode) }
        guard number >= 0 else { throw SystemError("open", path: path, code: .last) }
        return Descriptor(owning: number)
    }

    /// The same of a path that need not be UTF-8; bytes without NUL.
    package static func open(_ path: [UInt8], _ flags: Int32) throws(SystemError) -> Descriptor {
        let terminated = path + [0]
        let number = retrying {
            unsafe terminated.withUnsafeBytes { bytes in
                unsafe clinux_open(
                    bytes.assumingMemoryBound(to: CChar.self).baseAddress, flags | O_CLOEXEC, 0)
            }
        }
        guard number >= 0 else {
            throw SystemError("open", path: String(decoding: path, as: UTF8.self), code: .last)
        }
        return Descriptor(owning: number)
    }

    /// openat(2) beneath this directory. `flags` gets O_CLOEXEC.
    package borrowing func openAt(
        _ path: String, _ flags: Int32, mode: UInt32 = 0o600
    ) throws(SystemError) -> Descriptor {
        let directory = number
        let opened = retrying {
            unsafe clinux_openat(directory, path, flags | O_CLOEXEC, mode)
        }
        guard opened >= 0 else { throw SystemError("openat", path: path, code: .last) }
        return Descriptor(owning: opened)
    }

    /// A second descriptor of the same open file.
    package borrowing func duplicate() throws(SystemError) -> Descriptor {
        let copy = clinux_fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw SystemError("fcntl F_DUPFD_CLOEXEC", code: .last) }
        return Descriptor(owning: copy)
    }

    /// pread(2) from `offset` into `bytes`, from its index `start` on; the bytes read, 0 at the end
    /// of the file.
    package borrowing func read(
        into bytes: inout [UInt8], from start: Int = 0, at offset: Int
    ) throws(SystemError) -> Int {
        precondition(start <= bytes.count, "read past the end of its buffer")
        let descriptor = number
        let count = unsafe bytes.withUnsafeMutableBytes { raw in
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[start...])
            return retrying { unsafe pread(descriptor, rest.baseAddress, rest.count, offset) }
        }
        guard count >= 0 else { throw SystemError("pread", code: .last) }
        return count
    }

    /// At most `count` bytes from `offset`, fewer only where the file ends.
    package borrowing func read(count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = try read(into: &bytes, from: filled, at: offset + filled)
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// Whether `bytes`, `shortLength` of them at the most, stand at `offset`.
    package borrowing func holds(
        _ bytes: Span<UInt8>, at offset: Int
    ) throws(SystemError) -> Bool {
        precondition(bytes.count <= Self.shortLength, "more bytes than are compared at once")
        // On the stack: this is asked of every file with news, each time.
        var there: [64 of UInt8] = .init(repeating: 0)
        var filled = 0
        while filled < bytes.count {
            let descriptor = number
            let got = unsafe withUnsafeMutableBytes(of: &there) { raw in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[filled..<bytes.count])
                return retrying {
                    unsafe pread(descriptor, rest.baseAddress, rest.count, offset + filled)
                }
            }
            guard got >= 0 else { throw SystemError("pread", code: .last) }
            if got == 0 { return false }
            filled += got
        }
        for index in 0..<bytes.count where there[index] != bytes[index] { return false }
        return true
    }

    /// Bytes that `holds` compares at the most.
    package static let shortLength = 64

    /// write(2) of all of `bytes`, however often it takes. On an error some of them may be written;
    /// the caller knows how many from `progress`.
    package borrowing func write(
        _ bytes: Span<UInt8>, progress: inout Int
    ) throws(SystemError) {
        while progress < bytes.count {
            let rest = bytes.extracting(progress..<bytes.count)
            let descriptor = number
            let count = unsafe rest.withUnsafeBufferPointer { raw in
                retrying { unsafe Glibc.write(descriptor, raw.baseAddress, raw.count) }
            }
            guard count >= 0 else { throw SystemError("write", code: .last) }
            progress += count
        }
    }

    /// write(2) of all of `bytes`.
    package borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
        var progress = 0
        try write(bytes.span, progress: &progress)
    }

    /// fsync(2).
    package borrowing func synchronise() throws(SystemError) {
        guard fsync(number) == 0 else { throw SystemError("fsync", code: .last) }
    }

    /// ftruncate(2).
    package borrowing func truncate(to size: Int) throws(SystemError) {
        guard ftruncate(number, size) == 0 else { throw SystemError("ftruncate", code: .last) }
    }

    /// fchown(2) to the owner and group of something else.
    package borrowing func give(to other: FileStatus) throws(SystemError) {
        guard fchown(number, other.owner, other.group) == 0 else {
            throw SystemError("fchown", code: .last)
        }
    }

    /// fstat(2).
    package borrowing func status() throws(SystemError) -> FileStatus {
        var raw = stat()
        guard unsafe fstat(number, &raw) == 0 else { throw SystemError("fstat", code: .last) }
        return FileStatus(raw)
    }

    /// fstatat(2) of a name beneath this directory, a symbolic link itself and not its target.
    package borrowing func status(of name: String) throws(SystemError) -> FileStatus {
        var raw = stat()
        guard unsafe fstatat(number, name, &raw, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw SystemError("fstatat", path: name, code: .last)
        }
        return FileStatus(raw)
    }

    /// The same of a name that need not be UTF-8.
    package borrowing func status(of name: [UInt8]) throws(SystemError) -> FileStatus {
        var raw = stat()
        let terminated = name.map { CChar(bitPattern: $0) } + [0]
        guard unsafe fstatat(number, terminated, &raw, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw SystemError(
                "fstatat", path: String(decoding: name, as: UTF8.self), code: .last)
        }
        return FileStatus(raw)
    }

    /// lseek(2) SEEK_DATA: where bytes begin that were written, at or after `offset`; nil when only
    /// a hole follows. Where holes cannot be seen, `offset` itself.
    package borrowing func nextData(from offset: Int) throws(SystemError) -> Int? {
        try seek(offset, SEEK_DATA)
    }

    /// lseek(2) SEEK_HOLE: where the next hole begins, at the end of the file at the latest; nil
    /// when `offset` lies beyond it.
    package borrowing func nextHole(from offset: Int) throws(SystemError) -> Int? {
        try seek(offset, SEEK_HOLE)
    }

    /// The outcome of a search for a byte that is no zero.
    package enum NonZero: Hashable, Sendable {
        /// It stands at this offset.
        case found(Int)
        /// Nothing but zeros and holes up to the end of the file, which was here.
        case none(end: Int)
        /// The budget is used up: zeros and holes so far.
        case underWay(Int)
    }

    /// The first byte at or after `offset` that is no zero. Holes are passed by one call each where
    /// they can be seen; of the rest at most about `budget` bytes are read, and `read` grows by
    /// those. What lies at or behind `OutsideNumber.most` is not looked for: for all that anybody
    /// reads, the file ends there.
    package borrowing func nextNonZero(
        from offset: Int, budget: Int, read: inout Int
    ) throws(SystemError) -> NonZero {
        let end = read + budget
        var place = offset
        var bytes = [UInt8](repeating: 0, count: Self.searchSize)
        while read < end {
            guard let data = try nextData(from: place) else {
                return .none(end: OutsideNumber.count(max(place, try status().size)))
            }
            place = max(place, data)
            // Where the file has bytes behind that, looking from there on would be another hole of
            // any size.
            if place >= OutsideNumber.most { return .none(end: OutsideNumber.most) }
            let count = try self.read(into: &bytes, at: place)
            if count == 0 { return .none(end: place) }
            // What holds few bytes between its holes costs a call for each all the same.
            read += max(count, Self.leastCost)
            let zeros = unsafe bytes.withUnsafeBytes {
                unsafe ByteSearch.leadingZeros(.init(rebasing: $0[..<count]))
            }
            place += zeros
            if zeros < count, place < OutsideNumber.most { return .found(place) }
        }
        return .underWay(place)
    }

    private static let searchSize = 128 * 1024
    private static let leastCost = 4096

    private borrowing func seek(_ offset: Int, _ what: Int32) throws(SystemError) -> Int? {
        let place = lseek(number, offset, what)
        // A hole may end beyond what is ever read.
        if place >= 0 { return OutsideNumber.count(place) }
        let code = Errno.last
        if code == .noDevice { return nil }
        if code == .invalid { return offset }
        throw SystemError("lseek", code: code)
    }
}

/// Makes a call again that a signal interrupted.
func retrying<R: SignedInteger>(_ call: () -> R) -> R {
    while true {
        let result = call()
        if result == -1, errno == EINTR { continue }
        return result
    }
}

/// The answer of fstat(2), in the words the rest uses. The door for all that a file system says of
/// a file: numbers are within the bounds of `OutsideNumber`.
package struct FileStatus: Hashable, Sendable {
    /// `st_dev`: the number of the file system, which may be another one after the next mount.
    package let device: UInt64
    /// `st_ino`: given to another file as soon as no name and no descriptor leads to this one.
    package let inode: UInt64
    /// Bytes; `OutsideNumber.most` for what is larger.
    package let size: Int
    /// It is larger than `size` says.
    package let isTooLarge: Bool
    /// Names that lead to it; 0 for a file that was removed and is open.
    package let links: Int
    /// Bytes on the disk.
    package let allocated: Int
    /// `st_mode`: the kind of file and the permissions.
    package let mode: UInt32
    /// The user's number.
    package let owner: UInt32
    /// The group's number.
    package let group: UInt32
    /// Last change of content.
    package let modified: FileTime
    /// Last change of content, names, owner or mode.
    package let changed: FileTime

    init(_ raw: stat) {
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        size = OutsideNumber.count(raw.st_size)
        isTooLarge = raw.st_size > OutsideNumber.most
        links = Int(clamping: raw.st_nlink)
        allocated = OutsideNumber.count(Int(clamping: raw.st_blocks) *| 512)
        mode = UInt32(raw.st_mode)
        owner = UInt32(raw.st_uid)
        group = UInt32(raw.st_gid)
        modified = Self.time(raw.st_mtim)
        changed = Self.time(raw.st_ctim)
    }

    private static func time(_ raw: timespec) -> FileTime {
        FileTime(
            nanoseconds: OutsideNumber.time(
                seconds: Int64(raw.tv_sec), nanoseconds: Int64(raw.tv_nsec)))
    }

    /// lstat(2) of a path in bytes without NUL: one call and no descriptor. Where others may rename
    /// the directories on the way it is a hint at what was opened there, no proof.
    package static func glance(at path: [UInt8]) throws(SystemError) -> FileStatus {
        var raw = stat()
        let terminated = path.map { CChar(bitPattern: $0) } + [0]
        guard unsafe lstat(terminated, &raw) == 0 else {
            throw SystemError(
                "lstat", path: String(decoding: path, as: UTF8.self), code: .last)
        }
        return FileStatus(raw)
    }

    /// faccessat(2): whether this process may read what lies at the path, which is not opened.
    package static func isReadable(at path: [UInt8]) -> Bool {
        let terminated = path.map { CChar(bitPattern: $0) } + [0]
        return unsafe faccessat(AT_FDCWD, terminated, R_OK, AT_EACCESS) == 0
    }

    /// faccessat(2): whether this process may make files in the directory at the path.
    package static func isWritableDirectory(at path: [UInt8]) -> Bool {
        let terminated = path.map { CChar(bitPattern: $0) } + [0]
        return unsafe faccessat(AT_FDCWD, terminated, W_OK | X_OK, AT_EACCESS) == 0
    }

    /// Whether it is a file with bytes in it, and neither a device nor anything else.
    package var isRegular: Bool { mode & S_IFMT == S_IFREG }
    /// Whether names can be looked up in it.
    package var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    /// Whether it is a symbolic link itself, which fstat(2) says only of one that was opened as
    /// such.
    package var isLink: Bool { mode & S_IFMT == S_IFLNK }

    /// The kind of thing that it is, for messages.
    package var kindInWords: String {
        switch mode & S_IFMT {
        case S_IFREG: "a regular file"
        case S_IFDIR: "a directory"
        case S_IFLNK: "a symbolic link"
        case S_IFIFO: "a FIFO"
        case S_IFSOCK: "a socket"
        case S_IFCHR, S_IFBLK: "a device"
        default: "something unknown"
        }
    }
}

/// Open flags, for callers that do not import the C library.
package enum O {
    /// For reading alone; a FIFO without a writer makes the caller wait.
    package static let read = O_RDONLY
    /// Beside others: a FIFO without a writer does not keep the caller for ever.
    package static let nonBlocking = O_NONBLOCK
    /// To list a directory.
    package static let directory = O_RDONLY | O_DIRECTORY | O_NONBLOCK
    /// To open names beneath a directory.
    package static let path = O_PATH | O_DIRECTORY
    /// To look at a file, or a symbolic link itself, without opening it.
    package static let look = O_PATH | O_NOFOLLOW
}
