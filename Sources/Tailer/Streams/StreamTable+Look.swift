import Platform

/// A look at one directory, for its streams.
extension StreamTable {
    /// How far a look has come. It stops between two streams where a slice is over, and goes on
    /// there.
    final class LookWork {
        fileprivate(set) var end = LookEnd.fine
        fileprivate var step = Step.writers
        fileprivate var next = 0
        fileprivate var isS6 = false
        fileprivate var seen: Set<[UInt8]> = []
        /// Names that rotation may have given to files of each path; of such that no pattern
        /// matches, too.
        fileprivate var rotated: [[UInt8]: [DirectoryEntry]] = [:]
        /// The log that a name is an earlier file of.
        fileprivate var owners: [[UInt8]: [UInt8]] = [:]
        fileprivate var inputs: [[UInt8]: Int] = [:]
        /// The other way round.
        fileprivate var claims: [[UInt8]: [[UInt8]]] = [:]
        /// Listings that its streams have in common.
        fileprivate var shared = SharedListing()
        /// Streams of which no name was seen; then, logs of which there may be rotated files alone.
        fileprivate var others: [[UInt8]] = []

        fileprivate enum Step {
            case writers
            case rotatedFiles
            case owners
            case matches
            case leftover
            case unseen
            case done
        }

        /// On to the next step when the last one has gone through all of `count`.
        fileprivate func has(_ count: Int, then step: Step) -> Bool {
            if next < count { return true }
            next = 0
            self.step = step
            return false
        }
    }

    /// A directory was scanned: brings its streams up to date.
    func look(_ look: DirectoryLook) -> LookEnd {
        let work = LookWork()
        var slice = Slice.endless
        _ = go(on: work, look, &slice)
        return work.end
    }

    /// Learns what time it is where a directory lies.
    func saw(_ scanned: DirectoryTree.Scanned) {
        guard let time = scanned.time else { return }
        opener.startTimes.saw(scanned.device, changed: time, MonotonicTime.now())
    }

    /// As much of that as a slice is enough for; true when all is done.
    ///
    /// What was listed may be old by then. It says where to look, and what is found there is
    /// compared with it: a name that leads to another file by now is looked for again.
    func go(on work: LookWork, _ look: DirectoryLook, _ slice: inout Slice) -> Bool {
        let missing = look.scanned.missing
        isMatched = { missing($0) != nil }
        shared = work.shared
        defer {
            isMatched = { _ in false }
            work.shared = shared
            shared = SharedListing()
        }
        while true {
            switch work.step {
            case .writers: lookAtWriter(work, look)
            case .rotatedFiles:
                if seeRotatedFile(work, look), slice.isOverAfterStep() { return false }
            case .owners: if seeOwner(work, look), slice.isOverAfterStep() { return false }
            case .matches:
                if lookAtMatch(work, look), slice.isOver { return false }
            case .leftover:
                if lookAtLeftover(work, look), slice.isOver { return false }
            case .unseen:
                if lookForUnseen(work, look), slice.isOver { return false }
            case .done: return true
            }
        }
    }

    /// An s6 log directory's one stream. What is in it lives for milliseconds, so it comes first.
    private func lookAtWriter(_ work: LookWork, _ look: DirectoryLook) {
        let node = look.node
        opener.listed(node, look.names)
        let match = look.matches.first { $0.name == S6Name.current }
        work.isS6 = match != nil || node.streams[S6Name.current] != nil
        work.step = work.isS6 ? .matches : .rotatedFiles
        guard work.isS6 else {
            node.appeared.forgetListedArchives()
            return
        }
        if let stream = node.streams[S6Name.current] ?? match.map({ begin($0, in: node) }) {
            work.seen.insert(S6Name.current)
            work.end = worse(work.end, lookAtS6(look.at(stream)))
        }
    }

    private func seeRotatedFile(_ work: LookWork, _ look: DirectoryLook) -> Bool {
        guard work.has(look.names.entries.count, then: .owners) else { return false }
        let entry = look.names.entries[work.next]
        work.next += 1
        if entry.kind == .regular || entry.kind == .unknown {
            for base in RotatedName.bases(of: entry.name) {
                work.rotated[base, default: []].append(entry)
            }
        }
        return true
    }

