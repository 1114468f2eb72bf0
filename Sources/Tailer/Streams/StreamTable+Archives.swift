import Model
import Platform

/// Files of a log that were moved or copied to another directory (`inputs[].archives`).
extension StreamTable {
    /// What a search for a stream's files has found.
    struct Archived {
        /// Files that nothing is known of.
        var unknown: [(Sibling, Candidate)] = []
        /// Known ones with unread bytes.
        var known: [FileID: Candidate] = [:]
        /// There are more than were opened.
        var isPartial = false
        /// All inode numbers that are there.
        var inodes: Set<UInt64> = []
        /// The same with their devices.
        var keys: Set<InodeKey> = []
        /// The directories' devices.
        var devices: Set<UInt64> = []
        /// What is not among those is not there.
        var isComplete = true
        /// Nothing came while it was searched, and there was a descriptor for each file: what is newer than
        /// one that was not looked at must not be read before it.
        var isStable = true
    }

    /// Files in archives that are opened at once: the rest has its turn after these.
    private static let mostArchivedAtOnce = 64

    /// Looks for files of a stream where its input's rotated files may go.
    func searchArchives(
        _ stream: LogStream, _ directory: borrowing Descriptor
    ) -> Archived {
        var found = Archived()
        guard hasArchives(stream) else { return found }
        let listed = archives[stream.input].files(stream.captures) { output.report($0) }
        found.isComplete = listed.isComplete
        found.devices = listed.devices
        // 1. While a directory is listed, a log is rotated to there twice.
        // 2. The listing may have the second one of those and not the first.
        // What two listings in a row have in common has nothing older beside it that they have not.
        let again = archives[stream.input].files(stream.captures) { output.report($0) }
        found.isStable = again.isComplete == listed.isComplete && again.keys == listed.keys
        let own = inode(of: directory)
        var stamps: Set<LogStream.Stamp> = []
        var candidates: [Sibling] = []
        var places: [[UInt8]: ArchiveSearch.Found] = [:]
        for file in listed.files {
            guard let rotated = archivedName(file.name, of: stream),
                inode(of: file.directory.descriptor) != own
            else { continue }
            do throws(SystemError) {
                let status = try file.directory.descriptor.status(of: file.name)
                guard status.isRegular, status.inode == file.inode else { continue }
                found.inodes.insert(status.inode)
                found.keys.insert(InodeKey(status))
                stamps.insert(LogStream.Stamp(status))
                if stream.judgedArchives.contains(LogStream.Stamp(status)) { continue }
                // Two directories may have files of one name.
                let key = Array(file.path.utf8)
                places[key] = file
                candidates.append(Sibling(name: key, rotated: rotated, status: status))
            } catch {
                // Renamed since it was listed, it may be missing in that listing by now.
                found.isComplete = false
                if error.code != .notFound { _ = opener.trouble(file.path, error) }
            }
        }
        stream.judgedArchives.formIntersection(stamps)
        sort(&candidates)
        var saved: [FileID: SavedFile] = [:]
        if !candidates.isEmpty {
            for entry in output.saved(stream.name) { saved[entry.file] = entry }
        }
        for sibling in candidates {
            guard found.unknown.count + found.known.count < Self.mostArchivedAtOnce else {
                found.isPartial = true
                break
            }
            guard let file = places[sibling.name] else { continue }
            let isExamined = examine(
                Sibling(name: file.name, rotated: sibling.rotated, status: sibling.status), file,
                of: stream, saved, &found)
            if !isExamined {
                found.isStable = false
                break
            }
        }
        return found
    }

