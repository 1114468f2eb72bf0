import CLinux
import Glibc

/// The streams that every process is started with. Written to without a buffer, so that what was
/// said is out whatever happens next.
package enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// write(2) of all of `text`.
    package func write(_ text: String) throws(SystemError) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBufferPointer { raw in
                retrying { unsafe Glibc.write(rawValue, raw.baseAddress, raw.count) }
            }
            guard count >= 0 else {
                let name = self == .output ? "standard output" : "standard error"
                throw SystemError("write", path: name, code: .last)
            }
            bytes = bytes.dropFirst(count)
        }
    }

    /// A descriptor of its own for the stream, to be kept and closed by its owner.
    package func duplicate() throws(SystemError) -> Descriptor {
        let copy = clinux_fcntl(rawValue, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw SystemError("fcntl F_DUPFD_CLOEXEC", code: .last) }
        return Descriptor(owning: copy)
    }
}