    /// Names that a pattern matches and that are earlier files of another log that it matches, with
    /// that log's name, whether it is there now or not.
    ///
    /// 1. The pattern matches `app.log` and `app.log.1`.
    /// 2. As a log of its own, `app.log.1` would be sent again with every rotation that copies, and
    ///    in an order of its own.
    private func seeOwner(_ work: LookWork, _ look: DirectoryLook) -> Bool {
        if work.rotated.isEmpty {
            work.step = .matches
            return false
        }
        if work.next == 0 {
            look.node.alive = look.node.alive.filter { look.names.inode(of: $0.key) == $0.value }
            for match in look.matches { work.inputs[match.name] = match.input }
            for (name, stream) in look.node.streams where stream.kind == .path {
                work.inputs[name] = stream.input
            }
            for (name, dormant) in look.node.dormant { work.inputs[name] = dormant.input }
        }
        guard work.has(look.matches.count, then: .matches) else {
            settleOwners(work, look)
            return false
        }
        let match = look.matches[work.next]
        work.next += 1
        guard !match.isMissing, look.node.alive[match.name] == nil else { return true }
        let bases = RotatedName.bases(of: match.name).filter { base in
            // `data.1` is a log of its own where there is no `data`.
            let input =
                work.inputs[base]
                ?? (base.contains(UInt8(ascii: ".")) ? look.missing(base)?.input : nil)
            guard input == match.input, let rotated = RotatedName(match.name, of: base) else {
                return false
            }
            // So are `worker.1.log` to `worker.9.log` where there is no `worker.log`.
            if rotated.isInfix, work.inputs[base] == nil {
                guard case .date = rotated.order else { return false }
            }
            return !rotated.mayBeAnotherLog
        }
        // `app.log.1.gz` is `app.log`'s, and not `app.log.1`'s.
        if let owner = bases.min(by: { $0.count < $1.count }),
            !wasAlive(match.name, beside: owner, look),
            !isRotated(match.name, beside: owner, work.rotated[match.name] ?? [])
        {
            work.owners[match.name] = owner
        }
        return true
    }

    private func settleOwners(_ work: LookWork, _ look: DirectoryLook) {
        let owners = work.owners
        work.owners = owners.filter { owners[$0.value] == nil }
        for (base, names) in Dictionary(grouping: work.owners.keys, by: { work.owners[$0] ?? $0 })
        where look.names.inode(of: base) == nil {
            if let live = liveDated(names, of: base, in: look.node) { work.owners[live] = nil }
        }
        for (name, owner) in work.owners { work.claims[owner, default: []].append(name) }
        for owner in work.claims.keys
        where !look.node.hasStream(owner) && look.names.inode(of: owner) == nil {
            if let match = look.missing(owner) { _ = begin(match, in: look.node) }
        }
    }

    private func lookAtMatch(_ work: LookWork, _ look: DirectoryLook) -> Bool {
        let node = look.node
        guard work.has(look.matches.count, then: .leftover) else {
            work.others = node.streams.keys.filter { !work.seen.contains($0) }
            work.others += node.dormant.keys.filter { !work.seen.contains($0) }
            return false
        }
        let match = look.matches[work.next]
        work.next += 1
        guard work.owners[match.name] == nil, match.name != S6Name.current else { return true }
        // In an s6 log directory everything else that s6-log made belongs to its one stream.
        if work.isS6,
            S6Name.own.contains(match.name) || S6Name.isArchive(match.name)
                || S6Name.isUnfinished(match.name)
        {
            return true
        }
        work.seen.insert(match.name)
        if let dormant = node.dormant[match.name], work.rotated[match.name] == nil,
            node.inode?.device == dormant.directoryDevice,
            look.names.inode(of: match.name) == dormant.key.inode
        {
            return true
        }
        let stream = stream(match.name, in: node) ?? begin(match, in: node)
        guard stream.kind == .path else { return true }
        claim(work.claims[match.name] ?? [], for: stream, look)
        lookAtPath(stream, work, look)
        return true
    }

