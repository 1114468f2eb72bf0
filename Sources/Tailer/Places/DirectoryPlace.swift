package import Model
import Platform

/// Whether a directory is there, and the file system that a file in it was on: one that is not
/// mounted now says nothing of its files.
package enum DirectoryPlace: Hashable, Sendable {
    /// With its own device.
    case there(device: UInt64)
    /// Gone; of those above it this is the nearest one that is left, and its device.
    case gone(nearest: [UInt8], device: UInt64)
    case outOfReach

    /// Looks at `directory`, and where it is missing at those above it.
    package static func of(_ directory: ExactText) -> DirectoryPlace {
        var path = directory
        var isThere = true
        while true {
            // The dot lets a symbolic link that the input follows stand for its directory.
            let bytes = PathText.bytes(of: path.text + "/.")
            switch FilePlace.glance(at: bytes) {
            case .found(let status):
                return isThere
                    ? .there(device: status.device)
                    : .gone(nearest: bytes, device: status.device)
            case .missing:
                guard let above = path.parent else { return .outOfReach }
                isThere = false
                path = above
            case .other, .unreachable: return .outOfReach
            }
        }
    }

    /// Whether a file of `device` that was there is not there any more, as far as that is to be
    /// seen.
    package func lacks(device: UInt64) -> Bool {
        switch self {
        case .there(let mine), .gone(_, let mine): mine == device
        case .outOfReach: false
        }
    }
}
