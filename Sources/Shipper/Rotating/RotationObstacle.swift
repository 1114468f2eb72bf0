import Model
import Platform
import Rotator

/// Why a log was not rotated.
enum RotationObstacle: Error {
    /// What is delivered of it, of so many bytes, is not worth it yet; it is due since so many
    /// nanoseconds.
    case isUndelivered(size: PhysicalOffset, overdue: Int64)
    /// It has not as much as stays of a log, and a block.
    case isTooSmall
    case refused(RotatedLog.Refusal)
    /// It has a hole where it should have bytes.
    case hasHoles
    /// The copy of its front, of so many bytes, would fill the disk.
    case hasNoRoom(Int)
    /// An archive would have to go that may hold what is not delivered.
    case archiveStays(String)
    /// No front can be taken away there.
    case cannotCollapse(String)
    case isS6
    /// What a container runtime wrote is told by a log's first bytes, which go.
    case isContainers
    /// Its reader is not sure of it at this moment.
    case isBusy
    case failed(SystemError)
    /// Its front is a hole, in part or whole, and an archive.
    case isHalfDone(SystemError)

    /// In words, for the log and for people.
    var message: StaticString {
        switch self {
        case .isUndelivered:
            "a log grows beyond its size: what Kafka has not acknowledged is not removed"
        case .isTooSmall: "a log is not rotated: it has too little"
        case .isS6:
            "a log of s6-log is not rotated: it rotates itself; use its directives n and s"
        case .isContainers:
            "a log that a container runtime writes is not rotated where format is auto: say cri or docker"
        case .hasHoles:
            "a log is not rotated: it has holes, as where its program does not append (O_APPEND)"
        case .hasNoRoom:
            "a log is not rotated: its disk has too little room for the archive"
        case .archiveStays:
            "a log is not rotated: its oldest archive is not delivered, or not known; move it away"
        case .cannotCollapse:
            "a log is not rotated: its file system cannot remove the front of a file in place"
        case .refused: "a log is not rotated, and was not touched"
        case .isHalfDone:
            "a log was rotated in part, and is left alone for a day; nothing of it is lost"
        case .isBusy: "a log is not rotated at this moment: its reader is not sure of it"
        case .failed: "a log could not be rotated; nothing of it is lost"
        }
    }

    /// What is to be said beside that, and its name; nil for nothing.
    var detail: (key: String, value: String)? {
        switch self {
        case .isUndelivered, .isTooSmall, .isS6, .isContainers, .hasHoles, .isBusy: nil
        case .hasNoRoom(let count): ("bytes", "\(count)")
        case .archiveStays(let name): ("archive", name)
        case .cannotCollapse(let reason): ("error", reason)
        case .refused(let refusal): ("error", Self.text(refusal))
        case .failed(let error), .isHalfDone(let error): ("error", "\(error)")
        }
    }

    /// Whether it is a fault, and no matter of time or of what was asked for.
    var isFailure: Bool {
        switch self {
        case .isUndelivered, .isTooSmall, .isS6, .isContainers, .isBusy: false
        // This is the end, or a pause for a reload: it is tried again.
        case .failed(let error): error.code != .interrupted
        case .hasHoles, .hasNoRoom, .archiveStays, .cannotCollapse, .refused, .isHalfDone: true
        }
    }

    static func text(_ refusal: RotatedLog.Refusal) -> String {
        switch refusal {
        case .isOther: "under its name is something else than the file that is read"
        case .isLocked: "another process has locked it, as another agent that rotates it"
        case .hasLinks(let count): "\(count) names lead to it"
        case .isOpenToOthers:
            "others may write to its directory, and the agent is root; make it writable for its owner "
                + "alone"
        case .failed(let error): "\(error)"
        }
    }
}
