import Model
import Platform

/// Logs that are written under a dated name, and under none without a date.
extension StreamTable {
    /// The one of `names`, rotated names of a log that is not there, that is written to.
    ///
    /// 1. An application opens `web-2026-11-28.log` for each line, and from tomorrow on `web-2026-11-29.log`.
    ///    A pattern matches both, and there is no `web.log`.
    /// 2. Taken for a rotated file, the newest one is final as soon as nobody has it open: what follows is
    ///    found by the clock, and half a line is shipped as a whole one.
    /// 3. So the newest is a log of its own, and becomes an earlier file of `web.log`, if of anything, when
    ///    there is a newer one.
    ///
    /// Where the date follows the whole name, `app.log` may only just have been renamed, and its next file
    /// be still to come: then it was read under that name before.
    func liveDated(
        _ names: [[UInt8]], of base: [UInt8], in node: DirectoryNode
    ) -> [UInt8]? {
        var newest: (name: [UInt8], rotated: RotatedName)?
        for name in names {
            guard let rotated = RotatedName(name, of: base), case .date = rotated.order,
                !rotated.isPacked
            else { continue }
            if let known = newest, known.rotated.isOlder(than: rotated) != true { continue }
            newest = (name, rotated)
        }
        guard let (name, rotated) = newest else { return nil }
        if rotated.isInfix { return name }
        let isKnown =
            node.streams[base].map { $0.newest != nil || !$0.files.isEmpty } ?? false
            || !output.saved(node.text(of: base)).isEmpty
        guard isKnown else { return name }
        // One of them that was live before says of all that they are.
        let wasLive = names.contains {
            node.streams[$0] != nil || !output.saved(node.text(of: $0)).isEmpty
        }
        return wasLive ? name : nil
    }
}
