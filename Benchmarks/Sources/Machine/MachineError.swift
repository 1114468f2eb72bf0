internal import CMachine
internal import Glibc

/// What the machine or the broker refused: what was tried, on what, and the reason given.
package struct MachineError: Error, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// The failure that errno tells of, which must not have been overwritten yet.
    init(_ call: String, _ subject: String) {
        let code = errno
        description = "\(call) \(subject): \(unsafe String(cString: strerror(code)))"
    }
}
