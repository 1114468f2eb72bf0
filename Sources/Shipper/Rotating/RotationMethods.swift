import Model
import Patterns
import Platform
import Rotator
import Settings

/// How the logs of an input can be rotated where they lie, as `check` says it. It takes a scratch
/// file in each directory, which goes at once.
struct RotationMethods {
    /// Comments, without their `#`.
    let lines: [String]

    /// Directories that are tried; a thousand are most often on one file system.
    private static let mostTried = 16

    /// `paths` are the logs of the input; `isNear` says whether one lies on a disk of this machine.
    init(_ input: Settings.Input, _ paths: [String], isNear: (String) -> Bool) {
        var known: Set<String> = []
        var lines: [String] = []
        for path in paths {
            let directory = ExactText(path).parent?.text ?? "/"
            guard known.insert(directory).inserted else { continue }
            guard known.count <= Self.mostTried else {
                lines.append("and other directories, which were not tried")
                break
            }
            lines.append("\(directory): \(Self.method(path, input, isNear(path)))")
        }
        self.lines = lines
    }

    private static func method(
        _ path: String, _ input: Settings.Input, _ isNear: Bool
    ) -> String {
        guard isNear else { return "not rotated: it is no disk of this machine" }
        guard let place = RotationPlace(path, input) else { return "not rotated" }
        do throws(RotatedLog.Refusal) {
            let directory = try place.openDirectory()
            // Nothing is made in a directory where root would rotate nothing.
            _ = try ArchiveShelf(
                try place.openDirectory(), isRoot: ProcessContext.isRoot)
            do throws(SystemError) {
                return text(try FrontRemoval.probe(in: directory))
            } catch {
                throw .failed(error)
            }
        } catch {
            return "not rotated: \(RotationObstacle.text(error))"
        }
    }

    private static func text(_ removal: FrontRemoval) -> String {
        switch removal {
        case .collapse(let alignment):
            "collapse: the front of a scratch file was removed there, in blocks of "
                + Quantity.text(bytes: alignment)
        case .punch:
            "not rotated: the front of a scratch file could be made a hole there, and not removed"
        case .none(let error):
            "not rotated: the front of a scratch file could not be removed there, \(error)"
        }
    }
}
