import Model
import Patterns
import Platform

/// Symbolic links that patterns match, where an input follows them.
///
/// What a link leads to is a name in a directory, and that directory becomes a root of the tree, a
/// *linked directory*: scanned and watched as every other one, with streams for the names that
/// links lead to and for no others. So rotation, removal and restarts are there what they are
/// everywhere, and the stream is that of the file itself, however many links lead to it.
///
/// Where the name is a link again, it is followed from there, by the scan of that directory. So
/// each step is seen when it changes, a link may come before its target, and a chain has no more
/// than `mostLinks`.
extension DirectoryTree {
    /// Links of one chain. The stock layout of pods with Docker has two.
    static let mostLinks = 8

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
            origin, path: node.text(of: match.name), text: text, depth: depth)
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
        for (name, link) in node.links where link.seenBy != number {
            node.links[name] = nil
            leave(link)
        }
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
        let mine = link.origin.path
        var others = linkedDirectories[target.directory]?.linked?[target.name] ?? []
        if target.text == mine
            || others.contains(where: { $0.leftAt == nil && $0.origin.path == mine })
        {
            tell(link, "it is one of a loop of links")
            return
        }
        let linked = linkedDirectory(target)
        others.removeAll { $0.leftAt != nil }
        others.append(link)
        others.sort { $0.comes(before: $1) }
        linked.linked?[target.name] = others
        link.target = target
        link.directory = linked
        request(linked, .now())
    }

    private func linkedDirectory(_ target: LinkTarget) -> DirectoryNode {
        let text = target.directory
        if let known = linkedDirectories[text] { return known }
        let node = DirectoryNode(
            root: roots.count, prefix: target.root, path: target.path, text: text, places: [])
        node.linked = [:]
        linkedDirectories[text] = node
        addRoot(node)
        return node
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
        guard link.leftAt == nil, let node = link.directory, let name = link.target?.name else {
            return
        }
        link.leftAt = .now()
        let isLed = node.linked?[name]?.contains { $0.leftAt == nil } ?? false
        if !isLed, let next = node.links.removeValue(forKey: name) { leave(next) }
        settleLinks(of: node, .now())
        request(node, .now())
    }

    /// Names that nothing leads to any more, and of which nothing is left to be read, are let go,
    /// and the directory with the last of them.
    func settleLinks(of node: DirectoryNode, _ now: MonotonicTime) {
        guard !node.isGone, let linked = node.linked else { return }
        for (name, links) in linked where links.contains(where: { $0.leftAt != nil }) {
            let kept = links.filter { link in
                guard let leftAt = link.leftAt else { return true }
                guard let stream = node.streams[name] else { return false }
                return !stream.isAllRead || now - leftAt < intervals.drain
            }
            let active = kept.filter { $0.leftAt == nil }
            let left = active.isEmpty ? kept : active
            node.linked?[name] = left.isEmpty ? nil : left
        }
        guard node.linked?.isEmpty == true, node.streams.values.allSatisfy(\.isAllRead) else {
            return
        }
        linkedDirectories[node.text] = nil
        removeRoot(node)
    }

    // MARK: What is found where links lead

    /// A linked directory was looked at; `scanned` is nil where it is not there.
    func lookedAtLinks(of node: DirectoryNode, _ scanned: Scanned?) {
        guard let linked = node.linked, !node.isGone, scanned != nil || node.vainLooks > 0 else {
            return
        }
        var directories: Set<[UInt8]>?
        for (name, links) in linked {
            let isThere =
                scanned?.names.inode(of: name) != nil || node.streams[name] != nil
                || node.links[name] != nil
            if !isThere, let scanned, directories == nil {
                directories = Set(
                    scanned.names.entries.lazy.filter { $0.kind == .directory }.map(\.name))
            }
            for link in links where link.leftAt == nil {
                if isThere {
                    found(link)
                } else if directories?.contains(name) ?? false {
                    tell(link, "it leads to \(link.destination), which is a directory")
                } else {
                    missed(link)
                }
            }
        }
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
        guard let link = node.linked?[name]?.first, !isRivals(name, node, nil) else { return nil }
        return match(name, kind, of: link, isMissing: isMissing)
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
    func earlierRuns(in node: DirectoryNode, _ listed: Set<[UInt8]>, _ saved: [[UInt8]]) -> [Match]
    {
        guard let linked = node.linked else { return [] }
        return saved.compactMap { name in
            guard listed.contains(name), linked[name] == nil, !isRivals(name, node, nil),
                let mine = Self.run(name)
            else { return nil }
            for (other, links) in linked {
                guard let theirs = Self.run(other), theirs.rest == mine.rest,
                    mine.number < theirs.number, let link = links.first
                else { continue }
                return match(name, .regular, of: link)
            }
            return nil
        }
    }

    /// The number of a container's run that a log is named for, and what follows it.
    private static func run(_ name: [UInt8]) -> (number: Int, rest: [UInt8])? {
        let digits = name.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        return (number, Array(name.dropFirst(digits.count)))
    }
}
