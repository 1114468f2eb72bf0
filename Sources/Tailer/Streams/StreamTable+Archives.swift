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
    }

    /// Files in archives that are opened at once: the rest has its turn after these.
    private static let mostArchivedAtOnce = 64

    /// Looks for files of a stream where its input's rotated files may go.
    func searchArchives(
        _ stream: LogStream, _ directory: borrowing Descriptor
    ) -> Archived {
        var found = Archived()
        guard stream.input < archives.count, !archives[stream.input].patterns.isEmpty else {
            return found
        }
        let files = archives[stream.input].files(stream.captures) { output.report($0) }
        let own = inode(of: directory)
        var stamps: Set<LogStream.Stamp> = []
        var candidates: [Sibling] = []
        var places: [[UInt8]: ArchiveSearch.Found] = [:]
        for file in files {
            guard let rotated = archivedName(file.name, of: stream),
                inode(of: file.directory.descriptor) != own
            else { continue }
            do throws(SystemError) {
                let status = try file.directory.descriptor.status(of: file.name)
                guard status.isRegular, status.inode == file.inode else { continue }
                found.inodes.insert(status.inode)
                stamps.insert(LogStream.Stamp(status))
                if stream.judgedArchives.contains(LogStream.Stamp(status)) { continue }
                // Two directories may have files of one name.
                let key = Array(file.path.utf8)
                places[key] = file
                candidates.append(Sibling(name: key, rotated: rotated, status: status))
            } catch {
                if error.code != .notFound { _ = opener.trouble(file.path, error) }
            }
        }
        stream.judgedArchives.formIntersection(stamps)
        sort(&candidates)
        for sibling in candidates {
            guard found.unknown.count + found.known.count < Self.mostArchivedAtOnce else {
                found.isPartial = true
                break
            }
            guard let file = places[sibling.name] else { continue }
            examine(
                Sibling(name: file.name, rotated: sibling.rotated, status: sibling.status), file,
                of: stream, &found)
        }
        return found
    }

    private func examine(
        _ sibling: Sibling, _ file: ArchiveSearch.Found, of stream: LogStream,
        _ found: inout Archived
    ) {
        let request = FileOpener.Request(
            stream: stream, name: file.name, path: file.path, isArchived: false,
            inode: sibling.status.inode, mayBePacked: true, mayBeginWithZeros: true,
            isElsewhere: true)
        guard
            case .candidate(let candidate) = opener.examine(request, in: file.directory.descriptor)
        else { return }
        opener.mended(file.path)
        guard let known = output.known(candidate.identity, head: candidate.head) else {
            found.unknown.append((sibling, candidate))
            return
        }
        guard let progress = output.progress(of: known), progress.stream == stream.name,
            candidate.packed != nil || progress.position < candidate.size
        else {
            stream.judgedArchives.insert(LogStream.Stamp(sibling.status))
            return
        }
        found.known[known] = candidate
    }

    /// What rotation has made of a log's name, if it is one of its files: some leave it as it was.
    private func archivedName(_ name: [UInt8], of stream: LogStream) -> RotatedName? {
        stream.rotated(name) ?? (name == stream.liveName ? RotatedName(like: name) : nil)
    }

    private func inode(of directory: borrowing Descriptor) -> InodeKey? {
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
        guard !file.isOpen, stream.input < archives.count,
            !archives[stream.input].patterns.isEmpty
        else { return false }
        let files = archives[stream.input].files(stream.captures) { output.report($0) }
        for place in files where place.inode == file.identity.inode {
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
