import Model
import Platform

/// Remote file systems that do not answer, for commands that look at files and end.
struct SilentMounts {
    private var points: [[UInt8]]
    private let table: MountTable?

    /// By their mount points, as text for people.
    init(_ points: [String], _ table: MountTable?) {
        self.points = points.map { PathText.bytes(of: $0) }
        self.table = table
    }

    /// The table of mounts; nil where it cannot be had.
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

    /// Runs `body`, which makes calls on `path`; nil where its file system does not answer, which
    /// is waited for once.
    mutating func patiently<R: Sendable>(
        _ path: [UInt8], _ body: @escaping @Sendable () throws(SystemError) -> R
    ) throws(SystemError) -> R? {
        guard let table, !table.remote.isEmpty else { return try body() }
        if hold(path) { return nil }
        guard let mount = table.remote(table.destination(of: path)) else { return try body() }
        let result = try PatientCall.run { _ in
            Result { () throws(SystemError) -> R in try body() }
        }
        guard let result else {
            points.append(mount.point)
            return nil
        }
        return try result.get()
    }
}
