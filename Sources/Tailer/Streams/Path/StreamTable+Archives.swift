import Model
import Platform

/// Files of a log that were moved or copied to another directory (`inputs[].archives`).
extension StreamTable {
    /// The findings of a search for a stream's files.
    struct Archived {
        /// Files that nothing is known of.
        var unknown: [(RotatedFile, Candidate)] = []
        /// Known ones with unread bytes.
        var known: [FileID: Candidate] = [:]
        /// More of those, which have their turn after these: nothing newer is to be read before.
        var waiting: Set<FileID> = []
        /// There are more than these that nothing is known of, newer ones.
        var isPartial = false
        /// All inode numbers that are there.
        var inodes: Set<UInt64> = []
        /// The same with their devices.
        var keys: Set<InodeKey> = []
        /// The directories' devices.
        var devices: Set<UInt64> = []
        /// Whatever is not among those is not there, and each file that one may have become was
        /// looked at.
        var isComplete = true
        /// Nothing came while it was searched, and there was a descriptor for each file: what is
        /// newer than one that was not looked at must not be read before it.
        var isStable = true
        /// There is more to be looked at than a slice is enough for.
        var isUnderWay = false
        /// Something could not be read and may be later.
        var hasFailed = false
    }

    /// Files in archives that are open at once, but for what holds something that is looked for:
    /// the rest has its turn after these.
    private static let mostArchivedAtOnce = 64

    /// A file where its input's rotated files may go.
    private struct ArchivedFile {
        let rotatedFile: RotatedFile
        let place: ArchiveSearch.Found

        var stamp: LogStream.Stamp { LogStream.Stamp(rotatedFile.status) }
    }

    /// How archives are gone through.
    private struct ArchiveSurvey {
        let saved: [FileID: SavedFile]
        /// Files that are looked for among all of them; nil where the oldest few are enough.
        var sought: SoughtFiles?
        /// Which of those that hold something of that stay open.
        var rotatedFiles: RotatedFileSurvey
    }

