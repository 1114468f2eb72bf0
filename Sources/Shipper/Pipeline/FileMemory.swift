import Model
import Platform
import Registry
import Settings
import Tailer

/// The registry's entries as the Tailer asks for them and changes them, and the fate of those whose
/// files are no longer there. Of frames and records it knows nothing. Made and used on the reader
/// thread only.
final class FileMemory: KnownFiles {
    /// The entry of a sighted file.
    struct Found {
        let entry: FileEntry
        var isKnown = true
        var isReplaced = false
    }

    private let parts: ReaderOutput.Parts
    private let territory: Territory?
    private let tailing: [TailerInput]
    /// Open files, and whether they are in an s6 log directory.
    private var open: [FileID: Bool] = [:]
    /// Streams that were saved before this run, with the devices of their files, by directory,
    /// until that is asked for: what is mounted late has its turn late.
    private var savedStreams: [ExactText: [ExactText: Set<UInt64>]]?
    private var places = EntryPlaces()
    private var hasScannedAll = false
    /// Saved files that are not where they were, until all directories were scanned:
    ///
    /// 1. While no agent runs, `a/app.log` is moved to `b/app.log`.
    /// 2. `a` is scanned first.
    ///
    /// At most as many as there are entries. Some were read by this run before they were missing.
    private var unlisted: [(entry: FileEntry, wasFollowed: Bool)] = []
    /// Inputs whose first scan ever this is: `start: end` is for what it finds.
    private let newInputs: Set<Int>

    /// Inputs whose first scan has not been.
    static func newInputs(_ settings: Settings, _ registry: Registry) -> Set<Int> {
        let damaged = registry.mustStartAtBeginning
        return Set(
            settings.inputs.indices.filter {
                settings.inputs[$0].start == .end && !damaged
                    && !registry.inputIsKnown(settings.inputs[$0].name)
            })
    }

    /// Of all directories it has what is in the `territory`; nil stands for everything.
    init(
        _ parts: ReaderOutput.Parts, territory: Territory?, newInputs: Set<Int>?,
        tailing: [TailerInput]
    ) {
        self.parts = parts
        self.territory = territory
        self.newInputs = newInputs ?? Self.newInputs(parts.settings, parts.registry)
        self.tailing = tailing
    }

    // MARK: Files that are opened

    /// A file is read from now on, as this entry.
    func begin(_ entry: FileEntry, isS6: Bool) {
        // It may have left since it was found; from now on it cannot.
        parts.registry.keep(entry)
        places.add(entry)
        open[entry.file] = isS6
    }

    /// It is no longer read.
    func end(_ file: FileID) { open[file] = nil }

    private func isOpen(_ file: FileID) -> Bool { open[file] != nil }

    /// The entry of a file that was opened: a new one where none is known, unless `onlyIfKnown`.
    func opened(_ sighting: FileSighting, onlyIfKnown: Bool) -> Found? {
        let registry = parts.registry
        switch registry.find(identity: sighting.identity, head: sighting.head) {
        case .same(let entry):
            if entry.identity.device == sighting.identity.device { parts.volumes.opened(entry) }
            registry.headGrew(entry.file, head: sighting.begin)
            if !sighting.archived, !sighting.isS6,
                ExactText(sighting.path) == ExactText(sighting.streamName),
                ExactText(entry.stream) != ExactText(sighting.streamName)
            {
                // It is another log's live file now, and that is where the next run looks for it.
                registry.joined(entry.file, stream: sighting.streamName)
                registry.moved(entry.file, path: sighting.path, state: .active)
            }
            if ExactText(entry.path) != ExactText(sighting.path)
                || entry.state == .unreachable || entry.state == .deleted
                || (sighting.archived && entry.state == .active)
            {
                // With that state goes its last size.
                if sighting.archived, sighting.isS6, sighting.hasKnownSize {
                    parts.ledger.saveSize(entry.file, sighting.size)
                }
                registry.moved(
                    entry.file, path: sighting.path,
                    state: sighting.archived ? .archived : .active)
            }
            return Found(entry: entry)
        case .otherContent(let entry):
            return Found(entry: entry, isReplaced: true)
        case .none:
            if onlyIfKnown { return nil }
            return Found(entry: see(sighting), isKnown: false)
        }
    }

