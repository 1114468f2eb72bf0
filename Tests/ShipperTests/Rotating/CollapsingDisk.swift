import Platform
import Rotator
import TestSupport

/// What the file system of the tests' directories can do.
enum CollapsingDisk {
    /// Whether the front of a file can be taken away there, by blocks of 4 KiB.
    static let isHere: Bool = {
        guard let directory = try? TemporaryDirectory(),
            let opened = try? Descriptor.open(directory.path, O.directory),
            case .collapse(alignment: 4096) = try? FrontRemoval.probe(in: opened)
        else { return false }
        return true
    }()
}
