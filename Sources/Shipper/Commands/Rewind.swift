package import Model
import Platform
import Registry
import Tailer

/// Moves each file's position by hand.
///
/// A position keeps its generation, so a line that is sent again has the `_id` that it had, and
/// Elasticsearch replaces it. Where the file is there and provably the same, the new position is
/// checked against its content and gets its anchor; where it is not, because it was moved meanwhile
/// or cannot be opened, only what the registry knows by itself can be done.
struct Rewind {
    /// One file's.
    struct Item {
        /// The position's way, or why it stays.
        enum Move {
            case moved(to: LogicalOffset, anchor: Anchor, size: PhysicalOffset?)
            case unchanged
            case refused(String)
        }
        let entry: FileEntry
        let move: Move
    }
    /// In the order of the entries.
    let items: [Item]

    init(_ entries: [FileEntry], _ target: RewindTarget) {
        var search = EntrySearch()
        items = entries.map { entry in
            if case .offset = target, entries.count > 1 {
                let reason = "an offset is for one file, and \(entries.count) match"
                return Item(entry: entry, move: .refused(reason))
            }
            let content = Content(search.open(entry))
            return Item(entry: entry, move: Self.move(entry, target, content))
        }
    }

    var edits: [RegistryEdit] {
        items.compactMap { item in
            guard case .moved(let offset, let anchor, let size) = item.move else { return nil }
            return .rewind(item.entry.file, to: offset, anchor: anchor, size: size)
        }
    }

    var refused: Int { items.count { if case .refused = $0.move { true } else { false } } }

    /// What a position can be compared with.
    private enum Content {
        case file(SharedDescriptor, size: PhysicalOffset)
        case none(because: String)

        init(_ look: PlaceLook<EntryFile>) {
            switch look {
            case .found(let found) where found.isPacked: self = .none(because: "it is compressed")
            case .found(let found): self = .file(found.file, size: found.size)
            case .other: self = .none(because: "another file, or other content, has its name")
            case .missing: self = .none(because: "it is not there")
            case .unreachable(.failed(let error)):
                self = .none(because: "it cannot be opened: \(error)")
            case .unreachable(.away): self = .none(because: "\(OutOfReach.away)")
            }
        }
    }

    private static func move(
        _ entry: FileEntry, _ target: RewindTarget, _ content: Content
    ) -> Item.Move {
        guard entry.cut == nil else {
            return .refused("a rotation of it was interrupted; the next start finishes that")
        }
        let offset: LogicalOffset
        do throws(SystemError) {
            switch target {
            case .beginning: offset = entry.base.start
            case .end:
                switch content {
                case .file(let file, let size):
                    let end =
                        entry.state == .archived
                        ? size : try LineSearch.lineStart(in: file, before: size)
                    offset = max(entry.offset, entry.base.logical(end))
                case .none(let reason): return .refused(reason)
                }
            case .offset(let wanted):
                if let reason = try refusal(of: wanted, entry, content) { return .refused(reason) }
                offset = wanted
            }
            guard offset != entry.offset else { return .unchanged }
            guard case .file(let file, let size) = content else {
                return .moved(to: offset, anchor: .none, size: nil)
            }
            let position = entry.base.physical(offset)
            let count = min(position.bytes, Anchor.longest)
            let before = try file.descriptor.read(count: count, at: position - count)
            return .moved(to: offset, anchor: Anchor(bytes: before), size: size)
        } catch {
            return .refused("cannot be read: \(error)")
        }
    }

    /// Why the position cannot go to `offset`; nil where it can.
    private static func refusal(
        of offset: LogicalOffset, _ entry: FileEntry, _ content: Content
    ) throws(SystemError) -> String? {
        guard offset >= entry.base.start else {
            return "what was before \(entry.base.bytes) is removed from the file"
        }
        switch content {
        case .file(let file, let size):
            let end = entry.base.logical(size)
            guard offset <= end else {
                return "beyond its end, which is \(end.bytes)"
            }
            let position = entry.base.physical(offset)
            let start = try LineSearch.lineStart(in: file, before: position)
            guard start == position else {
                return "\(offset.bytes) is in the middle of a line, which begins at "
                    + "\(entry.base.logical(start).bytes)"
            }
        case .none(let reason):
            guard offset <= entry.end else {
                return "beyond \(entry.end.bytes), where the file ended when it was last "
                    + "seen; now \(reason)"
            }
        }
        return nil
    }

    /// A table of what changes, and a summary.
    func lines(isDry: Bool) -> [String] {
        var (moved, unchanged, again, skipped) = (0, 0, 0, 0)
        var rows = [["PATH", "FROM", "TO", "RESULT"]]
        for item in items {
            let entry = item.entry
            var to = ""
            let result: String
            switch item.move {
            case .moved(let offset, _, _):
                moved += 1
                to = "\(offset.bytes)"
                if offset < entry.offset {
                    again +|= entry.offset - offset
                    result = "sends \(entry.offset - offset) bytes again"
                } else {
                    skipped +|= offset - entry.offset
                    result = "skips \(offset - entry.offset) bytes"
                }
            case .unchanged:
                unchanged += 1
                to = "\(entry.offset.bytes)"
                result = "is there already"
            case .refused(let reason):
                result = "not rewound: \(PrintableText.of(reason))"
            }
            rows.append([PrintableText.of(entry.path), "\(entry.offset.bytes)", to, result])
        }
        var parts = [
            "\(RegistryEditing.files(moved)) rewound, \(again) bytes to be sent again, "
                + "\(skipped) skipped"
        ]
        if unchanged > 0 { parts.append("\(unchanged) there already") }
        if refused > 0 { parts.append("\(refused) not rewound") }
        return TextColumns.lines(rows, right: [1, 2])
            + [parts.joined(separator: "; ") + (isDry ? RegistryEditing.dry : "")]
    }
}

/// Where a position is to go.
package enum RewindTarget: Hashable, Sendable {
    /// To the first byte that is there.
    case beginning
    /// To the end of the last whole line that is there; of a file that nobody writes to, to its
    /// end.
    case end
    /// To this one, which is `log.offset` of the record to begin with.
    case offset(LogicalOffset)

    /// Nil for what is neither a word nor a number of bytes.
    package init?(_ text: String) {
        switch text {
        case "beginning": self = .beginning
        case "end": self = .end
        default:
            guard let offset = Int(text), offset >= 0, offset <= 1 << 60 else { return nil }
            self = .offset(LogicalOffset(offset))
        }
    }
}
