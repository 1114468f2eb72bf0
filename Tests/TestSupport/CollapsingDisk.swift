import Glibc
import Platform

/// What the file system of the tests' directories can do.
package enum CollapsingDisk {
    /// Whether the front of a file can be taken away there, by blocks of 4 KiB.
    package static let isHere: Bool = {
        do {
            let directory = try TemporaryDirectory()
            let path = try directory.write("scratch", [UInt8](repeating: 1, count: 3 * 4096))
            let file = try Descriptor.open(path, O_RDWR)
            try file.punch(0..<4096)
            try file.collapse(front: 4096)
            return try file.status().size == 2 * 4096
        } catch {
            return false
        }
    }()
}