    /// A new entry, for a file that was read to `end`.
    func see(_ sighting: FileSighting, readTo end: PhysicalOffset? = nil) -> FileEntry {
        for entry in parts.registry.displaced(by: sighting.identity)
        where hasScannedAll && !isOpen(entry.file) && !parts.ledger.isFollowed(entry.file)
            && isMine(entry.path)
            && !directory(of: entry.path).elementsEqual(directory(of: sighting.path))
        {
            // In its own directory, or where its archives go, it may have been copied or
            // compressed. Its stream looks for that, be it later than this one:
            //
            // 1. While no agent runs, `b/app.log.1` is compressed, which gives its inode number
            //    back.
            // 2. The new `a/app.log` gets that, and is found first.
            // 3. Without its entry what was left of `b/app.log.1` would be nobody's.
            leave(entry)
        }
        let input = parts.settings.inputs[sighting.input]
        let isPast = sighting.firstScan && newInputs.contains(sighting.input)
        return parts.registry.see(
            NewFile(
                input: input.name, stream: sighting.streamName, path: sighting.path,
                identity: sighting.identity, fingerprint: Fingerprint.of(head: sighting.begin),
                // Where a compressed one ends is not known: with no bytes, it is read.
                offset: end ?? (isPast && sighting.hasKnownSize ? sighting.size : .start),
                size: end ?? (isPast && !sighting.hasKnownSize ? .start : sighting.size),
                state: sighting.archived ? .archived : .active))
    }

    /// Another reader has what lies there.
    private func isMine(_ path: String) -> Bool { territory?.has(path) ?? true }

    private func directory(of path: String) -> Substring.UTF8View {
        path.utf8.directoryAndName?.directory ?? path[...].utf8
    }

    /// The entry of other content in the same file.
    func restarted(_ file: FileID, _ sighting: FileSighting) -> FileEntry {
        parts.registry.truncated(
            file, identity: sighting.identity,
            fingerprint: Fingerprint.of(head: sighting.begin)) ?? see(sighting)
    }

    /// The entry of a new generation that begins at `place`.
    func rewound(
        _ file: FileID, _ sighting: FileSighting, to place: LogicalOffset, anchor: [UInt8]
    ) -> FileEntry? {
        if parts.ledger.isOutstanding(file) { return nil }
        return parts.registry.rewritten(
            file, from: place, anchor: Anchor(bytes: anchor),
            fingerprint: Fingerprint.of(head: sighting.begin), size: sighting.size)
    }

    /// The entries of a file that goes on in a copy, and of the new content at its place.
    func continued(
        _ file: FileID, in copy: FileSighting, _ live: FileSighting
    ) -> (copy: FileEntry, live: FileEntry)? {
        let fresh = NewFile(
            input: parts.settings.inputs[live.input].name, stream: live.streamName,
            path: live.path, identity: live.identity, fingerprint: Fingerprint.of(head: live.begin),
            offset: .start, size: live.size)
        guard
            let entries = parts.registry.continued(
                file, in: copy.identity, path: copy.path, size: size(of: copy, file), live: fresh)
        else { return nil }
        // What was seen last under this number is the size of the file that goes on.
        parts.ledger.grew(file, size: entries.copy.size)
        return entries
    }

    /// The entry of a file whose content is in another inode now.
    func relocated(_ file: FileID, to sighting: FileSighting) -> FileEntry? {
        parts.registry.relocated(
            file, to: sighting.identity, path: sighting.path, size: size(of: sighting, file))
    }