    /// Looks for files of a stream where its input's rotated files may go.
    ///
    /// 1. There are more than are opened at once, and the agent has never read any of the oldest.
    /// 2. Behind them lies what a file of an earlier run was made to.
    ///
    /// So what became of saved files, and of content that was replaced, is looked for among all of
    /// them.
    func searchArchives(_ look: StreamLook) -> Archived {
        let stream = look.stream
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
        let own = inode(of: look.directory.descriptor)
        var stamps: Set<LogStream.Stamp> = []
        var candidates: [RotatedFile] = []
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
                candidates.append(RotatedFile(name: key, rotated: rotated, status: status))
            } catch {
                // Renamed since it was listed, it may be missing in that listing by now.
                found.isComplete = false
                if error.code != .notFound { opener.tell(file.path, error) }
            }
        }
        stream.judgedArchives.formIntersection(stamps)
        stream.strangersElsewhere = stream.strangersElsewhere.filter { stamps.contains($0.key) }
        sort(&candidates)
        let files = candidates.compactMap { candidate in
            places[candidate.name].map { place in
                ArchivedFile(
                    rotatedFile: RotatedFile(
                        name: place.name, rotated: candidate.rotated, status: candidate.status),
                    place: place)
            }
        }
        examine(files, of: stream, &found)
        return found
    }

    /// `files` are in order, oldest first.
    private func examine(
        _ files: [ArchivedFile], of stream: LogStream, _ found: inout Archived
    ) {
        guard !files.isEmpty else { return }
        let sought = sought(stream)
        let isSearch =
            (!stream.isReconciled && !sought.saved.isEmpty)
            || stream.files.contains(where: \.isReplaced)
        var saved: [FileID: SavedFile] = [:]
        for entry in sought.saved { saved[entry.file] = entry }
        var survey = ArchiveSurvey(
            saved: saved, sought: isSearch ? sought : nil,
            rotatedFiles: RotatedFileSurvey(for: sought, mostOpen: 0))
        var rest = files
        if isSearch {
            guard search(files, of: stream, &survey, &found), found.waiting.isEmpty else { return }
            survey.sought = nil
            rest = files.filter { stream.strangersElsewhere[$0.stamp] != nil }
        }
        for file in rest {
            guard found.unknown.count + found.known.count < Self.mostArchivedAtOnce else {
                found.isPartial = true
                if !isSearch { found.isComplete = false }
                return
            }
            if !examine(file, of: stream, &survey, &found) {
                found.isStable = false
                return
            }
        }
    }

    /// Finds what is looked for among all of `files`; what holds nothing of that is closed at once
    /// and known as a stranger. False when that was not gone through to its end.
    private func search(
        _ files: [ArchivedFile], of stream: LogStream, _ survey: inout ArchiveSurvey,
        _ found: inout Archived
    ) -> Bool {
        survey.rotatedFiles.pace.begin()
        for file in files where stream.strangersElsewhere[file.stamp] == nil {
            found.isUnderWay = survey.rotatedFiles.pace.isOver
            if found.isUnderWay || !examine(file, of: stream, &survey, &found) {
                found.isStable = false
                return false
            }
        }
        return true
    }

    /// False where there is no descriptor for it now.
    private func examine(
        _ file: ArchivedFile, of stream: LogStream, _ survey: inout ArchiveSurvey,
        _ found: inout Archived
    ) -> Bool {
        let (rotatedFile, place) = (file.rotatedFile, file.place)
        let request = FileOpener.Request(
            stream: stream, name: place.name, path: place.path, isArchived: false,
            inode: rotatedFile.status.inode, mayBePacked: true, mayBeginWithZeros: true,
            mayBeKnown: true, isElsewhere: true)
        let candidate: Candidate
        switch opener.examine(request, in: place.directory.descriptor) {
        case .candidate(let looked): candidate = looked
        case .failed(.exhausted): return false
        case .failed(.missing):
            // Under its new name the next look finds it.
            found.isStable = false
            return true
        case .failed(.nothing(retry: true)):
            // It may be what an entry waits for.
            found.hasFailed = true
            found.isComplete = false
            return true
        case .failed: return true
        }
        opener.mended(place.path)
        if candidate.isInTheMaking {
            // Writes into it are no events.
            if let node = stream.node { agenda.retry(node) }
            return true
        }
        guard let known = knownFiles.file(candidate.identity, head: candidate.head) else {
            add(file, candidate, of: stream, &survey, &found)
            return true
        }
        guard let progress = knownFiles.progress(of: known),
            ExactText(progress.stream) == ExactText(stream.name),
            // Of a compressed one, what was counted when its end was reached.
            progress.position
                < (candidate.hasKnownSize ? candidate.size : survey.saved[known]?.size ?? .max)
        else {
            stream.judgedArchives.insert(file.stamp)
            survey.rotatedFiles.pace.progress(isPacked: candidate.packed != nil)
            return true
        }
        guard found.known.count < Self.mostArchivedAtOnce else {
            found.waiting.insert(known)
            found.isComplete = false
            return true
        }
        do throws(SystemError) {
            try candidate.completeHead()
            found.known[known] = candidate
        } catch {
            opener.tell(place.path, error)
        }
        return true
    }

    /// Adds a file that nothing is known of, or remembers that nothing is in it that is looked for.
    private func add(
        _ file: ArchivedFile, _ candidate: Candidate, of stream: LogStream,
        _ survey: inout ArchiveSurvey, _ found: inout Archived
    ) {
        if let sought = survey.sought {
            do throws(SystemError) {
                let holder = try holder(of: candidate, among: sought)
                guard let holder, survey.rotatedFiles.keeps(holder) else {
                    stream.strangersElsewhere[file.stamp] = Stranger(candidate)
                    survey.rotatedFiles.pace.progress(isPacked: candidate.packed != nil)
                    return
                }
            } catch {
                opener.tell(file.place.path, error)
                // Whoever compares it next finds out the same, and what to do about it.
                guard found.unknown.count < Self.mostArchivedAtOnce else {
                    found.hasFailed = true
                    found.isComplete = false
                    return
                }
            }
        }
        found.unknown.append((file.rotatedFile, candidate))
    }

    /// Whether anything that was found is known, or has become so since.
    func isKnownByNow(_ archived: Archived) -> Bool {
        !archived.known.isEmpty
            || archived.unknown.contains { _, candidate in
                knownFiles.file(candidate.identity, head: candidate.head) != nil
            }
    }

    /// Whether an input's rotated files may go to other directories.
    func hasArchives(_ stream: LogStream) -> Bool {
        stream.input < archives.count && !archives[stream.input].patterns.isEmpty
    }

    /// 1. The own directory is listed, and the archives' after it.
    /// 2. A rotation in between has moved the file that has the stream's name in that listing.
    /// 3. What is found in the archives is newer than that file, and would be taken for older; or
    ///    it is that file, once more.
    func wasRotated(_ look: StreamLook) -> Bool {
        let stream = look.stream
        guard hasArchives(stream) else { return false }
        do throws(SystemError) {
            return try look.directory.descriptor.status(of: stream.liveName).inode
                != look.liveInode
        } catch {
            if error.code != .notFound { opener.tell(stream.name, error) }
            return look.liveInode != nil
        }
    }

    /// 1. A file that was read to its end is compressed where it went, and removed.
    /// 2. Its entry goes over to what was made of it, or that would be sent again with the next
    ///    rotation.
    ///
    /// What cannot be searched now holds nothing up: at the worst it is sent again.
    func followElsewhere(_ look: StreamLook) {
        let stream = look.stream
        guard hasArchives(stream), !stream.awaitingCopy.isEmpty else { return }
        let archived = searchArchives(look)
        if archived.isUnderWay, let node = stream.node { agenda.retry(node) }
        var unknown = UnknownRotatedFiles()
        add(archived.unknown, to: &unknown)
        recognise(&unknown, look, before: stream.live, elsewhere: archived.inodes)
    }

    /// The mark that rotation has given to a log's name, if it is one of its files: some leave it
    /// as it was.
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

    /// Known files of the stream that were found elsewhere and are not being read: from where they
    /// were left.
    func takeUpMoved(_ archived: Archived, _ look: StreamLook) {
        let stream = look.stream
        let moved = archived.known.sorted { $0.key.number < $1.key.number }
        for (file, candidate) in moved
        where !stream.files.contains(where: { $0.id == file }) {
            takeUp([candidate], look, before: stream.files.first)
        }
    }

    /// A closed file is not in its directory any more. Whether it was moved to where it can be read
    /// on.
    func findElsewhere(_ file: TailedFile, of stream: LogStream) -> Bool {
        guard !file.isOpen, hasArchives(stream) else { return false }
        let listed = archives[stream.input].files(stream.captures) { output.report($0) }
        for place in listed.files where place.inode == file.identity.inode {
            if opener.reopen(file, place.name, in: place.directory.descriptor) {
                file.move(to: place.path)
                output.moved(file.id, path: file.path, archived: file.isFinal)
                agenda.wake(stream)
                return true
            }
        }
        return false
    }
}
