import Model
import Platform

/// Compressed files that another stream's files were made into: which of them wait, and which have
/// an entry that was another file's and are to be read. Lives on the reader thread.
final class Inheritance {
    /// Since when compressed files wait, by inode number.
    private var waiting: [InodeKey: MonotonicTime] = [:]
    /// What they were made of, until they are found to go on where that was left.
    private var origins: [FileID: FileOrigin] = [:]
    private var begun: Set<FileID> = []
    /// From so many on it is looked for those that are not known any more.
    private var mostOrigins = 1_024
    /// The files that they were made of, lately.
    private var sources: [FileIdentity] = []
    private static let mostSources = 256

    /// From so many on none waits any longer: somebody makes them, and nothing is known of who
    /// would remove what.
    private static let mostWaiting = 1_024
    /// A compressor removes what it has read as soon as it is through. What is there for longer
    /// after the last byte was written begins alike by accident, or is kept on purpose;
    /// nanoseconds.
    private static let patience: Int64 = 30_000_000_000
    /// What is written to for so long is no archive in the making: a program writes one log twice.
    private static let longest: Int64 = 3_600_000_000_000

    /// Whether a compressed file that did not change for `stillness` nanoseconds waits for the
    /// removal of what it seems to be made of.
    func waits(_ key: InodeKey, stillness: Int64, _ now: MonotonicTime) -> Bool {
        if waiting[key] == nil, waiting.count >= Self.mostWaiting {
            waiting = waiting.filter { now - $0.value < Self.longest }
            if waiting.count >= Self.mostWaiting { return false }
        }
        let since = waiting[key] ?? now
        waiting[key] = since
        return stillness < Self.patience && now - since < Self.longest
    }

    /// It waits no longer.
    func forget(_ key: InodeKey) { waiting[key] = nil }

    /// A compressed file has this entry now, which was another file's. What was removed before it
    /// was read is forgotten as soon as it is not `isKnown`.
    func inherits(_ origin: FileOrigin, isKnown: (FileID) -> Bool) {
        if origins.count >= mostOrigins {
            origins = origins.filter { isKnown($0.key) }
            begun.formIntersection(origins.keys)
            mostOrigins = max(1_024, 2 * origins.count)
        }
        origins[origin.file] = origin
        sources.append(origin.identity)
        if sources.count > Self.mostSources { sources.removeFirst() }
    }

    /// Whether a file's entry went over to what was made of it:
    ///
    /// 1. A look opens `1.log`, whose compressor is writing `1.log.gz`.
    /// 2. That is through with it, and removes `1.log`.
    /// 3. The look finds `1.log.gz`. Were `1.log` taken up after that, all of it would come again.
    func isSource(_ candidate: Candidate) -> Bool {
        sources.contains { source in
            source.inode == candidate.identity.inode && source.agrees(with: candidate.identity)
        } && candidate.isRemoved
    }

    /// Whether what was made of it was not taken up yet.
    func awaitsTurn(_ file: FileID) -> Bool { origins[file] != nil && !begun.contains(file) }

    /// It is opened; whether that was waited for.
    func takeUp(_ file: FileID) -> Bool { origins[file] != nil && begun.insert(file).inserted }

    /// It was compared, and is what it was supposed to be or not. Returns what that was.
    @discardableResult
    func decide(_ file: FileID) -> FileOrigin? {
        begun.remove(file)
        return origins.removeValue(forKey: file)
    }
}