    /// False where there is no descriptor for it now.
    private func examine(
        _ sibling: Sibling, _ file: ArchiveSearch.Found, of stream: LogStream,
        _ saved: [FileID: SavedFile], _ found: inout Archived
    ) -> Bool {
        let request = FileOpener.Request(
            stream: stream, name: file.name, path: file.path, isArchived: false,
            inode: sibling.status.inode, mayBePacked: true, mayBeginWithZeros: true,
            mayBeKnown: true, isElsewhere: true)
        let candidate: Candidate
        switch opener.examine(request, in: file.directory.descriptor) {
        case .candidate(let looked): candidate = looked
        case .failed(.exhausted): return false
        case .failed: return true
        }
        opener.mended(file.path)
        if candidate.isInTheMaking {
            // Writes into it are no events.
            if let node = stream.node { soon.append(node) }
            return true
        }
        guard let known = output.known(candidate.identity, head: candidate.head) else {
            found.unknown.append((sibling, candidate))
            return true
        }
        guard let progress = output.progress(of: known),
            ExactText(progress.stream) == ExactText(stream.name),
            // Of a compressed one, what was counted when its end was reached.
            progress.position
                < (candidate.hasKnownSize ? candidate.size : saved[known]?.size ?? .max)
        else {
            stream.judgedArchives.insert(LogStream.Stamp(sibling.status))
            return true
        }
        do throws(SystemError) {
            try candidate.completeHead()
            found.known[known] = candidate
        } catch {
            _ = opener.trouble(file.path, error)
        }
        return true
    }

    /// Whether an input's rotated files may go to other directories.
    func hasArchives(_ stream: LogStream) -> Bool {
        stream.input < archives.count && !archives[stream.input].patterns.isEmpty
    }

    /// 1. The own directory is listed, and the archives' after it.
    /// 2. A rotation in between has moved the file that has the stream's name in that listing.
    /// 3. What is found in the archives is newer than that file, and would be taken for older; or it is that
    ///    file, once more.
    func wasRotated(
        _ stream: LogStream, since names: DirectoryNames, _ directory: borrowing Descriptor
    ) -> Bool {
        guard hasArchives(stream) else { return false }
        do throws(SystemError) {
            return try directory.status(of: stream.liveName).inode
                != names.inode(of: stream.liveName)
        } catch {
            if error.code != .notFound { _ = opener.trouble(stream.name, error) }
            return names.inode(of: stream.liveName) != nil
        }
    }

    /// 1. A file that was read to its end is compressed where it went, and removed.
    /// 2. Its entry goes over to what was made of it, or that would be sent again with the next rotation.
    ///
    /// What cannot be searched now holds nothing up: at the worst it is sent again.
    func followElsewhere(
        _ stream: LogStream, _ names: DirectoryNames, _ directory: borrowing Descriptor,
        _ now: Int64
    ) {
        guard hasArchives(stream), !stream.departed.isEmpty else { return }
        let archived = searchArchives(stream, directory)
        var unknown = UnknownSiblings()
        add(archived.unknown, to: &unknown)
        recognise(
            &unknown, of: stream, names, before: stream.live, directory, now,
            elsewhere: archived.inodes)
    }

    /// What rotation has made of a log's name, if it is one of its files: some leave it as it was.
    private func archivedName(_ name: [UInt8], of stream: LogStream) -> RotatedName? {
        stream.rotated(name) ?? (name == stream.liveName ? RotatedName(like: name) : nil)
    }

    func inode(of directory: borrowing Descriptor) -> InodeKey? {
        do throws(SystemError) {
            return InodeKey(try directory.status())
        } catch {
            return nil
        }
    }

    /// Known files of the stream that were found elsewhere and are not being read: from where they were
    /// left.
    func takeUpMoved(_ archived: Archived, _ stream: LogStream, _ now: Int64) {
        let moved = archived.known.sorted { $0.key.number < $1.key.number }
        for (file, candidate) in moved
        where !stream.files.contains(where: { $0.id == file }) {
            takeUp([candidate], stream, before: stream.files.first, now)
        }
    }

    /// A closed file is not in its directory any more. Whether it was moved to where it can be read on.
    func findElsewhere(_ file: TailedFile, of stream: LogStream) -> Bool {
        guard !file.isOpen, hasArchives(stream) else { return false }
        let listed = archives[stream.input].files(stream.captures) { output.report($0) }
        for place in listed.files where place.inode == file.identity.inode {
            if opener.reopen(file, place.name, in: place.directory.descriptor) {
                file.path = place.path
                output.moved(file.id, path: file.path, archived: file.isFinal)
                awakened.append(stream)
                return true
            }
        }
        return false
    }
}
