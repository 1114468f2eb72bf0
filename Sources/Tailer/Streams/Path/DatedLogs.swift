import Model
import Platform

/// Logs that are written under a dated name, and under none without a date.
extension StreamTable {
    /// A file of the stream, that its name made one of its earlier files, has grown after it was
    /// read to its final end. Whether it is a log of its own from now on; the stream has nothing
    /// more to do with it.
    ///
    /// 1. `web.log` and `web-2026-11-28.log` are written to side by side, or `worker.log` and
    ///    `worker.1.log`, and each is opened for each line.
    /// 2. Whatever was not written to for a moment looks as if nobody will write to it any more.
    ///
    /// Not so `web.log.1`: that was `web.log`, and whoever writes to it late does so once.
    func comesAlive(
        _ file: FileID, _ rotatedFile: RotatedFile, of stream: LogStream, in node: DirectoryNode
    ) -> Bool {
        guard stream.closed[rotatedFile.name]?.id == file, isMatched(rotatedFile.name),
            rotatedFile.rotated.mayBeAlive
        else { return false }
        node.alive[rotatedFile.name] = rotatedFile.status.inode
        stream.closed[rotatedFile.name] = nil
        agenda.look(at: node)
        return true
    }

    /// Whether an earlier run has found so of a name beside `base`, and it is the same file.
    func wasAlive(_ name: [UInt8], beside base: [UInt8], _ look: DirectoryLook) -> Bool {
        let node = look.node
        guard node.streams[base]?.isReconciled != true, node.dormant[base] == nil,
            let inode = look.names.inode(of: name), look.names.inode(of: base) != nil,
            RotatedName(name, of: base)?.mayBeAlive ?? false,
            knownFiles.saved(node.text(of: name)).contains(where: {
                $0.identity.inode == inode && !$0.isArchived
            })
        else { return false }
        node.alive[name] = inode
        return true
    }

    /// Whether a name that may be an earlier file's is rotated itself, by numbers or dates behind
    /// it: then it is that of a log, like `worker.1.log` with a `worker.1.log.1`. What rotation has
    /// made is compressed at most.
    func isRotated(
        _ name: [UInt8], beside base: [UInt8], _ rotatedFiles: [DirectoryEntry]
    ) -> Bool {
        guard let rotated = RotatedName(name, of: base), rotated.isInfix, !rotated.isPacked else {
            return false
        }
        return rotatedFiles.contains { entry in
            guard let further = RotatedName(entry.name, of: name), !further.isInfix else {
                return false
            }
            switch further.order {
            case .number(let number): return number > 0
            case .date: return true
            case .unknown: return false
            }
        }
    }

    /// The one of `names`, rotated names of a log that is not there, that is written to.
    ///
    /// 1. An application opens `web-2026-11-28.log` for each line, and from tomorrow on
    ///    `web-2026-11-29.log`. A pattern matches both, and there is no `web.log`.
    /// 2. Taken for a rotated file, the newest one is final as soon as nobody has it open: what
    ///    follows is found by the clock, and half a line is shipped as a whole one.
    /// 3. So the newest is a log of its own, and becomes an earlier file of `web.log`, if of
    ///    anything, when there is a newer one.
    ///
    /// Where the date follows the whole name, `app.log` may only just have been renamed, and its
    /// next file be still to come: then it was read under that name before.
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
            || node.dormant[base] != nil || !knownFiles.saved(node.text(of: base)).isEmpty
        guard isKnown else { return name }
        // One of them that was live before says of all that they are.
        let wasLive = names.contains {
            node.hasStream($0) || !knownFiles.saved(node.text(of: $0)).isEmpty
        }
        return wasLive ? name : nil
    }
}