extension FileOpener {
    /// What is known of the file that a compressed one was made of is known of that one, where that
    /// file was another stream's.
    ///
    /// 1. `app.log` is renamed to `app-1.log`, which a pattern matches as a log of its own, or is
    ///    moved to another log's directory.
    /// 2. It is compressed to `app-1.log.gz` before anybody looks.
    /// 3. As a file that nobody has seen it would be sent again, whole.
    ///
    /// That its first bytes and those before the position are the same is found out at once where
    /// that is little to unpack, and else when it is read. Whatever else begins like it is shipped.
    func inherit(_ candidate: Candidate) {
        guard candidate.packed != nil, candidate.request.stream.kind == .path,
            !candidate.isInTheMaking, !candidate.head.isEmpty,
            knownFiles.file(candidate.identity, head: candidate.head) == nil
        else { return }
        let sighting = candidate.sighting(isFirstScan: isFirstScan)
        var isAwaited = false
        for (number, origin) in knownFiles.origins(of: sighting).enumerated() {
            if isThere(origin) {
                isAwaited = true
                // It is that one, and no other that begins alike.
                if origin.isNamesake { break }
            } else if number < Self.mostUnpacked, isAnother(candidate, origin) {
                continue
            } else if output.inherited(origin.file, by: sighting) {
                inheritance.forget(InodeKey(candidate.status))
                inheritance.inherits(origin) { knownFiles.identity(of: $0) != nil }
                output.report(
                    .compressedAs(path: origin.path, archive: candidate.request.path))
                return
            }
        }
        let now = MonotonicTime.now()
        if isAwaited, !once,
            inheritance.waits(
                InodeKey(candidate.status),
                stillness: stillness.time(of: candidate.status, now), now)
        {
            candidate.awaitRemoval()
        } else {
            inheritance.forget(InodeKey(candidate.status))
        }
    }

    /// Files that begin alike and are compared further before one of them is believed.
    private static let mostUnpacked = 4

    /// Whether it is known already that a compressed file was made of something else.
    private func isAnother(_ candidate: Candidate, _ origin: FileOrigin) -> Bool {
        do throws(SystemError) {
            return try candidate.unpacks(to: origin.anchor.bytes, before: origin.position) == false
        } catch {
            tell(candidate.request.path, error)
            return true
        }
    }

    /// Whether a file that was removed before anything of it was read is what another log's file is
    /// being read as:
    ///
    /// 1. A look opens `app.log`. It is renamed and compressed, to another log's name.
    /// 2. That log is looked at first, and nothing is known of such a content.
    /// 3. `app.log`, which is open, would come again.
    func isReadElsewhere(_ candidate: Candidate) -> Bool {
        guard candidate.packed == nil, candidate.request.stream.kind == .path,
            candidate.isRemoved,
            knownFiles.file(candidate.identity, head: candidate.head) == nil
        else { return false }
        let sighting = candidate.sighting(isFirstScan: isFirstScan)
        return knownFiles.origins(of: sighting).contains { origin in
            // All of it, and not only what logs with one banner have in common.
            guard !origin.hasLeft, isPacked(origin), origin.position > .start,
                !origin.anchor.bytes.isEmpty, origin.position == candidate.size
            else { return false }
            do throws(SystemError) {
                return try candidate.continues(at: origin.position, after: origin.anchor.bytes)
            } catch {
                return false
            }
        }
    }

    private func isPacked(_ origin: FileOrigin) -> Bool {
        let key = InodeKey(device: origin.identity.device, inode: origin.identity.inode)
        if let file = open[key], file.id == origin.file { return file.packed != nil }
        if dormant[key]?.file == origin.file { return false }
        return RotatedName.isPacked(PathText.bytes(of: origin.path))
    }

    /// It begins as what it was supposed to be made of, and does not go on so: it is another log.
    func disinherit(_ file: TailedFile, of stream: LogStream) throws(SystemError) {
        if let origin = inheritance.decide(file.id), let unread = origin.unread {
            output.report(.lost(path: origin.path, range: unread, reason: .deletedUnread))
        }
        file.suppose(false)
        restart(file, try fresh(file, of: stream), isTruncated: false)
    }

    /// Whether a file is on the disk yet, or is open here and read to its end first.
    func isThere(_ origin: FileOrigin) -> Bool {
        if origin.hasLeft { return false }
        let key = InodeKey(device: origin.identity.device, inode: origin.identity.inode)
        // What it is like now is for its stream to find out.
        if let dormant = dormant[key], dormant.file == origin.file { wake(dormant) }
        guard let file = open[key], file.id == origin.file else {
            return knownFiles.isOnDisk(origin.file)
        }
        return true
    }
}
