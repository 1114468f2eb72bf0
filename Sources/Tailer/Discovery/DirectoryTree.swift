import Platform

/// The directories that patterns lead into, found by scans and watched by inotify.
///
/// Events are hints, scans are the truth: an event only queues its directory for a scan, and every
/// directory is scanned again after `TailerIntervals.watchedScan` in any case. Lives on the reader
/// thread.
final class DirectoryTree {
    /// A directory as one scan saw it.
    struct Look {
        let node: DirectoryNode
        let device: UInt64
        let names: DirectoryNames
        /// Names that patterns match and no exclusion does; the first input that matches has them.
        let matches: [Match]
        /// What a name would match that is not there.
        var absent: ([UInt8]) -> Match? = { _ in nil }
        /// Events read before it was listed, by their number.
        var eventReads = 0
        /// Before it was listed; nanoseconds since 1970, as files have it.
        var time = FileOpener.fileTime()
    }

    struct Match {
        let name: [UInt8]
        let kind: DirectoryEntry.Kind
        let input: Int
        let captures: [String: String]
        /// The name is not there; what belongs to it is.
        var isAbsent = false
    }

    private let inputs: [TailerInput]
    private let intervals: TailerIntervals
    private let report: (TailerEvent) -> Void
    /// How often events were read.
    private(set) var eventReads = 0
    /// Ordinary logs of a directory that an earlier run has read: paths.
    private let savedStreams: (String) -> [String]
    /// One for each prefix.
    private let roots: [DirectoryNode]
    private let watches: Bool

    /// Directories to be scanned next; each at most once, so bounded by the tree.
    private var queue = RingQueue<DirectoryNode>()
    /// Directories by the time of their next scan. A node is in each at most once, whatever happens
    /// in it: one that was scanned meanwhile takes its place again when it falls due too early.
    private var slowly = IntervalQueue<DirectoryNode>()
    private var soon = IntervalQueue<DirectoryNode>()
    /// One watch may serve two nodes, where prefixes of two patterns overlap.
    private var watched: [Inotify.Watch: [DirectoryNode]] = [:]
    private var hasReportedWatch = false
    /// Exclusions that could be meant for a directory and were not met in that place yet.
    private var namesToMeet: [(input: Int, exclusion: PathExclusion)] = []
    var watchCount: Int { watched.count }

    /// Without `watches` nothing is heard of between scans, which is all that one walk needs.
    init(
        inputs: [TailerInput], intervals: TailerIntervals, watches: Bool,
        savedStreams: @escaping (String) -> [String] = { _ in [] },
        report: @escaping (TailerEvent) -> Void
    ) {
        self.watches = watches
        self.savedStreams = savedStreams
        self.inputs = inputs
        self.intervals = intervals
        self.report = report
        var places: [String: [PatternPlaces]] = [:]
        var prefixes: [String] = []
        for (input, settings) in inputs.enumerated() {
            for (index, pattern) in settings.paths.enumerated() {
                if places[pattern.prefix] == nil { prefixes.append(pattern.prefix) }
                places[pattern.prefix, default: []].append(
                    PatternPlaces(input: input, pattern: index, places: pattern.below.start))
            }
        }
        roots = prefixes.enumerated().map { index, prefix in
            DirectoryNode(
                root: index, prefix: prefix, path: [], text: PathText.text(prefix.utf8),
                places: places[prefix] ?? [])
        }
        for root in roots { enqueue(root) }
        for (input, settings) in inputs.enumerated() {
            namesToMeet += settings.exclude.filter(\.namesOne).map { (input, $0) }
        }
    }

    // MARK: When to scan

    func enqueue(_ node: DirectoryNode) {
        guard !node.isQueued, !node.isGone else { return }
        node.isQueued = true
        queue.append(node)
    }

    /// An event of a directory, or the loss of its watch.
    func changed(_ watch: Inotify.Watch, lost: Bool, appeared name: [UInt8]? = nil) {
        for node in (lost ? watched.removeValue(forKey: watch) : watched[watch]) ?? [] {
            if lost { node.watch = nil }
            if let name { node.appeared.add(name) }
            enqueue(node)
        }
    }

    /// All events up to now are about to be read.
    func beginEvents() { eventReads += 1 }

    /// Events were lost: only a scan of everything tells what happened.
    func overflowed() {
        report(.overflow)
        forEachNode { enqueue($0) }
    }

    /// Every directory of the tree, in no order.
    func forEachNode(_ body: (DirectoryNode) -> Void) {
        var stack = roots
        while let node = stack.popLast() {
            body(node)
            stack.append(contentsOf: node.children.values)
        }
    }

