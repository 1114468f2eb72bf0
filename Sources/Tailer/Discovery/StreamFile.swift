package import Model
package import Platform

/// A file that the agent would read if it started now, and the stream it would be of.
package struct StreamFile: Sendable {
    /// Index of the input.
    package let input: Int
    /// The stream's saved name.
    package let stream: String
    /// The path as text for people and the registry.
    package let path: String
    /// As it was found; `look` refuses another one.
    package let inode: UInt64
    /// The number of its file system, as it was found.
    package let device: UInt64
    /// Nobody writes to it under this name.
    package let isArchived: Bool
    /// In an s6 log directory: its place in the order of content, the oldest 0.
    package let place: Int?
    /// Where it is, beneath the pattern's prefix.
    private let at: FilePlace

    /// As much of the file, as it is now, as a look reads.
    package struct Excerpt: Sendable {
        /// Of the inode that was opened.
        package let identity: FileIdentity
        /// The first 1024 bytes of the content, or all.
        package let head: [UInt8]
        /// Where the content ends; that of a compressed file not before that.
        package let size: PhysicalOffset
        /// Compressed; `head` and `size` are of what it was, as far as that can be read.
        package let isPacked: Bool
        /// The bytes just before each offset that was asked for and that the file is long enough
        /// for.
        package let before: [PhysicalOffset: [UInt8]]
    }

    /// Opens the file, as safely as the agent does, and looks at it; another one with its name is
    /// `other`. Only what an s6 processor has compressed is taken for what it was.
    package func look(before offsets: [PhysicalOffset]) -> PlaceLook<Excerpt> {
        at.open().only { opened throws(SystemError) in
            guard opened.status.inode == inode, opened.status.device == device else { return nil }
            return try Self.look(at: opened, offsets)
        }
    }

    private static func look(
        at opened: FilePlace.Opened, _ offsets: [PhysicalOffset]
    ) throws(SystemError) -> Excerpt {
        let identity = opened.identity
        let (file, status) = (opened.file, opened.status)
        let head = try file.descriptor.read(count: Fingerprint.longest, at: 0)
        if let compression = Compression(head: head) {
            var content = [UInt8](repeating: 0, count: Fingerprint.longest)
            var count: Int?
            let reader = Decompressor(compression)
            if compression.isReadable {
                count = try reader.read(
                    into: &content, count: content.count, at: 0, budget: Candidate.mostForHead,
                    in: file.descriptor)
            }
            return Excerpt(
                identity: identity, head: Array(content.prefix(count ?? 0)),
                size: PhysicalOffset(reader.size), isPacked: true, before: [:])
        }
        var before: [PhysicalOffset: [UInt8]] = [:]
        for offset in offsets where offset <= status.end {
            let count = min(offset.bytes, Anchor.longest)
            before[offset] = try file.descriptor.read(count: count, at: offset - count)
        }
        return Excerpt(
            identity: identity, head: head, size: status.end, isPacked: false, before: before)
    }

    fileprivate init(
        _ match: DirectoryTree.Match, _ node: DirectoryNode, device: UInt64, stream: String,
        name: [UInt8], inode: UInt64, isArchived: Bool, place: Int?
    ) {
        input = match.input
        self.stream = stream
        path = node.text(of: name)
        self.inode = inode
        self.device = device
        self.isArchived = isArchived
        self.place = place
        at = FilePlace(prefix: node.prefix, below: node.path, name: name)
    }
}

/// The files of all streams at this moment, by one walk that opens none of them.
package enum StreamFiles {
    /// In no order. What cannot be looked at is handed to `report`, and those of `mounts` that do
    /// not answer to `silent`.
    package static func now(
        _ inputs: [TailerInput], mounts: MountTable? = nil, report: (TailerEvent) -> Void,
        silent: (String) -> Void = { _ in }
    ) -> [StreamFile] {
        var found = TreeWalk.all(inputs, mounts: mounts, report: report, silent: silent) {
            files($0)
        }
        // Patterns whose prefixes overlap lead to a file twice; the first input has it.
        found.sort { ($0.input, $0.path) < ($1.input, $1.path) }
        var seen: Set<[UInt8]> = []
        return found.filter { seen.insert(Array($0.path.utf8)).inserted }
    }

    private static func files(_ scanned: DirectoryTree.Scanned) -> [StreamFile] {
        let isS6 = scanned.matches.contains { $0.name == S6Name.current }
        var found: [StreamFile] = []
        var taken: Set<[UInt8]> = []
        if !isS6 {
            // What was rotated belongs to the stream whose name it had, if a pattern matches both.
            let matches = Dictionary(
                scanned.matches.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            for entry in scanned.names.entries where isFile(entry.kind) {
                for base in RotatedName.bases(of: entry.name) {
                    guard let match = matches[base] ?? scanned.missing(base) else { continue }
                    taken.insert(entry.name)
                    found.append(
                        StreamFile(
                            match, scanned.node, device: scanned.device,
                            stream: scanned.node.text(of: base), name: entry.name,
                            inode: entry.inode, isArchived: false, place: nil))
                    break
                }
            }
        }
        for match in scanned.matches {
            if isS6, match.name == S6Name.current {
                for (place, item) in S6Listing(scanned.names.entries).items.enumerated() {
                    found.append(
                        StreamFile(
                            match, scanned.node, device: scanned.device, stream: scanned.node.text,
                            name: item.name, inode: item.inode, isArchived: !item.isCurrent,
                            place: place))
                }
                continue
            }
            if isS6, S6Name.own.contains(match.name) || S6Name.isArchive(match.name) { continue }
            guard !match.isMissing, isFile(match.kind), !taken.contains(match.name),
                let inode = scanned.names.inode(of: match.name)
            else { continue }
            found.append(
                StreamFile(
                    match, scanned.node, device: scanned.device,
                    stream: scanned.node.text(of: match.name),
                    name: match.name, inode: inode, isArchived: false, place: nil))
        }
        return found
    }

    private static func isFile(_ kind: DirectoryEntry.Kind) -> Bool {
        kind == .regular || kind == .unknown
    }
}