    /// What `sighting` shows was made of the file, which may have left since: it has its entry.
    func inherited(_ file: FileID, by sighting: FileSighting) -> Bool {
        // It may be about to leave with its last delivery.
        parts.ledger.stay(file)
        let isLive = ExactText(sighting.path) == ExactText(sighting.streamName)
        let entry = parts.registry.inherited(
            file, by: sighting.identity, stream: sighting.streamName, path: sighting.path,
            size: size(of: sighting, file), mayGrow: !sighting.hasKnownSize,
            state: isLive ? .active : .archived)
        guard let entry else { return false }
        places.add(entry)
        return true
    }

    /// The file goes on in another inode, which is written to. False when it is not known.
    func succeeded(_ file: FileID, by sighting: FileSighting) -> Bool {
        parts.registry.relocated(
            file, to: sighting.identity, path: sighting.path, size: sighting.size, state: .active)
            != nil
    }

    /// The size to be saved of the content of `file`, which goes on in another one. Until the end
    /// of a compressed one was reached that is more than the position: the bytes that were seen
    /// when it was none, or one byte.
    private func size(of sighting: FileSighting, _ file: FileID) -> PhysicalOffset {
        guard !sighting.hasKnownSize, let known = progress(of: file),
            let entry = parts.registry.entry(file)
        else { return sighting.size }
        return max(entry.size, sighting.size, known.position + 1)
    }

    /// The file has another path now, at which nobody writes to it when it is `archived`.
    func moved(_ file: FileID, path: String, archived: Bool) {
        if archived, open[file] ?? false { parts.ledger.saveSize(file) }
        let former = parts.registry.entry(file).flatMap { ExactText($0.path).parent }
        parts.registry.moved(file, path: path, state: archived ? .archived : .active)
        if let entry = parts.registry.entry(file), ExactText(entry.path).parent != former {
            places.add(entry)
        }
    }

    /// More of the file's beginning is known.
    func headGrew(_ file: FileID, head: [UInt8]) { parts.registry.headGrew(file, head: head) }

    /// The file begins otherwise than what is known, and is the same.
    func headChanged(_ file: FileID, head: [UInt8]) {
        parts.registry.headChanged(file, to: Fingerprint.of(head: head))
    }

    // MARK: Questions

    func saved(_ stream: String) -> [SavedFile] {
        parts.registry.entries(ofStream: stream).map { SavedFile($0) }
    }

    func saved(_ file: FileID) -> SavedFile? {
        parts.registry.entry(file).map { SavedFile($0) }
    }

    func savedStreams(in directory: String, on device: UInt64) -> [SavedStream] {
        let directory = ExactText(directory)
        if savedStreams == nil {
            var streams: [ExactText: [ExactText: Set<UInt64>]] = [:]
            for entry in parts.registry.entries() {
                let (parent, stream) = EntryPlaces.log(of: entry)
                guard let parent else { continue }
                streams[parent, default: [:]][stream, default: []]
                    .insert(entry.identity.device)
            }
            savedStreams = streams
        }
        guard let streams = savedStreams?[directory] else { return [] }
        let outOfSight = streams.filter { !$0.value.contains(device) }
        savedStreams?[directory] = outOfSight.isEmpty ? nil : outOfSight
        return streams.sorted { $0.key < $1.key }
            .map { SavedStream(path: $0.key.text, isOnDevice: $0.value.contains(device)) }
    }

    func formers(in directory: String, on device: UInt64) -> [FormerFile] {
        let directory = ExactText(directory)
        return places.entries(in: directory, of: parts.registry).compactMap { entry in
            // What is open is read where it is, and two must not read it.
            guard entry.identity.device != device, !isOpen(entry.file) else { return nil }
            let isElsewhere = ExactText(entry.path).parent != directory
            return FormerFile(
                file: entry.file, inode: entry.identity.inode, isElsewhere: isElsewhere)
        }
    }

