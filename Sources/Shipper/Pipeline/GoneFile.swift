import Model
import Platform
import Registry
import Tailer

/// Tells of a file that is no longer where it was, as pure values.
enum GoneFile {
    /// Of what follows `delivered`, which every byte before was shipped of; nothing where it was
    /// told before.
    ///
    /// `isRead`: this run has read it to its end, and nobody could have written more to it.
    static func events(
        _ entry: FileEntry, delivered: LogicalOffset, _ whereabouts: Whereabouts,
        isRead: Bool = false
    ) -> [TailerEvent] {
        guard entry.state != .deleted else { return [] }
        func lost(to end: LogicalOffset, _ reason: LossReason) -> [TailerEvent] {
            guard end > delivered else { return [] }
            let range = ByteRange(start: delivered, end: end)
            return [.lost(path: entry.path, range: range, reason: reason)]
        }
        var seen = entry.size
        switch whereabouts {
        case .at(let place, let size):
            // What was seen was there: it is lost as well where the file was cut since.
            let lost = lost(
                to: entry.base.logical(max(seen, PhysicalOffset(size))), .movedAway)
            let event = TailerEvent.foundElsewhere(path: entry.path, place: PathText.text(place))
            return lost.isEmpty ? [] : lost + [event]
        case .removed(let size): seen = max(seen, PhysicalOffset(size ?? 0))
        case .unknown: break
        }
        let end = entry.base.logical(seen)
        let lost = lost(to: end, .deletedUnread)
        guard entry.state == .active, !isRead else { return lost }
        return lost + [.goneUnseen(path: entry.path, from: max(end, delivered))]
    }
}