    /// The next directory to scan now, if any.
    func next(_ now: Int64) -> DirectoryNode? {
        while let (node, _) = soon.popDue(now) {
            node.isDueSoon = false
            fallDue(node, now)
        }
        while let (node, _) = slowly.popDue(now) {
            node.isDueLater = false
            fallDue(node, now)
        }
        while let node = queue.popFirst() {
            node.isQueued = false
            if !node.isGone { return node }
        }
        return nil
    }

    var isQuiet: Bool { queue.isEmpty }

    /// Monotonic nanoseconds of the next scan that falls due by itself.
    var nextDue: Int64? {
        guard let a = soon.nextDue else { return slowly.nextDue }
        guard let b = slowly.nextDue else { return a }
        return min(a, b)
    }

    private func fallDue(_ node: DirectoryNode, _ now: Int64) {
        guard !node.isGone else { return }
        if node.nextScan <= now { enqueue(node) } else { place(node, now) }
    }

    private func schedule(_ node: DirectoryNode, _ now: Int64) {
        // Without watches each directory is looked at once, and again only where that was not enough.
        guard watches || node.hasTrouble else { return }
        let isSoon = node.watch == nil || node.hasTrouble
        node.nextScan = now + (isSoon ? intervals.unwatchedScan : intervals.watchedScan)
        place(node, now)
    }

    private func place(_ node: DirectoryNode, _ now: Int64) {
        if node.watch == nil || node.hasTrouble {
            if !node.isDueSoon { soon.add(node, due: now + intervals.unwatchedScan) }
            node.isDueSoon = true
        } else {
            if !node.isDueLater { slowly.add(node, due: now + intervals.watchedScan) }
            node.isDueLater = true
        }
    }

    /// Something in the directory could not be read: look again soon.
    func retry(_ node: DirectoryNode, _ now: Int64) {
        guard !node.hasTrouble else { return }
        node.hasTrouble = true
        schedule(node, now)
    }

    // MARK: Scanning

    /// Lists a directory, brings watches and child directories up to date, and hands the open
    /// directory and what was seen to `handle`. Directories that are no longer there are handed to
    /// `dropped`, the lowest first.
    func scan(
        _ node: DirectoryNode, _ inotify: borrowing Inotify, _ now: Int64,
        dropped: (DirectoryNode) -> Void, handle: (borrowing Descriptor, Look) -> Void
    ) {
        node.hasTrouble = false
        node.isUnlistable = false
        defer { if !node.isGone { schedule(node, now) } }
        do {
            let directory = try node.open()
            let status = try directory.status()
            let key = InodeKey(status)
            if node.inode != key {
                unwatch(node, inotify)
                node.inode = key
            }
            // The watch first and the listing second: what comes between the two is seen twice
            // rather than never.
            watch(node, directory, inotify)
            node.appeared.forgetRotations()
            let time = FileOpener.fileTime()
            let entries = try directory.entries()
            let look = look(at: node, status.device, entries, time)
            dropMissing(node, entries, inotify, dropped)
            addChildren(node, entries)
            handle(directory, look)
        } catch {
            if error.isAbsence {
                leave(node, inotify, now, dropped)
            } else {
                node.hasTrouble = true
                node.isUnlistable = true
                report(.unlistable(path: node.text, error: error.code.description))
            }
        }
    }

    private func look(
        at node: DirectoryNode, _ device: UInt64, _ entries: [DirectoryEntry], _ time: Int64
    ) -> Look {
        var matches: [Match] = []
        for entry in entries where entry.kind != .directory {
            for place in node.places {
                let settings = inputs[place.input]
                let below = settings.paths[place.pattern].below
                guard let captures = below.step(from: place.places, into: entry.name).match else {
                    continue
                }
                let path = node.text(of: entry.name)
                if settings.exclude.contains(where: { $0.matches(path) }) { continue }
                matches.append(
                    Match(
                        name: entry.name, kind: entry.kind, input: place.input, captures: captures))
                break
            }
        }
        if let match = absentCurrent(node, entries) { matches.append(match) }
        if !node.wasLooked {
            node.wasLooked = true
            matches += absentSaved(node, entries)
        }
        return Look(
            node: node, device: device, names: DirectoryNames(entries), matches: matches,
            absent: { [unowned self] in absent($0, in: node) }, eventReads: eventReads,
            time: time)
    }

    /// An s6 log directory whose `current` is missing, in the middle of a rotation or because its
    /// s6-log died there: what was logged before is in `previous` and the archives.
    private func absentCurrent(_ node: DirectoryNode, _ entries: [DirectoryEntry]) -> Match? {
        var hasLogs = false
        for entry in entries where entry.kind != .directory {
            if entry.name == S6Name.current { return nil }
            if entry.name == S6Name.previous || S6Name.isArchive(entry.name) { hasLogs = true }
        }
        guard hasLogs else { return nil }
        return absent(S6Name.current, in: node)
    }

