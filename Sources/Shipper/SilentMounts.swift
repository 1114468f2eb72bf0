import Platform
import Tailer

/// Remote file systems that do not answer, for commands that look at files and end.
struct SilentMounts {
    private let points: [[UInt8]]
    private let table: MountTable?

    /// By their mount points, as text for people.
    init(_ points: [String], _ table: MountTable?) {
        self.points = points.map { PathText.bytes(of: $0) }
        self.table = table
    }

    /// What is mounted; nil where that is not to be known.
    static func table() -> MountTable? {
        do throws(SystemError) {
            return try MountTable.now()
        } catch {
            // Without /proc nothing is known to be remote, and everything is looked at.
            return nil
        }
    }

    /// Whether a call on a path would wait for one of them.
    func hold(_ path: [UInt8]) -> Bool {
        guard !points.isEmpty, let table else { return false }
        let place = table.destination(of: path)
        return points.contains { MountTable.holds($0, place) }
    }
}
