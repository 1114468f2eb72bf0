import CLinux
import Glibc

/// Where a file is that is not under the name that it had, if it is anywhere.
package enum Whereabouts: Hashable, Sendable {
    /// It has this name now, as bytes, and so many of those on the disk.
    case at(path: [UInt8], size: Int)
    /// It has no name. `size` where somebody has it open still.
    case removed(size: Int?)
    /// This process may not ask (CAP_DAC_READ_SEARCH), or the file system cannot tell.
    case unknown
}

extension Descriptor {
    /// When the file was born; nil where the file system does not say or
    /// statx is refused.
    package borrowing func birth() -> FileTime? {
        var birth: Int64 = 0
        let known = withRawValue { unsafe clinux_birth($0, &birth) }
        return known == 1 ? FileTime(nanoseconds: birth) : nil
    }

    /// The file handle: type (4 bytes, big endian) and bytes; nil where handles are not given
    /// (overlayfs, some network file systems, a seccomp filter).
    package borrowing func handle() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 4 + 128)
        let count = withRawValue { number in
            unsafe bytes.withUnsafeMutableBufferPointer { buffer in
                unsafe clinux_handle(number, buffer.baseAddress, Int32(buffer.count))
            }
        }
        return count > 4 ? Array(bytes.prefix(Int(count))) : nil
    }

    /// Looks for a file of this directory's file system by its handle. It is not opened.
    package borrowing func whereabouts(ofHandle handle: [UInt8]) -> Whereabouts {
        do throws(SystemError) {
            let file = try place(ofHandle: handle)
            let status = try file.status()
            guard status.links > 0 else { return .removed(size: status.size) }
            var path = [CChar](repeating: 0, count: Int(PATH_MAX))
            let length = file.withRawValue { number in
                unsafe readlink("/proc/self/fd/\(number)", &path, path.count)
            }
            let bytes = path.prefix(max(0, length)).map(UInt8.init(bitPattern:))
            return .at(path: bytes, size: status.size)
        } catch {
            return error.code == .stale ? .removed(size: nil) : .unknown
        }
    }

    /// The first bytes of a regular file of this directory's file system, at most `count`. Nothing
    /// is touched that lies on the way to its name: a mount there may hang.
    package borrowing func head(
        ofHandle handle: [UInt8], count: Int
    ) throws(SystemError) -> [UInt8] {
        let place = try place(ofHandle: handle)
        guard try place.status().isRegular else { return [] }
        let path = place.withRawValue { "/proc/self/fd/\($0)" }
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        return try file.read(count: count, at: 0)
    }

    /// A file of this directory's file system as a place: it is not opened.
    private borrowing func place(ofHandle handle: [UInt8]) throws(SystemError) -> Descriptor {
        let number = withRawValue { directory in
            unsafe handle.withUnsafeBufferPointer { bytes in
                unsafe clinux_open_handle(directory, bytes.baseAddress, Int32(bytes.count))
            }
        }
        guard number >= 0 else { throw SystemError("open_by_handle_at", code: Errno.last) }
        return Descriptor(owning: number)
    }

    /// Whether no process has the file open for writing, by taking and dropping a read lease
    /// (fcntl(2)); nil where a lease cannot be had, so that it cannot be known.
    package borrowing func hasNoWriter() -> Bool? {
        withRawValue { number in
            if clinux_fcntl(number, F_SETLEASE, Int(F_RDLCK)) == 0 {
                _ = clinux_fcntl(number, F_SETLEASE, Int(F_UNLCK))
                return true
            }
            return Errno.last == .again ? false : nil
        }
    }
}
