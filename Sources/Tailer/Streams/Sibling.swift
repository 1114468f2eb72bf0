import Model
import Platform

/// A name that rotation gave, and what stands there.
struct Sibling {
    let name: [UInt8]
    let rotated: RotatedName
    let status: FileStatus
}

extension StreamTable {
    /// Names that rotation may have given to files of each path of a directory; of such that no pattern
    /// matches, too.
    func siblings(of look: DirectoryTree.Look) -> [[UInt8]: [DirectoryEntry]] {
        var found: [[UInt8]: [DirectoryEntry]] = [:]
        for entry in look.names.entries where entry.kind == .regular || entry.kind == .unknown {
            for base in RotatedName.bases(of: entry.name) {
                found[base, default: []].append(entry)
            }
        }
        return found
    }

    /// Siblings that nothing is known of, oldest first, opened and looked at.
    func unknownSiblings(
        of stream: LogStream, _ names: DirectoryNames, _ node: DirectoryNode,
        _ directory: borrowing Descriptor
    ) -> ([(Sibling, Candidate)], Verdict) {
        let entries = names.entries.filter { entry in
            (entry.kind == .regular || entry.kind == .unknown)
                && RotatedName(entry.name, of: stream.liveName) != nil
        }
        return unknownSiblings(of: stream, entries, node, directory)
    }

    func unknownSiblings(
        of stream: LogStream, _ entries: [DirectoryEntry], _ node: DirectoryNode,
        _ directory: borrowing Descriptor
    ) -> ([(Sibling, Candidate)], Verdict) {
        var siblings: [Sibling] = []
        for entry in entries {
            guard let rotated = RotatedName(entry.name, of: stream.liveName) else { continue }
            do throws(SystemError) {
                let status = try directory.status(of: entry.name)
                // Renamed since it was listed: what it was may be missing in this listing by now.
                guard status.inode == entry.inode else { return ([], .again) }
                guard status.isRegular else { continue }
                siblings.append(Sibling(name: entry.name, rotated: rotated, status: status))
            } catch {
                if error.code == .notFound { return ([], .again) }
                _ = opener.trouble(node.text(of: entry.name), error)
                return ([], .retry)
            }
        }
        let stamps = Set(siblings.map { LogStream.Stamp($0.status) })
        stream.judged.formIntersection(stamps)
        sort(&siblings)
        var unknown: [(Sibling, Candidate)] = []
        for sibling in siblings {
            let stamp = LogStream.Stamp(sibling.status)
            if stream.judged.contains(stamp) { continue }
            // 1. gzip writes `app.log.1.gz`; `app.log.1` is there until it is done.
            if sibling.rotated.isPacked,
                siblings.contains(where: {
                    !$0.rotated.isPacked && $0.rotated.order == sibling.rotated.order
                })
            {
                continue
            }
            let request = FileOpener.Request(
                stream: stream, name: sibling.name, path: node.text(of: sibling.name),
                isArchived: false, inode: sibling.status.inode, mayBePacked: true,
                mayBeginWithZeros: true)
            switch opener.examine(request, in: directory) {
            case .candidate(let candidate):
                if output.known(candidate.identity, head: candidate.head) != nil {
                    stream.judged.insert(stamp)
                } else {
                    unknown.append((sibling, candidate))
                }
            case .failed(.already), .failed(.nothing), .failed(.unknown), .failed(.opened): continue
            case .failed(.exhausted): return ([], .retry)
            case .failed(.vanished): return ([], .again)
            }
        }
        return (unknown, .fine)
    }

    /// Oldest first: by their names where those tell, else by their last changes.
    func sort(_ siblings: inout [Sibling]) {
        let numbers = siblings.count { if case .number = $0.rotated.order { true } else { false } }
        let namesTell = numbers == 0 || numbers == siblings.count
        siblings.sort { a, b in
            if namesTell, let isOlder = a.rotated.isOlder(than: b.rotated) { return isOlder }
            if a.status.modified != b.status.modified {
                return a.status.modified < b.status.modified
            }
            return b.name.lexicographicallyPrecedes(a.name)
        }
    }
}
