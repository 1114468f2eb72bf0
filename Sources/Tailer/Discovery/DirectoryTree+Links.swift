import Model
import Patterns
import Platform

/// Symbolic links that patterns match, where an input follows them.
///
/// What a link leads to is a name in a directory, and that directory joins the tree as a *linked
/// directory*: scanned and watched as every other one, with streams for the names that links lead
/// to and for no others. Where something is shared out it lies beneath the directory of the link
/// that a pattern matches: whoever made a thousand links has one share. So rotation, removal and
/// restarts are there what they are everywhere, and the stream is that of the file itself, however
/// many links lead to it.
///
/// Where the name is a link again, it is followed from there, by the scan of that directory. So
/// each step is seen when it changes, a link may come before its target, and a chain has no more
/// than `mostLinks`.
extension DirectoryTree {
    /// Links of one chain. The stock layout of pods with Docker has two.
    static let mostLinks = 8
    /// Links to one name. Each new one is compared with all of them.
    static let mostToOne = 256

    /// Whether links that patterns of this input match are followed.
    func follows(_ input: Int) -> Bool { !inputs[input].linkRoots.isEmpty }

    // MARK: A link that was listed

    /// Takes a name that is matched for a link. False where it is none.
    func follow(
        _ match: Match, in node: DirectoryNode, _ directory: borrowing Descriptor, _ number: Int
    ) -> Bool {
        let origin =
            match.link?.origin
            ?? FollowedLink.Origin(
                path: node.text(of: match.name), input: match.input, pattern: match.pattern,
                captures: match.captures)
        let known = node.links[match.name]
        var text: [UInt8] = []
        var failure: SystemError?
        do throws(SystemError) {
            text = try directory.target(ofLink: match.name)
        } catch {
            if error.code == .invalid { return false }
            // It went meanwhile, and no scan has seen it.
            if error.code == .notFound { return true }
            failure = error
            node.hasTrouble = true
        }
        let depth = (match.link?.depth ?? 0) + 1
        // What is not followed is asked again: that may hang on what is mounted.
        if let known, known.target != nil, known.origin == origin, known.depth == depth,
            failure != nil || known.text == text
        {
            known.seenBy = number
            return true
        }
        let link = FollowedLink(
            origin, path: node.text(of: match.name), text: text, depth: depth,
            home: match.link == nil ? node : match.link?.home)
        link.seenBy = number
        node.links[match.name] = link
        if let known {
            if known.text == text { link.told = known.told }
            leave(known)
        }
        if let failure {
            tell(link, "\(failure.call): \(failure.code)")
        } else {
            enter(link, node)
        }
        return true
    }

    /// Links that the scan of this number of their directory has not seen, or not as links.
    func leaveLinks(of node: DirectoryNode, notSeenBy number: Int) {
        let gone = node.links.filter { $0.value.seenBy != number }
        for (name, link) in gone {
            node.links[name] = nil
            leaveLater(link)
        }
    }

    /// All links of a directory that is not there.
    func leaveLinks(of node: DirectoryNode) {
        for link in node.links.values { leaveLater(link) }
        node.links = [:]
    }

    /// A link leads to its target from now on, or is told not to.
    private func enter(_ link: FollowedLink, _ node: DirectoryNode) {
        guard link.depth <= Self.mostLinks else {
            tell(link, "it is the end of a chain of more than \(Self.mostLinks) links")
            return
        }
        let settings = inputs[link.origin.input]
        let roots = settings.linkRoots.map {
            LinkTarget.Root(text: $0, place: territory.map.place($0, []))
        }
        let place = territory.map.place(node.prefix, node.path)
        guard let target = LinkTarget(link.text, in: place, roots: roots) else {
            tell(link, "it leads to \(link.destination), beneath none of follow_symlinks")
            return
        }
        if let exclusion = settings.exclude.first(where: { $0.matches(target.text) }) {
            tell(link, "it leads to \(target.text), which exclude \(exclusion.text) leaves out")
            return
        }
        guard territory.mayFollow(target.root, target.path) else {
            tell(
                link,
                "it leads to \(target.text), on another file system that waits for a server; "
                    + "give its path instead")
            return
        }
        let key = ExactText(target.directory)
        var others = linkedDirectories[key]?.linked?[target.name] ?? []
        others.removeAll { $0.leftAt != nil }
        let mine = ExactText(link.origin.path)
        guard ExactText(target.text) != mine,
            // Of a chain that leads here no more, a later link may be known yet.
            !others.contains(where: { $0.depth < link.depth && ExactText($0.origin.path) == mine })
        else {
            tell(link, "it is one of a loop of links")
            return
        }
        guard others.count < Self.mostToOne else {
            tell(link, "\(Self.mostToOne) links lead to \(target.text) already")
            return
        }
        // A directory that is gone may be known yet, in a queue.
        let home = link.home.flatMap { $0.isGone ? nil : $0 }
        let linked = linkedDirectory(target, key, home ?? strays)
        others.insert(link, at: others.firstIndex { link.comes(before: $0) } ?? others.count)
        linked.linked?[target.name] = others
        link.target = target
        link.directory = linked
        link.enteredAfter = scanNumber
        request(linked, .now())
    }

