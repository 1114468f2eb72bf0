import Model
import Platform

/// Earlier files that were removed, or compressed, before their turn.
extension StreamTable {
    /// A stream's directory is gone, and with it what nobody has opened yet. Where its volume is
    /// not mounted now, that is found again as it was.
    func tellEarlier(of stream: LogStream, _ node: DirectoryNode) {
        guard let earlier = stream.earlier, !earlier.rest.isEmpty else { return }
        let place = DirectoryPlace.of(ExactText(node.text))
        for rotatedFile in earlier.rest.reversed()
        where place.lacks(device: rotatedFile.status.device) {
            output.report(
                .lost(
                    path: node.text(of: rotatedFile.name),
                    range: rotatedFile.status.whole, reason: .deletedUnread
                ))
        }
    }

    /// Earlier files that are not there when the first of them is to be taken up.
    struct Gone {
        let rotatedFiles: [RotatedFile]
        let inodes: Set<UInt64>

        init(_ rotatedFiles: [RotatedFile]) {
            self.rotatedFiles = rotatedFiles
            inodes = Set(rotatedFiles.map(\.status.inode))
        }
    }

    /// `first` is one. Where the inode of one has a name, that may be another file's by now.
    func gone(_ first: RotatedFile, among rest: [RotatedFile], _ look: StreamLook) -> Gone {
        var gone: [RotatedFile] = []
        for rotatedFile in rest {
            let inode = rotatedFile.status.inode
            guard inode != first.status.inode, let name = look.names.name(of: inode) else {
                gone.append(rotatedFile)
                continue
            }
            // A name that says nothing may have been given to it by a person.
            let isGone =
                look.stream.rotated(name).map { $0.isPacked != rotatedFile.rotated.isPacked }
                ?? isAnother(rotatedFile, name, look)
            if isGone { gone.append(rotatedFile) }
        }
        return Gone(gone)
    }

    /// 1. There are many earlier files to be read, and what rotates them keeps few.
    /// 2. Some of them are removed before their turn, others are compressed and have names of a
    ///    later rotation.
    ///
    /// Each compressed file that came since accounts for one of them: by the name that it had, or
    /// by its time, which compressors keep to the second. What nothing accounts for is told as
    /// lost. Whether anything accounts for one.
    func tellGone(_ gone: Gone, _ earlier: EarlierFiles, _ look: StreamLook) -> Bool {
        var made = packed(since: earlier, look)
        let isPacked = !made.isEmpty
        let unnamed = gone.rotatedFiles.filter { rotatedFile in
            let name = RotatedName.packedNames(of: rotatedFile.name).first { made[$0] != nil }
            if let name { made[name] = nil }
            return name == nil
        }
        var times: [Int64: Int] = [:]
        for second in made.values { times[second, default: 0] += 1 }
        for rotatedFile in unnamed.reversed() {
            let second = rotatedFile.status.modified.seconds
            if let count = times[second], count > 0 {
                times[second] = count - 1
                continue
            }
            output.report(
                .lost(
                    path: look.node.text(of: rotatedFile.name),
                    range: rotatedFile.status.whole, reason: .deletedUnread
                ))
        }
        return isPacked
    }

    /// Names of compressed files that nothing was known of when earlier ones were listed, with the
    /// seconds of their times.
    private func packed(since earlier: EarlierFiles, _ look: StreamLook) -> [[UInt8]: Int64] {
        let stream = look.stream
        // What had its turn when that one was to be taken up cannot be read any more where it was
        // removed.
        if let waiting = earlier.waiting, isRemoved(waiting) { return [:] }
        // The inode number of one that is gone may be what was made of another.
        let listed = Set(earlier.rest.map { LogStream.Stamp($0.status) })
        var known: [[UInt8]: UInt64] = [:]
        for file in stream.files where file.name != nil {
            known[file.name ?? []] = file.identity.inode
        }
        var made: [[UInt8]: Int64] = [:]
        for entry in look.names.entries {
            guard stream.rotated(entry.name)?.isPacked ?? false,
                known[entry.name] != entry.inode,
                stream.closed[entry.name]?.inode != entry.inode
            else { continue }
            do throws(SystemError) {
                let status = try look.directory.descriptor.status(of: entry.name)
                guard status.isRegular, !listed.contains(LogStream.Stamp(status)),
                    !stream.hasLookedAt(status)
                else { continue }
                made[entry.name] = status.modified.seconds
            } catch {
                // The search that follows finds it under its new name, or not at all.
                if error.code != .notFound { opener.tell(stream.name, error) }
            }
        }
        return made
    }

    private func isRemoved(_ candidate: Candidate) -> Bool {
        do throws(SystemError) {
            return try candidate.source.descriptor.status().links == 0
        } catch {
            // Reading it says so.
            return true
        }
    }

    /// Whether a name leads to another file by now that has the inode number of what was listed.
    func isAnother(_ rotatedFile: RotatedFile, _ name: [UInt8], _ look: StreamLook) -> Bool {
        guard let birth = rotatedFile.birth else { return false }
        do throws(SystemError) {
            let place = try look.directory.descriptor.openPlace(name)
            guard try place.status().inode == rotatedFile.status.inode, let theirs = place.birth()
            else { return false }
            return birth != theirs
        } catch {
            // Where it cannot be told, it is the one that was listed.
            return false
        }
    }
}
