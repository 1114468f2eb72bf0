package import Platform

/// The answer of a look at a place, about what whoever looks asks for.
///
/// | it finds | answer |
/// | --- | --- |
/// | what was asked for | `found` |
/// | another file, a link, FIFO, device or directory | `other` |
/// | ENOENT, ENOTDIR; beneath a prefix, where no link is followed, ELOOP and EXDEV | `missing` |
/// | EACCES, EIO, ESTALE, a loop of links, no descriptor left | `unreachable(.failed)` |
/// | nothing, or another file, on another device than the file was on | `unreachable(.away)` |
///
/// Only `other` and `missing` say that a file is missing. Nothing that follows from a missing file
/// may follow from `unreachable`.
package enum PlaceLook<Found> {
    case found(Found)
    case other
    case missing
    case unreachable(OutOfReach)

    /// The same answer with what was found looked at more closely: `judge` gives nil for what is
    /// something else.
    package func only<Kept>(
        _ judge: (Found) throws(SystemError) -> Kept?
    ) -> PlaceLook<Kept> {
        switch self {
        case .found(let found):
            do throws(SystemError) {
                return try judge(found).map { .found($0) } ?? .other
            } catch {
                return .unreachable(.failed(error))
            }
        case .other: return .other
        case .missing: return .missing
        case .unreachable(let reason): return .unreachable(reason)
        }
    }

    /// The same answer about a file of `device`: where `place`, its directory, is not on that
    /// device, the file is not missing, but its volume is.
    package func unlessAway(
        _ device: UInt64, _ place: @autoclosure () -> DirectoryPlace
    ) -> PlaceLook {
        switch self {
        case .found, .unreachable: self
        case .other, .missing: place().lacks(device: device) ? self : .unreachable(.away)
        }
    }
}

extension PlaceLook: Sendable where Found: Sendable {}
extension PlaceLook: Equatable where Found: Equatable {}

/// Why nothing can be said of a file.
package enum OutOfReach: Hashable, Sendable, CustomStringConvertible {
    /// A call failed, and may not do so later.
    case failed(SystemError)
    /// The file was on another device than what lies at its place now.
    case away

    package var description: String {
        switch self {
        case .failed(let error): "\(error)"
        case .away: "the volume that it was on is not mounted"
        }
    }
}