    func renumber(
        _ former: FormerFile, name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) {
        guard let entry = parts.registry.entry(former.file), !isOpen(former.file),
            entry.identity.inode == former.inode
        else { return }
        var identity: FileIdentity?
        if !former.isElsewhere {
            identity = try DeviceNumbers.identity(of: entry, as: name, in: directory)
        } else if isMine(entry.path) {
            identity = try DeviceNumbers.identity(of: entry)
        }
        guard let identity else { return }
        parts.registry.renumbered([entry.file: identity])
        let log = EntryPlaces.log(of: entry)
        if let parent = log.directory {
            savedStreams?[parent]?[log.path]?.insert(identity.device)
        }
    }

    func file(_ identity: FileIdentity, head: [UInt8]) -> FileID? {
        switch parts.registry.find(identity: identity, head: head) {
        case .same(let entry), .otherContent(let entry): entry.file
        case .none: nil
        }
    }

    func progress(of file: FileID) -> (stream: String, position: PhysicalOffset)? {
        guard let entry = parts.registry.entry(file) else { return nil }
        let end = parts.ledger.takenEnd(file, entry.generation) ?? entry.offset
        return (entry.stream, entry.base.physical(end))
    }

    func content(of file: FileID, beginsAs head: [UInt8]) -> Bool {
        guard let entry = parts.registry.entry(file), entry.fingerprint.length > 0 else {
            return false
        }
        return entry.fingerprint.matches(head: head)
    }

    func identity(of file: FileID) -> FileIdentity? { parts.registry.entry(file)?.identity }

    func origins(of sighting: FileSighting) -> [FileOrigin] {
        let (known, departed) = parts.registry.files(beginningAs: sighting.head)
        return FileOrigins(
            of: sighting, known.filter { isMine($0.path) }.map { parts.ledger.taken($0) },
            departed: departed.filter { isMine($0.path) }
        ).origins.map(\.origin)
    }

    func isOnDisk(_ file: FileID) -> Bool {
        guard let entry = parts.registry.entry(file) else { return false }
        guard isMine(entry.path) else { return true }
        switch look(at: entry, EntryLook.glance) {
        case .unreachable: return true
        case .found:
            // 1. `app.log` is compressed elsewhere, which gives its inode number back.
            // 2. The new `app.log` has that at once.
            if case .found = look(at: entry, EntryLook.open) { return true }
        case .other, .missing: break
        }
        return isElsewhere(whereabouts(of: entry))
    }

    func isElsewhere(_ file: FileID) -> Bool {
        guard let entry = parts.registry.entry(file) else { return false }
        guard isMine(entry.path) else { return true }
        switch look(at: entry, EntryLook.glance) {
        case .found, .unreachable: return true
        case .other, .missing: return isElsewhere(whereabouts(of: entry))
        }
    }

    // MARK: Files that are not there

    /// The saved files of a stream whose directories were listed, which are on `devices`: those
    /// that are neither open nor there leave, or wait for the end of the first scan.
    func listed(
        _ stream: String, on devices: Set<UInt64>, isThere: (FileIdentity) -> Bool
    ) {
        for entry in parts.registry.entries(ofStream: stream)
        where !isOpen(entry.file) && devices.contains(entry.identity.device)
            && !parts.ledger.isOutstanding(entry.file) && !isThere(entry.identity)
        {
            if hasScannedAll {
                leave(entry)
            } else {
                unlisted.append((entry, parts.ledger.isFollowed(entry.file)))
            }
        }
    }

    /// Every directory was scanned once.
    func scannedAll() {
        hasScannedAll = true
        leaveUnlisted()
    }

    /// Those leave that were missing where they had been, and that no other directory had.
    private func leaveUnlisted() {
        for (earlier, wasFollowed) in unlisted {
            guard let entry = parts.registry.entry(earlier.file), !isOpen(entry.file),
                wasFollowed || !parts.ledger.isFollowed(entry.file),
                !parts.ledger.isOutstanding(entry.file), entry.identity == earlier.identity,
                ExactText(entry.path) == ExactText(earlier.path)
            else { continue }
            leave(entry)
        }
        unlisted = []
    }