    /// Looks at one ordinary log; false where that takes more than a slice, and it is its turn once
    /// more.
    @discardableResult private func lookAtPath(
        _ stream: LogStream, _ work: LookWork, _ look: DirectoryLook
    ) -> Bool {
        let rotated = work.rotated[stream.liveName] ?? []
        let end = lookAtPath(look.at(stream), rotated)
        if case .underWay = end {
            work.next -= 1
            return false
        }
        work.end = worse(work.end, end)
        return true
    }

    private func lookAtLeftover(_ work: LookWork, _ look: DirectoryLook) -> Bool {
        let node = look.node
        guard work.has(work.others.count, then: work.isS6 ? .done : .unseen) else {
            work.others = Array(work.rotated.keys)
            return false
        }
        let name = work.others[work.next]
        work.next += 1
        guard let stream = stream(name, in: node) else { return true }
        if stream.link != nil, !stream.files.isEmpty, stream.isAllRead, look.missing(name) == nil {
            node.streams[name] = nil
            letGo(stream, in: node, look.now)
            return true
        }
        if stream.kind == .path {
            claim(work.claims[name] ?? [], for: stream, look)
            guard lookAtPath(stream, work, look) else { return true }
        }
        // Its rotated files may be compressed yet, or followed by a new one under its name; and
        // what cannot be read of it now is read or counted later. Where they go to another
        // directory, nothing but this stream looks there, and while it is rotated there is a moment
        // in which there is no log.
        let isResting = !hasArchives(stream) || look.now - stream.lastGrowth >= Self.archivesRest
        if stream.files.isEmpty, stream.closed.isEmpty, stream.awaitingCopy.isEmpty,
            stream.obstacles.isEmpty, isResting, case .fine = work.end
        {
            node.streams[name] = nil
            end(stream)
        }
        return true
    }

    /// How long a log that is not there is waited for whose rotated files go to another directory,
    /// nanoseconds.
    private static let archivesRest: Int64 = 600_000_000_000

    private func lookForUnseen(_ work: LookWork, _ look: DirectoryLook) -> Bool {
        guard work.has(work.others.count, then: .done) else { return false }
        let base = work.others[work.next]
        work.next += 1
        if let entries = work.rotated[base] {
            work.end = worse(
                work.end, lookForUnseen(base, entries, look))
        }
        return true
    }

    private func claim(_ names: [[UInt8]], for stream: LogStream, _ look: DirectoryLook) {
        stream.claimed = Set(names)
        for name in names {
            if let other = self.stream(name, in: look.node) {
                merge(other, into: stream, look)
            }
        }
    }

    /// 1. `app.log.1` is found where there is no `app.log`: it is a log of its own.
    /// 2. `app.log` appears, and `app.log.1` is an earlier file of it from now on.
    ///
    /// What has the owner's name, or one that it claims, it finds there itself. Of the other files
    /// it could not know:
    ///
    /// 1. `x-28.log` is removed and made anew while Kafka is away. Two files are open, one without
    ///    a name.
    /// 2. At midnight there is `x-29.log`, and `x-28.log` is an earlier file of `x.log`.
    ///
    /// One without a name is read to its end by the stream that has it. One with another name is
    /// taken up as what could not be opened when the owner began.
    private func merge(_ stream: LogStream, into owner: LogStream, _ look: DirectoryLook) {
        // As of this listing, and not as of an earlier look.
        leavePath(look.at(stream))
        let saved = knownFiles.saved(stream.name)
        for file in stream.files {
            guard let name = file.name else { continue }
            release(file, of: stream)
            if owner.claimed.contains(name) || owner.liveName == name { continue }
            guard let entry = saved.first(where: { $0.file == file.id }) else { continue }
            passUnopened(entry, look.at(owner))
        }
        owner.obstacles.join(stream.obstacles)
        for (name, closed) in stream.closed { owner.keep(closed, as: name) }
        owner.awaitingCopy += stream.awaitingCopy
        stream.awaitingCopy = []
        look.node.streams[stream.liveName] = nil
        leave(stream, look.now)
    }
}
