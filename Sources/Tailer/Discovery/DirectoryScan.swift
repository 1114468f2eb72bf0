import Model
import Patterns
import Platform

/// One scan of one directory, which may take many turns: it stops where a slice is over, and goes
/// on from there.
final class DirectoryScan {
    let node: DirectoryNode
    /// Each scan of a tree has its own.
    let number: Int
    /// Nothing was heard of the directory: its files are looked at as well.
    let isByClock: Bool
    /// Nanoseconds that it took up to now.
    var cost: Int64 = 0
    /// The directory as it was seen, as soon as all names were gone through.
    fileprivate(set) var scanned: DirectoryTree.Scanned?
    /// Names that appeared since the scan before; nil where it may have been any.
    fileprivate(set) var appeared: Set<[UInt8]>? = []
    /// The work of its streams, as far as that has come.
    let work = StreamTable.LookWork()

    /// The directory was gone through as far as it can be.
    var isOver = false
    /// Names in it that links lead to, as soon as it is over, and the index of the next.
    var led: [[UInt8]]?
    var nextLed = 0
    /// Names of directories in it, once that was asked.
    var directories: Set<[UInt8]>?

    fileprivate var step = Step.list
    fileprivate var entries: [DirectoryEntry] = []
    /// Index of the entry, or of the new child, that is next.
    fileprivate var next = 0
    fileprivate var names = DirectoryNames([])
    fileprivate var matches: [DirectoryTree.Match] = []
    /// Of those, what is a link, or may be one, that its input follows.
    fileprivate var links: [DirectoryTree.Match] = []
    /// Indices of directories that are no children yet.
    fileprivate var newcomers: [Int] = []
    /// Files that may be known by another number of their device; nil until they were asked for.
    fileprivate var formers: [FormerFile]?
    /// One of them could not be looked at.
    fileprivate var hasUnknown = false
    fileprivate var device: UInt64 = 0
    fileprivate var time: FileTime?
    fileprivate var eventReads = 0
    /// The number of its listing.
    fileprivate(set) var listing = 0
    fileprivate var hasCurrent = false
    fileprivate var hasLogs = false

    fileprivate enum Step {
        case list
        case match
        case drop
        case adopt
        case know
        case follow
        case look
    }

    init(_ node: DirectoryNode, number: Int, isByClock: Bool) {
        self.node = node
        self.number = number
        self.isByClock = isByClock
    }
}

extension DirectoryTree {
    /// Lists a directory, brings watches and child directories up to date, and hands the open
    /// directory and what was seen to the handler; as much of it as a slice is enough for. True
    /// when all is done.
    ///
    /// Between two slices the directory is closed, and opened again beneath its prefix.
    func go(
        on scan: DirectoryScan, _ slice: inout Slice, _ now: MonotonicTime, _ handlers: Handlers
    ) -> Bool {
        let node = scan.node
        // Another reader has it, or none, and whatever is done with it may hang.
        guard territory.has(node),
            node.linked == nil || territory.mayFollow(node.prefix, node.path)
        else {
            leave(node, now, handlers)
            return true
        }
        do {
            let directory = SharedDescriptor(try node.open())
            let status = try directory.descriptor.status()
            if scan.step == .list {
                let key = InodeKey(status)
                if node.inode != key {
                    let hasOtherWriters = hasOtherWriters(directory.descriptor)
                    if hasOtherWriters, isStrange(node, key.device) {
                        node.hasTrouble = true
                        return true
                    }
                    watches.unwatch(node)
                    if node.inode != nil { handlers.swapped(node) }
                    node.inode = key
                    // A volume was mounted there, say: what an earlier run left unread on that is
                    // asked for.
                    node.wasLooked = false
                    node.isDeviceKnown = false
                    node.hasOtherWriters = hasOtherWriters
                }
                try list(scan, directory.descriptor, status, now)
            } else if node.inode != InodeKey(status) {
                // Another directory has its name by now: that one is to be scanned.
                wakeWithNext(scan)
                node.isWanted = true
                return true
            }
            guard goThrough(scan, directory.descriptor, &slice, handlers) else { return false }
            return handlers.look(scan, directory, &slice)
        } catch {
            if error.isAbsence {
                leave(node, now, handlers)
            } else {
                node.hasTrouble = true
                node.isUnlistable = true
                report(.unlistable(path: node.text, error: error.code.description))
            }
            return true
        }
    }

