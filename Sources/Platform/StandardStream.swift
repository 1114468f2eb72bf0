import CLinux
import Glibc

/// What the process was started with to write to.
package enum StandardStream: Sendable {
    case output
    case error

    /// A descriptor of its own for the stream, so that closing it leaves the stream open.
    package func duplicate() throws(SystemError) -> Descriptor {
        let number =
            switch self {
            case .output: STDOUT_FILENO
            case .error: STDERR_FILENO
            }
        let copy = clinux_fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemError("fcntl F_DUPFD_CLOEXEC", code: .last) }
        return Descriptor(owning: copy)
    }
}
