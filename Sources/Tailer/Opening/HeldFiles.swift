import Model
import Platform

/// The files whose descriptors cannot be closed without a risk of loss: those that no name in their
/// directory leads to, and rotated ones that are unread, which whoever rotated them may remove.
/// Lives on the reader thread.
///
/// 1. A topic is missing, or nobody may write to it. Its stream waits, and its writer goes on and
///    rotates.
/// 2. Each rotated file is unread, and soon removed: only a descriptor keeps it.
/// 3. Without a bound these are all descriptors, and all of the disk.
final class HeldFiles {
    private(set) var shares: HeldShares
    /// Streams that hold anything.
    private var streams: [StreamID: LogStream] = [:]

    /// `descriptors`: those of all followed files; a quarter is never held, so that others can be
    /// opened and read. `bytes`: of the disk, by files that no name leads to.
    init(descriptors: Int, bytes: Int) {
        shares = HeldShares(
            mostFiles: max(1, descriptors - max(1, descriptors / 4)), mostBytes: bytes)
    }

    /// Looks anew at what is held for the file: it was opened or closed, became final, or its name
    /// came or went.
    func update(_ file: TailedFile) {
        guard let stream = file.stream else {
            // The stream ended before its file, which holds nothing any more.
            return
        }
        let amount = amount(file)
        guard amount != file.held else { return }
        shares.change(stream.id, from: file.held, to: amount)
        file.held = amount
        streams[stream.id] = shares.held(by: stream.id).files > 0 ? stream : nil
    }

    private func amount(_ file: TailedFile) -> HeldShares.Amount {
        guard file.isOpen else { return HeldShares.Amount() }
        guard file.name == nil else {
            let isUnread = file.hasOldSize || file.position < file.size
            return HeldShares.Amount(files: file.isFinal && isUnread ? 1 : 0)
        }
        do throws(SystemError) {
            let status = try file.opened().descriptor.status()
            // It may have been moved to where no pattern leads, and then its disk space is not
            // ours.
            guard status.links == 0 else { return HeldShares.Amount(files: 1) }
            return HeldShares.Amount(
                files: 1, removed: 1, bytes: min(status.allocated, shares.mostBytes + 1))
        } catch {
            // Its turn tells that it cannot be read; its descriptor is held all the same.
            return HeldShares.Amount(files: 1)
        }
    }

    /// The stream that has to let go of something, if one has.
    func overdrawn() -> (stream: LogStream, pool: HeldShares.Pool)? {
        guard let (id, pool) = shares.overdrawn(), let stream = streams[id] else { return nil }
        return (stream, pool)
    }
}