    private func linkedDirectory(
        _ target: LinkTarget, _ key: ExactText, _ home: DirectoryNode
    ) -> DirectoryNode {
        if let known = linkedDirectories[key] {
            if known.parent == nil || known.parent === strays { move(known, beneath: home) }
            return known
        }
        let node = DirectoryNode(
            root: home.root, prefix: target.root, path: target.path, text: target.directory,
            places: [], parent: home)
        node.linked = [:]
        home.children[node.linkedKey] = node
        linkedDirectories[key] = node
        join(node)
        return node
    }

    private func move(_ node: DirectoryNode, beneath home: DirectoryNode) {
        let isUnwatched = node.countsAsUnwatched
        note(node, isUnwatched: false)
        watches.move(node, beneath: home)
        note(node, isUnwatched: isUnwatched)
    }

    /// A directory is about to leave the tree with all beneath it. What links there have led to
    /// stays until it is read.
    func strayLinked(beneath node: DirectoryNode) {
        var rest = [node]
        var found: [DirectoryNode] = []
        while let node = rest.popLast() {
            for child in node.children.values {
                if child.linked == nil { rest.append(child) } else { found.append(child) }
            }
        }
        for node in found { move(node, beneath: strays) }
    }

    private func tell(_ link: FollowedLink, _ reason: String) {
        guard link.told != .notFollowed(reason: reason) else { return }
        link.told = .notFollowed(reason: reason)
        report(.linkNotFollowed(path: link.path, reason: reason))
    }

    // MARK: A link that went

    /// A link is gone or leads elsewhere, and with it those that it leads to. The file stays for a
    /// while: what is unread of it is read, and who writes to it may be at it yet.
    func leave(_ link: FollowedLink) {
        guard link.leftAt == nil else { return }
        link.leftAt = .now()
        followUp(link)
    }

    /// The same, in a slice to come: a pod may take a hundred thousand of them away at once.
    private func leaveLater(_ link: FollowedLink) {
        guard link.leftAt == nil else { return }
        link.leftAt = .now()
        leaving.append(link)
    }

    func followUp(_ link: FollowedLink) {
        guard let node = link.directory, let name = link.target?.name else { return }
        let isLed = node.linked?[name]?.contains { $0.leftAt == nil } ?? false
        if !isLed, let next = node.links.removeValue(forKey: name) { leave(next) }
        request(node, .now())
    }

    /// A linked directory is let go with the last of its names.
    func letGo(_ node: DirectoryNode) {
        guard !node.isGone, node.linked?.isEmpty == true,
            node.streams.values.allSatisfy(\.isAllRead)
        else { return }
        linkedDirectories[ExactText(node.text)] = nil
        node.parent?.children[node.linkedKey] = nil
        doom(node)
    }

    // MARK: What is found where links lead

    /// A linked directory was gone through as far as it can be: what that says of its links, as
    /// much of it as a slice is enough for. True when all is done.
    func lookedAtLinks(
        of scan: DirectoryScan, _ now: MonotonicTime, _ slice: inout Slice
    ) -> Bool {
        guard let linked = scan.node.linked, !scan.node.isGone else { return true }
        let names = scan.led ?? Array(linked.keys)
        scan.led = names
        while scan.nextLed < names.count {
            look(at: names[scan.nextLed], scan)
            settle(names[scan.nextLed], scan, now)
            scan.nextLed += 1
            if slice.isOverAfterStep() { return false }
        }
        return true
    }