    /// The file of an entry is no longer on the disk, and nobody has it open here; or it was moved
    /// to where no pattern leads, and may come back: a directory that is bound to another place
    /// (`mount --bind`) is not there for a while; or nobody knows whether that is its device. That
    /// one's entry stays, and what is unread of it counts as lost, once.
    private func leave(_ entry: FileEntry) {
        // The entry was looked up a moment ago: its last delivery may be saved only now.
        let delivered = max(entry.offset, parts.ledger.delivered(entry.file) ?? entry.offset)
        let whereabouts = whereabouts(of: entry)
        if case .at(let place, _) = whereabouts,
            tailing.contains(where: { $0.reads(PathText.text(place)) })
        {
            // It is another log's by now, whose stream has the last word.
            return
        }
        if case .unknown = whereabouts {
            switch lookInAnotherLog(for: entry) {
            case .found: return
            case .unreachable:
                // Until it is removed there, or can be looked at.
                parts.ledger.unfollow(entry.file)
                return
            case .other, .missing: break
            }
        }
        for event in GoneFile.events(entry, delivered: delivered, whereabouts) {
            parts.report(event)
        }
        if isElsewhere(whereabouts) || !isSure(of: entry) {
            parts.registry.moved(
                entry.file, path: entry.path, state: .deleted,
                at: parts.volumes.timeOfNote(on: entry))
            // Until it is removed there, or comes back.
            parts.ledger.unfollow(entry.file)
        } else {
            parts.ledger.leave(entry.file)
        }
    }

    /// No name of its stream leads to a file that is not held any more.
    func unfollowed(_ file: FileID) {
        // Another stream may have found it by now.
        if !isOpen(file) { parts.ledger.unfollow(file) }
    }

    /// Looks for the file under the name that its entry has, if that is in another log's directory:
    ///
    /// 1. A file that was read is moved alone to the directory of another log, and is found there.
    ///    Its entry stays that of the log that it was.
    /// 2. The agent is started anew, and may not ask by handle. That log's directory does not list
    ///    the file.
    /// 3. Taken for gone, it would be sent again with the next start.
    private func lookInAnotherLog(for entry: FileEntry) -> PlaceLook<EntryFile> {
        let directory = ExactText(entry.path).parent
        let stream = ExactText(entry.stream)
        guard directory != stream, directory != stream.parent, isMine(entry.path),
            tailing.contains(where: { $0.reads(entry.path) })
        else { return .other }
        return look(at: entry, EntryLook.open)
    }

    private func look<Found>(
        at entry: FileEntry, _ look: (FileEntry) -> PlaceLook<Found>
    ) -> PlaceLook<Found> {
        look(entry).unlessAway(
            entry.identity.device, ExactText(entry.path).parent.map { .of($0) } ?? .outOfReach)
    }

    private func isElsewhere(_ whereabouts: Whereabouts) -> Bool {
        if case .at = whereabouts { true } else { false }
    }

    /// Whether its device is the one that it was on: this run has read it, or that is proven.
    private func isSure(of entry: FileEntry) -> Bool {
        parts.ledger.delivered(entry.file) != nil
            || parts.volumes.isSure(of: entry, mayLook: isMine)
    }

    /// Nothing is known of what lies with another reader, and may hang.
    private func whereabouts(of entry: FileEntry) -> Whereabouts {
        guard entry.path.utf8.first == UInt8(ascii: "/"), isMine(entry.path) else {
            return .unknown
        }
        let directory = String(directory(of: entry.path)) ?? ""
        return Whereabouts.of(
            entry, from: directory.isEmpty ? Array("/".utf8) : PathText.bytes(of: directory))
    }
}

extension SavedFile {
    fileprivate init(_ entry: FileEntry) {
        self.init(
            file: entry.file, identity: entry.identity, path: entry.path,
            position: entry.base.physical(entry.offset), anchor: entry.anchor,
            hasHead: entry.fingerprint.length > 0, updated: entry.updated, size: entry.size,
            base: entry.base, isArchived: entry.state == .archived)
    }
}