    /// Whether what others write there may be no event here. One that does not say what it is may
    /// be anything.
    private func hasOtherWriters(_ directory: borrowing Descriptor) -> Bool {
        do throws(SystemError) {
            return try fileSystem(directory).hasOtherWriters
        } catch {
            return true
        }
    }

    /// 1. A volume is mounted, and this reader opens its directory before anybody has seen the new
    ///    mounts.
    /// 2. It gets a reader of its own, and then two would read the same files.
    ///
    /// So it is left for the next scans; and taken all the same when nothing comes of it, for there
    /// are file systems that give parts of themselves numbers of their own.
    private func isStrange(_ node: DirectoryNode, _ device: UInt64) -> Bool {
        guard node.strangeLooks < Self.mostStrangeLooks, territory.map.isOutdated(device) else {
            return false
        }
        node.strangeLooks += 1
        return true
    }

    private static let mostStrangeLooks = 3

    private func list(
        _ scan: DirectoryScan, _ directory: borrowing Descriptor, _ status: FileStatus,
        _ now: MonotonicTime
    ) throws(SystemError) {
        let node = scan.node
        let key = InodeKey(status)
        node.hasTrouble = false
        node.isUnlistable = false
        node.vainLooks = 0
        node.rivals = rivals(of: node, key)
        // The watch first and the listing second: what comes between the two is seen twice rather
        // than never.
        watches.watch(node, directory, now)
        scan.appeared = node.appeared.takeNames()
        scan.device = key.device
        scan.time = status.changed
        node.listings += 1
        scan.listing = node.listings
        scan.entries = try directory.entries()
        node.names = scan.entries.count
        scan.eventReads = eventReads
        scan.names = DirectoryNames(capacity: scan.entries.count)
        scan.step = .match
    }

    private func goThrough(
        _ scan: DirectoryScan, _ directory: borrowing Descriptor, _ slice: inout Slice,
        _ handlers: Handlers
    ) -> Bool {
        let node = scan.node
        if scan.step == .match {
            while scan.next < scan.entries.count {
                see(scan.entries[scan.next], scan)
                scan.next += 1
                if slice.isOverAfterStep() { return false }
            }
            for (name, child) in node.children
            where child.seenBy != scan.number && child.linked == nil {
                node.children[name] = nil
                doom(child)
            }
            scan.step = .drop
        }
        if scan.step == .drop {
            guard bury(&slice, handlers) else { return false }
            scan.next = 0
            scan.step = .adopt
        }
        if scan.step == .adopt {
            while scan.next < scan.newcomers.count {
                adopt(scan.entries[scan.newcomers[scan.next]], node, scan.number)
                scan.next += 1
                if slice.isOverAfterStep() { return false }
            }
            scan.next = 0
            scan.step = .know
        }
        if scan.step == .know {
            guard know(scan, directory, &slice) else { return false }
            scan.next = 0
            scan.step = .follow
        }
        if scan.step == .follow {
            while scan.next < scan.links.count {
                let match = scan.links[scan.next]
                if !follow(match, in: node, directory, scan.number) { scan.matches.append(match) }
                scan.next += 1
                if slice.isOverAfterStep() { return false }
            }
            leaveLinks(of: node, notSeenBy: scan.number)
            scan.scanned = scanned(scan)
            scan.step = .look
        }
        return true
    }

    /// 1. A node starts, and the agent before the pods whose volumes it reads; or a volume is taken
    ///    away for a while and comes back.
    /// 2. The volume is mounted, and its device has another number than it had.
    /// 3. By that number none of its files would be known.
    ///
    /// So they are compared, each in a step of its own, once after a directory was found or became
    /// another one; and once more where one could not be read, which nobody else could either.
    private func know(
        _ scan: DirectoryScan, _ directory: borrowing Descriptor, _ slice: inout Slice
    ) -> Bool {
        let node = scan.node
        guard !node.isDeviceKnown else { return true }
        let formers = scan.formers ?? self.formers.found(node.text, scan.device)
        scan.formers = formers
        while scan.next < formers.count {
            let former = formers[scan.next]
            scan.next += 1
            guard let name = former.isElsewhere ? [] : scan.names.name(of: former.inode) else {
                continue
            }
            do throws(SystemError) {
                try self.formers.look(former, name, directory)
            } catch {
                // That it cannot be read is told where it is to be read.
                if !error.isAbsence { scan.hasUnknown = true }
            }
            if slice.isOverAfterStep() { return false }
        }
        node.isDeviceKnown = !scan.hasUnknown
        return true
    }

