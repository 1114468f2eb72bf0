import CLinux
import Glibc

/// What rotation in place does to a file that its writer has open, and to the names beside it.
/// Names are bytes without NUL and slash.
extension Descriptor {
    /// fallocate(2) FALLOC_FL_PUNCH_HOLE: the bytes of `range` are zeros from now on and take no
    /// room. Neither the size nor any other byte changes.
    package borrowing func punch(_ range: Range<Int>) throws(SystemError) {
        let number = withRawValue { $0 }
        let done = retrying {
            clinux_punch(number, Int64(range.lowerBound), Int64(range.count))
        }
        guard done == 0 else { throw SystemError("fallocate PUNCH_HOLE", code: .last) }
    }

    /// fallocate(2) FALLOC_FL_COLLAPSE_RANGE: the first `count` bytes are gone, and the others move
    /// to the front. A multiple of the file system's block, less than the file has.
    ///
    /// Not made again where a signal interrupts it: who made it looks at what the file has.
    package borrowing func collapse(front count: Int) throws(SystemError) {
        let done = withRawValue { clinux_collapse($0, Int64(count)) }
        guard done == 0 else { throw SystemError("fallocate COLLAPSE_RANGE", code: .last) }
    }

    /// flock(2) of the whole file, for as long as this descriptor is open. False where another one
    /// has it.
    package borrowing func lock() throws(SystemError) -> Bool {
        let done = withRawValue { number in retrying { flock(number, LOCK_EX | LOCK_NB) } }
        guard done != 0 else { return true }
        let code = Errno.last
        guard code == .again else { throw SystemError("flock", code: code) }
        return false
    }

    /// Gives the lock back at once: a process that was forked meanwhile has it until it executes
    /// something else, however soon this descriptor is closed.
    package borrowing func unlock() { withRawValue { _ = flock($0, LOCK_UN) } }

    /// fstatvfs(3): bytes of its file system that are free for everybody.
    package borrowing func freeBytes() throws(SystemError) -> Int {
        var raw = statvfs()
        guard withRawValue({ unsafe fstatvfs($0, &raw) }) == 0 else {
            throw SystemError("fstatvfs", code: .last)
        }
        return OutsideNumber.count(Int(clamping: raw.f_bavail) *| Int(clamping: raw.f_frsize))
    }

    /// fdatasync(2).
    package borrowing func synchroniseData() throws(SystemError) {
        guard withRawValue({ fdatasync($0) }) == 0 else {
            throw SystemError("fdatasync", code: .last)
        }
    }

    /// fchmod(2); the low nine bits count.
    package borrowing func setMode(_ mode: UInt32) throws(SystemError) {
        guard withRawValue({ fchmod($0, mode & 0o777) }) == 0 else {
            throw SystemError("fchmod", code: .last)
        }
    }

    /// futimens(2): the time of its last reading and that of its last change are `time`.
    package borrowing func setTimes(_ time: FileTime) throws(SystemError) {
        let (seconds, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let spec =
            rest < 0
            ? timespec(tv_sec: Int(seconds) - 1, tv_nsec: Int(rest) + 1_000_000_000)
            : timespec(tv_sec: Int(seconds), tv_nsec: Int(rest))
        let times = [spec, spec]
        let number = withRawValue { $0 }
        let done = unsafe times.withUnsafeBufferPointer { unsafe futimens(number, $0.baseAddress) }
        guard done == 0 else { throw SystemError("futimens", code: .last) }
    }

    /// Opens `name` in this directory for reading and writing, if it is a regular file: as
    /// `openFile`, and nothing else than what was looked at is opened, whoever swaps names
    /// meanwhile. It takes a /proc.
    package borrowing func openFileToChange(_ name: [UInt8]) throws(SystemError) -> Opened {
        let place = try openPlace(name)
        let status = try place.status()
        guard status.isRegular else { return .refused(status) }
        let path = place.withRawValue { "/proc/self/fd/\($0)" }
        return .file(try Self.open(path, O_RDWR | O_NONBLOCK | O_NOCTTY), status)
    }

    /// Makes `name` in this directory, for reading and appending. It must not be there as whatever
    /// (EEXIST); mode 0600.
    package borrowing func makeFile(_ name: [UInt8]) throws(SystemError) -> Descriptor {
        let flags = O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let number = unsafe withName(name) { directory, name in
            retrying { unsafe clinux_openat(directory, name, flags, 0o600) }
        }
        guard number >= 0 else { throw Self.error("openat", name) }
        return Descriptor(owning: number)
    }

    /// renameat2(2) RENAME_NOREPLACE within this directory: what is at `new` already stays
    /// (EEXIST). Where the file system cannot do that: EINVAL.
    package borrowing func renameToNew(
        _ old: [UInt8], _ new: [UInt8]
    ) throws(SystemError) {
        let done = unsafe withName(old) { directory, old in
            unsafe Self.lend(new) { unsafe clinux_rename_new(directory, old, $0) }
        }
        guard done == 0 else { throw Self.error("renameat2", old) }
    }

    /// unlinkat(2) of a name that is no directory.
    package borrowing func remove(_ name: [UInt8]) throws(SystemError) {
        let done = unsafe withName(name) { directory, name in unsafe unlinkat(directory, name, 0) }
        guard done == 0 else { throw Self.error("unlinkat", name) }
    }

    private static func error(_ call: String, _ name: [UInt8]) -> SystemError {
        SystemError(call, path: String(decoding: name, as: UTF8.self), code: .last)
    }

    private borrowing func withName(
        _ name: [UInt8], _ body: (Int32, UnsafePointer<CChar>) -> Int32
    ) -> Int32 {
        let number = withRawValue { $0 }
        return unsafe Self.lend(name) { unsafe body(number, $0) }
    }

    private static func lend(
        _ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Int32
    ) -> Int32 {
        let terminated = name.map { CChar(bitPattern: $0) } + [0]
        return unsafe terminated.withUnsafeBufferPointer { raw in
            guard let base = raw.baseAddress else { return -1 }
            return unsafe body(base)
        }
    }
}
