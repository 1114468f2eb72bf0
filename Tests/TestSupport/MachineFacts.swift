internal import CTestSupport
internal import Glibc
package import Platform

/// What a machine may lack, for tests that need it or expect something else without it.
package enum MachineFacts {
    /// Whether the file system on which a directory lies gives file handles; overlayfs, on which a container's
    /// files lie, does not.
    package static func givesHandles(_ directory: TemporaryDirectory) throws(SystemError) -> Bool {
        try Descriptor.open(directory.path, O_RDONLY).handle() != nil
    }

    /// Whether a terminal can be made. A test that needs one is skipped where not, with `terminalNeeded`.
    package static let hasTerminals = ctest_has_terminals() != 0
    package static let terminalNeeded: String =
        "no terminal can be made here: /dev/pts is not mounted"
}
