import Model
import Platform

/// Files of an s6 log directory that lies elsewhere by now, in other inodes.
extension StreamTable {
    /// 1. While no agent runs, an s6 log directory is copied to another volume, which takes its
    ///    place.
    /// 2. Its files have their names, and other inodes.
    ///
    /// So the entry of a file of which nothing is there goes over to its copy. An archive's name is
    /// given once. `current` and `previous` have had other files, whose like may be a banner: one
    /// that comes after an archive that an earlier run has not seen is another file for certain.
    func succeed(_ found: Candidate, _ here: S6Look) {
        let stream = here.stream
        guard !stream.isReconciled, knownFiles.file(found.identity, head: found.head) == nil else {
            return
        }
        let name = found.request.name
        let saved = knownFiles.saved(stream.name)
        let path = ExactText(found.request.path)
        if S6Name.isArchive(name), let entry = saved.last(where: { ExactText($0.path) == path }) {
            _ = goesOn(entry, as: found, here)
            return
        }
        guard !stream.isPastSaved else { return }
        var names = [name]
        if name != S6Name.current { names = [S6Name.previous, S6Name.current] }
        for name in names {
            let path = ExactText(stream.node?.text(of: name) ?? "")
            let entry = saved.last {
                ExactText($0.path) == path
                    && ($0.position == .start ? $0.size : $0.position).bytes >= Self.longestBanner
            }
            if let entry, goesOn(entry, as: found, here) { return }
        }
        stream.isPastSaved = true
    }

    private func goesOn(_ entry: SavedFile, as found: Candidate, _ here: S6Look) -> Bool {
        let stream = here.stream
        guard found.packed == nil, found.unreadable == nil, found.status.links > 0,
            found.status.end >= max(entry.position, entry.size),
            !stream.files.contains(where: { $0.id == entry.file }),
            !stream.closed.values.contains(where: { $0.id == entry.file })
        else { return false }
        if let name = here.names.name(of: entry.identity.inode),
            opener.presence(entry.identity, name, here.directory.descriptor) != .replaced
        {
            return false
        }
        do throws(SystemError) {
            // Where nothing was delivered, nothing is skipped whatever it is.
            let isSame =
                entry.position == .start
                ? knownFiles.content(of: entry.file, beginsAs: found.head)
                : try begins(found, as: entry.file, entry.position, entry.anchor.bytes)
            return isSame && output.succeeded(entry.file, by: found.sighting(isFirstScan: false))
        } catch {
            opener.tell(found.request.path, error)
            return false
        }
    }
}