    private func see(_ entry: DirectoryEntry, _ scan: DirectoryScan) {
        let node = scan.node
        if entry.kind != .regular {
            guard territory.has(entry.name, in: node) else { return }
            if let child = node.children[entry.name] {
                child.seenBy = scan.number
            } else if entry.kind == .directory || entry.kind == .unknown {
                scan.newcomers.append(scan.next)
            }
        }
        let match = entry.kind == .directory ? nil : match(entry.name, entry.kind, in: node)
        let isFollowed = match.map { follows($0.input) } ?? false
        if isFollowed, entry.kind == .link, let match {
            // The file that it leads to has another name, in another directory.
            scan.links.append(match)
            return
        }
        scan.names.add(entry)
        guard entry.kind != .directory else { return }
        if entry.name == S6Name.current { scan.hasCurrent = true }
        if entry.name == S6Name.previous || S6Name.isArchive(entry.name) { scan.hasLogs = true }
        guard let match else { return }
        if isFollowed, entry.kind == .unknown {
            scan.links.append(match)
        } else {
            scan.matches.append(match)
        }
    }

    /// The pattern that a name matches, of the first input that has it by any way to the directory;
    /// nil where that is another way.
    private func match(
        _ name: [UInt8], _ kind: DirectoryEntry.Kind, in node: DirectoryNode,
        isMissing: Bool = false
    ) -> Match? {
        if node.linked != nil {
            return linkedMatch(name, kind, in: node, isMissing: isMissing)
        }
        guard let claim = claim(name, node.places, in: node.text), !isRivals(name, node, claim)
        else { return nil }
        return Match(
            name: name, kind: kind, input: claim.input, captures: claim.captures,
            isMissing: isMissing, pattern: claim.pattern)
    }

    typealias Claim = (input: Int, pattern: Int, captures: [String: String])

    private func claim(
        _ name: [UInt8], _ places: [PatternPlaces], in directory: String
    ) -> Claim? {
        for place in places {
            let settings = inputs[place.input]
            let below = settings.paths[place.pattern].below
            guard let captures = below.step(from: place.places, into: name).match else { continue }
            if !settings.exclude.isEmpty {
                let path = directory + "/" + PathText.text(name)
                if settings.exclude.contains(where: { $0.matches(path) }) { continue }
            }
            return (place.input, place.pattern, captures)
        }
        return nil
    }

    /// Whether a file is another way's: of an earlier input or pattern, or else of the path that is
    /// less.
    func isRivals(_ name: [UInt8], _ node: DirectoryNode, _ mine: Claim?) -> Bool {
        node.rivals.contains { rival in
            guard let theirs = claim(name, rival.places, in: rival.text) else { return false }
            guard let mine else { return true }
            if (theirs.input, theirs.pattern) != (mine.input, mine.pattern) {
                return (theirs.input, theirs.pattern) < (mine.input, mine.pattern)
            }
            return ExactText(rival.text) < ExactText(node.text)
        }
    }

