import Model
import Platform
import Registry
import Rotator
import Settings

/// Finishes or takes back what a killed run has left half done, before anything is read.
struct RotationRecovery {
    let settings: Settings
    let parts: RotationRun.Parts
    let log: Log
    /// Whether a path lies on this machine's own disks: others may hang. A log there is judged by
    /// its first bytes when it is opened.
    let isNear: (String) -> Bool

    /// Of the first hole: the smallest that any file system takes a front of.
    private static let block = 4096

    /// At most as many as there were at one time: one.
    func run() {
        for entry in parts.registry.entries() {
            guard let cut = entry.cut, isNear(entry.path) else { continue }
            do throws(RotatedLog.Refusal) {
                try resume(entry, cut)
            } catch {
                // It is not there, or is something else now: whoever finds the file judges it.
                log.warn(
                    "a rotation that was interrupted is not finished: its log is not where an input leads",
                    ["path": .text(entry.path), "error": .text(RotationObstacle.text(error))])
            }
        }
    }

    private func resume(_ entry: FileEntry, _ cut: FrontCut) throws(RotatedLog.Refusal) {
        // An entry keeps the name of the input that found it, which may have another one now.
        let leading = settings.inputs.compactMap { input in
            RotationPlace(entry.path, input).map { (input: input, place: $0) }
        }
        let own = leading.first { $0.input.name == entry.input } ?? leading.first
        guard let (input, place) = own else { throw .isOther }
        let rotated = try place.open(entry) { (_, _) in true }
        let resumed: Rotation.Resumption =
            switch cut.step {
            case .punching: .punching
            case .collapsing: .collapsing
            }
        let run = RotationRun(
            parts, entry, rotated, keep: input.rotation?.keep ?? .max,
            Rotation(
                length: cut.length, block: Self.block, resuming: resumed,
                isUnwanted: input.rotation == nil))
        run.run()
        let bytes = Log.Value.count(cut.length)
        switch run.rotation.sight {
        case .collapsed, .punched:
            log.info(
                "a rotation that was interrupted is finished",
                ["path": .text(entry.path), "bytes": bytes])
        case .untouched:
            log.info(
                "a rotation that was interrupted is taken back",
                ["path": .text(entry.path), "bytes": bytes])
        case .other, nil:
            log.warn(
                "a rotation that was interrupted cannot be finished",
                [
                    "path": .text(entry.path),
                    "error": .text(run.rotation.failure.map { "\($0)" } ?? "another content"),
                ])
        }
    }
}
