import Model
import Platform
import Registry

/// The output of `shipper registry import`.
struct TakeoverText {
    let takeover: Takeover
    /// Where log.json was cut.
    let cut: String?
    let isDry: Bool

    func lines() -> [String] {
        var text: [String] = []
        if let cut { text.append(cut) }
        let rows = [["FILE", "DELIVERED", "SIZE", "LEFT", "RESULT"]] + takeover.items.map(row)
        if rows.count > 1 { text += TextColumns.lines(rows, right: [1, 2, 3]) }
        return text + [summary()]
    }

    private func row(_ item: Takeover.Item) -> [String] {
        var left = ""
        if let offset = item.offset, let size = item.size {
            switch item.admission {
            case .taken, .older: left = "\(size - offset)"
            case .known(let entry): left = "\(entry.lag(size: size))"
            case .refused: left = "\(size.bytes)"
            }
        }
        return [
            PrintableText.of(item.path), text(item.offset), text(item.size), left,
            result(item.admission),
        ]
    }

    private func result(_ admission: Takeover.Admission) -> String {
        switch admission {
        case .taken(let remark):
            "taken over" + (remark.map { " (\(PrintableText.of($0)))" } ?? "")
        case .older:
            "taken for read: an archive older than what Filebeat was reading"
        case .known(let entry):
            "left as it is: known already, delivered up to \(entry.offset.bytes)"
        case .refused(let reason): "not taken over: \(PrintableText.of(reason))"
        }
    }

    private func summary() -> String {
        var (taken, older, known, refused, left) = (0, 0, 0, 0, 0)
        for item in takeover.items {
            switch item.admission {
            case .taken:
                taken += 1
                left +|= (item.size ?? .start) - (item.offset ?? .start)
            case .older: older += 1
            case .known: known += 1
            case .refused: refused += 1
            }
        }
        var parts = ["\(files(taken)) taken over, \(left) bytes of them left to ship"]
        if older > 0 { parts.append("\(older) older archives taken for read") }
        if known > 0 { parts.append("\(known) known already") }
        if refused > 0 { parts.append("\(refused) not taken over") }
        return parts.joined(separator: "; ") + (isDry ? " -- nothing was changed (--dry-run)" : "")
    }

    private func text(_ place: PhysicalOffset?) -> String { place.map { "\($0.bytes)" } ?? "" }

    private func files(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }
}
