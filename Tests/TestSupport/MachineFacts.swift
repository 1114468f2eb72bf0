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

    private static func found(_ fact: () throws -> Bool) -> Bool {
        do {
            return try fact()
        } catch {
            fatalError("\(error)")
        }
    }

    /// The same of where tests have their files. A test that needs them is skipped where not, with `handlesNeeded`.
    package static let hasHandles = found {
        try givesHandles(TemporaryDirectory())
    }
    package static let handlesNeeded: String =
        "the file system of temporary files gives no file handles"

    /// Whether this process, and those that it starts, may ask where the file of a handle is, where tests have their
    /// files. That is another thing: everybody is given handles, and only who has CAP_DAC_READ_SEARCH may ask. A
    /// test that needs it is skipped where not, with `askingNeeded`.
    package static let mayAskByHandle = found {
        let home = try TemporaryDirectory()
        let file = try Descriptor.open(home.write("asked", ""), O_RDONLY)
        guard let handle = file.handle() else { return false }
        let directory = try Descriptor.open(home.path, O_RDONLY)
        guard case .at = directory.whereabouts(ofHandle: handle) else { return false }
        return true
    }
    package static let askingNeeded: String =
        "no file may be asked for by its handle here: CAP_DAC_READ_SEARCH, or a file system that gives handles, is missing"

    /// Whether a new file gets the inode number of one that was removed just before, where tests have their files:
    /// in one of a few tries, for somebody else may have taken it. Where not, or where others took each of them,
    /// `numbersNeeded`.
    package static let givesNumbersAgain = found {
        let home = try TemporaryDirectory()
        return try (0..<32).contains { round in
            let first = try home.write("first", "")
            let number = try Descriptor.open(first, O_RDONLY).status().inode
            try remove(first)
            let next = try home.write("next-\(round)", "")
            return try Descriptor.open(next, O_RDONLY).status().inode == number
        }
    }
    package static let numbersNeeded: String =
        "the file system of temporary files does not give an inode number out again at once"

    /// Whether a terminal can be made. A test that needs one is skipped where not, with `terminalNeeded`.
    package static let hasTerminals = ctest_has_terminals() != 0
    package static let terminalNeeded: String =
        "no terminal can be made here: /dev/pts is not mounted"
}
