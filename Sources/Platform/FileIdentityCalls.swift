import CLinux
import Glibc

extension Descriptor {
    /// When the file was born, nanoseconds since 1970; nil where the file system does not say or
    /// statx is refused.
    package borrowing func birth() -> Int64? {
        var birth: Int64 = 0
        let known = withRawValue { unsafe clinux_birth($0, &birth) }
        return known == 1 ? birth : nil
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
