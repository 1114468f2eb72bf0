import Model
import Platform
import Registry
import Settings
import Tailer

/// The parts of which each reader is made. Sendable.
struct ReaderPlan: Sendable {
    let inputs: [TailerInput]
    let once: Bool
    let intervals: TailerIntervals
    let settings: Settings
    let descriptors: DescriptorPlan
    /// inotify watches that there may be at a time.
    let watches: Int
    let territories: Territories
    let parts: ReaderOutput.Parts
    /// Inputs that no run has scanned before.
    let newInputs: Set<Int>
    let startTimes: StartTimes

    /// Starts the reader of a territory. The others have a part of what the first one has, in
    /// addition.
    func start(
        _ territory: Territory, isFirst: Bool, ended: @escaping @Sendable (SystemError?) -> Void
    ) throws(SystemError) -> Tailer {
        let isOwn = territory.reader == 0
        let part = isOwn ? 1 : Readers.part
        return try Tailer(
            inputs: inputs, once: once, intervals: intervals,
            openFiles: isOwn ? descriptors.files : descriptors.files(perReader: Territories.most),
            heldBytes: settings.limits.heldBytes / part, watches: max(1, watches / part),
            territory: territory, startTimes: startTimes,
            output: { output(territory, isFirst: isFirst) }, ended: ended)
    }

    /// On the reader's thread: what it looks at may hang.
    private func output(_ territory: Territory, isFirst: Bool) -> ReaderOutput {
        if territory.reader > 0 {
            let registry = parts.registry
            registry.renumbered(
                DeviceNumbers.changed(
                    registry.entries().filter {
                        territories.reader(of: $0.path) == territory.reader
                    }))
        }
        return ReaderOutput(parts, territory: territory, newInputs: isFirst ? newInputs : [])
    }
}