    /// Logs that an earlier run has read and whose path leads nowhere now: what it left unread may
    /// lie beside it.
    private func absentSaved(_ node: DirectoryNode, _ entries: [DirectoryEntry]) -> [Match] {
        let streams = savedStreams(node.text)
        guard !streams.isEmpty else { return [] }
        let listed = Set(entries.lazy.map { node.text(of: $0.name) })
        return streams.filter { !listed.contains($0) }.compactMap {
            absent(Array($0.utf8.dropFirst(node.text.utf8.count + 1)), in: node)
        }
    }

    private func absent(_ name: [UInt8], in node: DirectoryNode) -> Match? {
        for place in node.places {
            let settings = inputs[place.input]
            let below = settings.paths[place.pattern].below
            let path = node.text(of: name)
            guard let captures = below.step(from: place.places, into: name).match,
                !settings.exclude.contains(where: { $0.matches(path) })
            else { continue }
            return Match(
                name: name, kind: .unknown, input: place.input, captures: captures,
                isAbsent: true)
        }
        return nil
    }

    private func addChildren(_ node: DirectoryNode, _ entries: [DirectoryEntry]) {
        for entry in entries where entry.kind == .directory || entry.kind == .unknown {
            guard node.children[entry.name] == nil else { continue }
            let places = node.places.compactMap { place -> PatternPlaces? in
                let below = inputs[place.input].paths[place.pattern].below
                let further = below.step(from: place.places, into: entry.name).below
                guard !further.isEmpty else { return nil }
                return PatternPlaces(
                    input: place.input, pattern: place.pattern, places: further)
            }
            guard !places.isEmpty else { continue }
            let path = node.path.isEmpty ? entry.name : node.path + [UInt8(ascii: "/")] + entry.name
            let child = DirectoryNode(
                root: node.root, prefix: node.prefix, path: path, text: node.text(of: entry.name),
                places: places)
            node.children[entry.name] = child
            enqueue(child)
            tellExclusions(of: child)
        }
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

    // MARK: What is no longer there

    private func dropMissing(
        _ node: DirectoryNode, _ entries: [DirectoryEntry], _ inotify: borrowing Inotify,
        _ dropped: (DirectoryNode) -> Void
    ) {
        guard !node.children.isEmpty else { return }
        let names = Set(entries.lazy.filter { $0.kind != .regular }.map(\.name))
        for (name, child) in node.children where !names.contains(name) {
            node.children[name] = nil
            drop(child, inotify, dropped)
        }
    }

    private func drop(
        _ node: DirectoryNode, _ inotify: borrowing Inotify, _ dropped: (DirectoryNode) -> Void
    ) {
        for child in node.children.values { drop(child, inotify, dropped) }
        node.children = [:]
        node.isGone = true
        unwatch(node, inotify)
        dropped(node)
    }

    /// The directory itself is not there. A prefix is waited for; anything else leaves the tree,
    /// and its parent, whose listing is the truth, makes it again when it is back.
    private func leave(
        _ node: DirectoryNode, _ inotify: borrowing Inotify, _ now: Int64,
        _ dropped: (DirectoryNode) -> Void
    ) {
        for child in node.children.values { drop(child, inotify, dropped) }
        node.children = [:]
        unwatch(node, inotify)
        dropped(node)
        guard !node.path.isEmpty else { return }
        node.isGone = true
        if let parent = parent(of: node) {
            for (name, child) in parent.children where child === node {
                parent.children[name] = nil
            }
            // A sick file system may still list it, and have it again without an event.
            retry(parent, now)
        }
    }

    private func parent(of node: DirectoryNode) -> DirectoryNode? {
        var place = roots[node.root]
        for name in node.path.split(separator: UInt8(ascii: "/")).dropLast() {
            guard let child = place.children[Array(name)] else { return nil }
            place = child
        }
        return place
    }

    // MARK: Watches

    private func watch(
        _ node: DirectoryNode, _ directory: borrowing Descriptor, _ inotify: borrowing Inotify
    ) {
        guard watches, node.watch == nil else { return }
        do {
            let watch = try inotify.watchEntries(of: directory)
            node.watch = watch
            watched[watch, default: []].append(node)
        } catch {
            // Every further directory will fail alike; one message says it all.
            if !hasReportedWatch {
                hasReportedWatch = true
                report(.unwatched(path: node.text, error: error.code.description))
            }
        }
    }

    private func unwatch(_ node: DirectoryNode, _ inotify: borrowing Inotify) {
        guard let watch = node.watch else { return }
        node.watch = nil
        watched[watch]?.removeAll { $0 === node }
        if watched[watch]?.isEmpty == true {
            watched[watch] = nil
            inotify.end(watch)
        }
    }
}