    private func look(at name: [UInt8], _ scan: DirectoryScan) {
        let (node, scanned) = (scan.node, scan.scanned)
        guard let links = node.linked?[name], scanned != nil || node.vainLooks > 0 else { return }
        let isThere =
            scanned?.names.inode(of: name) != nil || node.hasStream(name)
            || node.links[name] != nil
        if !isThere, let scanned, scan.directories == nil {
            scan.directories = Set(
                scanned.names.entries.lazy.filter { $0.kind == .directory }.map(\.name))
        }
        for link in links where link.leftAt == nil && link.enteredAfter < scan.number {
            if isThere {
                found(link)
            } else if scan.directories?.contains(name) ?? false {
                tell(link, "it leads to \(link.destination), which is a directory")
            } else {
                missed(link)
            }
        }
    }

    /// A name that nothing leads to any more is let go when nothing is left to be read of it; and
    /// no sooner than a scan has looked for it.
    private func settle(_ name: [UInt8], _ scan: DirectoryScan, _ now: MonotonicTime) {
        let node = scan.node
        guard let links = node.linked?[name], links.contains(where: { $0.leftAt != nil }) else {
            return
        }
        var kept = links.filter { $0.leftAt == nil }
        if kept.isEmpty {
            let hasStream = node.hasStream(name)
            // One that is dormant is read.
            let isAllRead = node.streams[name]?.isAllRead ?? true
            kept = links.filter { link in
                guard link.enteredAfter < scan.number else { return true }
                guard hasStream, let leftAt = link.leftAt else { return false }
                return !isAllRead || now - leftAt < intervals.drain
            }
        }
        node.linked?[name] = kept.isEmpty ? nil : kept
    }

    private func found(_ link: FollowedLink) {
        link.vainLooks = 0
        guard link.told != nil else { return }
        link.told = nil
        report(.linkLeads(path: link.path, target: link.destination))
    }

    /// Whoever makes a link may make its target next, so one look is not enough where more follow.
    private func missed(_ link: FollowedLink) {
        link.vainLooks += 1
        guard link.told != .dangling, link.vainLooks > 1 || !watches.isWanted else { return }
        link.told = .dangling
        report(.linkDangles(path: link.path, target: link.destination))
    }

    // MARK: What a linked directory is to patterns

    /// The match of a name that links lead to. What a pattern leads to by itself is that pattern's,
    /// whichever is found first: it would have another topic after the next start otherwise.
    func linkedMatch(
        _ name: [UInt8], _ kind: DirectoryEntry.Kind, in node: DirectoryNode, isMissing: Bool
    ) -> Match? {
        guard let link = leading(node.linked?[name]), !isRivals(name, node, nil) else { return nil }
        return match(name, kind, of: link, isMissing: isMissing)
    }

    /// The link that has a file: of those that are there, if any is.
    private func leading(_ links: [FollowedLink]?) -> FollowedLink? {
        links?.first { $0.leftAt == nil } ?? links?.first
    }

    private func match(
        _ name: [UInt8], _ kind: DirectoryEntry.Kind, of link: FollowedLink, isMissing: Bool = false
    ) -> Match {
        Match(
            name: name, kind: kind, input: link.origin.input, captures: link.origin.captures,
            isMissing: isMissing, pattern: link.origin.pattern, link: link)
    }

    /// 1. A container's link leads to `0.log`, which is read in part. The agent is stopped.
    /// 2. The container starts again: the link leads to `1.log`, and `0.log` lies beside it.
    ///
    /// Nothing else leads to that, and kubelet gives such names to one container's logs alone.
    /// Where links lead to two such names, the directory is not one container's.
    func earlierRuns(in node: DirectoryNode, _ listed: Set<[UInt8]>, _ saved: [[UInt8]]) -> [Match]
    {
        guard let linked = node.linked, !saved.isEmpty else { return [] }
        var latest: [ArraySlice<UInt8>: (number: Int, count: Int, link: FollowedLink)] = [:]
        for (name, links) in linked {
            guard let run = Self.run(name), let link = leading(links) else { continue }
            let known = latest[run.rest]
            latest[run.rest] = (run.number, (known?.count ?? 0) + 1, link)
        }
        return saved.compactMap { name in
            guard listed.contains(name), linked[name] == nil, !isRivals(name, node, nil),
                let mine = Self.run(name), let theirs = latest[mine.rest],
                mine.number < theirs.number, theirs.count == 1
            else { return nil }
            return match(name, .regular, of: theirs.link)
        }
    }

    /// The number of a container's run that a log is named for, and what follows it.
    private static func run(_ name: [UInt8]) -> (number: Int, rest: ArraySlice<UInt8>)? {
        let digits = name.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        return (number, name.dropFirst(digits.count))
    }
}