    private func scanned(_ scan: DirectoryScan) -> Scanned {
        let node = scan.node
        var matches = scan.matches
        if scan.hasCurrent || scan.hasLogs,
            isRivals(S6Name.current, node, claim(S6Name.current, node.places, in: node.text))
        {
            // With its `current` all that s6-log has made is another way's.
            matches.removeAll { S6Name.own.contains($0.name) || S6Name.isArchive($0.name) }
        }
        // An s6 log directory whose `current` is missing, in the middle of a rotation or because
        // its s6-log died there: what was logged before is in `previous` and the archives.
        if scan.hasLogs, !scan.hasCurrent,
            let match = match(S6Name.current, .unknown, in: node, isMissing: true)
        {
            matches.append(match)
        }
        if !node.wasLooked {
            node.wasLooked = true
            // They are told once, and where a pattern leads here by itself, to that.
            let isAnothers = node.linked != nil && !node.rivals.isEmpty
            node.savedStreams = isAnothers ? [] : savedStreams(node.text, scan.device)
        }
        matches += saved(node, scan)
        return Scanned(
            node: node, device: scan.device, names: scan.names, matches: matches,
            missing: { [unowned self] in match($0, .unknown, in: node, isMissing: true) },
            eventReads: scan.eventReads, readsByLook: eventReads, time: scan.time,
            watching: watches.isBelieved(node) ? node.watchNumber : nil)
    }

    /// Logs that an earlier run has read and whose path leads nowhere now: what it left unread may
    /// lie beside it.
    ///
    /// 1. A volume is not mounted yet, and its mount point is an empty directory of another device.
    /// 2. Its logs are not gone: there is nothing to be said of them before it is mounted.
    private func saved(_ node: DirectoryNode, _ scan: DirectoryScan) -> [Match] {
        guard !node.savedStreams.isEmpty else { return [] }
        // A directory that has a log's name by now is none.
        let listed = Set(scan.entries.lazy.filter { $0.kind != .directory }.map(\.name))
        // A stream is a path as a text, and a name is bytes.
        let names = node.savedStreams.map { stream in
            let text = stream.path.utf8.dropFirst(node.text.utf8.count + 1)
            return PathText.bytes(of: String(decoding: text, as: UTF8.self))
        }
        let missing = zip(node.savedStreams, names).compactMap { stream, name -> Match? in
            guard !listed.contains(name), name != S6Name.current || !scan.hasLogs,
                stream.isOnDevice || listed.contains(where: { RotatedName($0, of: name) != nil })
            else { return nil }
            return match(name, .unknown, in: node, isMissing: true)
        }
        return missing + earlierRuns(in: node, listed, names)
    }

    private func adopt(_ entry: DirectoryEntry, _ node: DirectoryNode, _ number: Int) {
        guard node.children[entry.name] == nil else { return }
        let places = node.places.compactMap { place -> PatternPlaces? in
            let below = inputs[place.input].paths[place.pattern].below
            let further = below.step(from: place.places, into: entry.name).below
            guard !further.isEmpty else { return nil }
            return PatternPlaces(input: place.input, pattern: place.pattern, places: further)
        }
        guard !places.isEmpty else { return }
        let path = node.path.isEmpty ? entry.name : node.path + [UInt8(ascii: "/")] + entry.name
        let child = DirectoryNode(
            root: node.root, prefix: node.prefix, path: path, text: node.text(of: entry.name),
            places: places, parent: node)
        child.seenBy = number
        node.children[entry.name] = child
        // One that appears later is waited for by nobody.
        join(child, isOfFirstWalk: node.isOfFirstWalk && !node.wasEnded)
        tellExclusions(of: child)
    }

    private func tellExclusions(of directory: DirectoryNode) {
        guard !namesToMeet.isEmpty else { return }
        namesToMeet.removeAll { input, exclusion in
            guard directory.places.contains(where: { $0.input == input }),
                exclusion.matches(directory.text)
            else { return false }
            report(.excludedDirectory(path: directory.text, exclusion: exclusion.text))
            return true
        }
    }

    /// The directory itself is not there. A prefix is waited for; anything else leaves the tree,
    /// and its parent, whose listing is the truth, makes it again when it is back.
    private func leave(_ node: DirectoryNode, _ now: MonotonicTime, _ handlers: Handlers) {
        if node.depth > 0, node.linked == nil {
            guard let parent = node.parent else { return }
            let name = Array(node.path.directoryAndName?.name ?? node.path[...])
            if parent.children[name] === node { parent.children[name] = nil }
            doom(node)
            // A sick file system may still list it, and have it again without an event.
            retry(parent, now)
            return
        }
        for (name, child) in node.children where child.linked == nil {
            node.children[name] = nil
            doom(child)
        }
        leaveLinks(of: node)
        node.vainLooks += 1
        watches.unwatch(node)
        handlers.gone(node)
    }
}
