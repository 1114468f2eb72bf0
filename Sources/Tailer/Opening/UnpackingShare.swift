import Platform

/// Who of the files that are compressed has what it takes to read one: half a megabyte, and the
/// window that it was made with. After a downtime every stream of a node may have such a rest.
/// Lives on the reader thread.
///
/// Those that have it keep it until they are read, since one that begins anew has to go through all
/// that it has read once more. But one that cannot go on, for want of credit mostly, gives it up
/// when another one wants it; and to whose directory has none, so does one of a directory that has
/// many, or that had its time: what it begins with then is twice as long, so it comes to its end
/// whatever that costs.
final class UnpackingShare {
    private struct User {
        let file: TailedFile
        /// The directory, or the like, that it is counted with.
        let owner: ObjectIdentifier
        let since: MonotonicTime
        /// Bytes of its window, as far as that was known when there was room for it.
        var counted: Int

        var memory: Int { file.packed?.windowSize ?? 0 }
    }

    /// A file's share of time.
    struct Time {
        /// When it was read last.
        fileprivate(set) var last = MonotonicTime.zero
        /// How long it may have what it takes to be read while others wait for that, nanoseconds.
        fileprivate(set) var allowed = UnpackingShare.firstTime
    }

    private var users: [User] = []

    /// Files at a time: with the usual windows 10 MB of memory with gzip, and 100 with bzip2 or xz.
    private static let most = 16
    /// Bytes of windows, unless one alone has more: `xz -9` asks for 65 MiB.
    private static let mostMemory = 64 << 20
    /// A file that was not read for so long is waiting, nanoseconds.
    private static let patience: Int64 = 1_000_000_000
    /// Nanoseconds that a file has at first before others may have its place.
    static let firstTime: Int64 = 2_000_000_000
    /// Nanoseconds of the longest time; a file that is not read within that is not read for want of
    /// time.
    private static let longestTime: Int64 = 3_600_000_000_000

    /// The time of a file that has lost its place. How often that is, others decide.
    static func longerTime(than time: Int64) -> Int64 { min(2 * time, longestTime) }

    /// Whether `file` may be read now; otherwise it has to wait for its share. `now` in monotonic
    /// nanoseconds.
    func admit(_ file: TailedFile, _ now: MonotonicTime) -> Bool {
        guard let packed = file.packed else { return true }
        file.unpacking.last = now
        users.removeAll { !($0.file.packed?.isActive ?? false) }
        recount()
        if users.contains(where: { $0.file === file }) { return true }
        let owner = owner(of: file)
        while !users.isEmpty, !hasRoom(for: packed) {
            guard let index = yielding(to: owner, now) else { return false }
            let user = users.remove(at: index)
            user.file.packed?.release()
            user.file.unpacking.allowed = Self.longerTime(than: user.file.unpacking.allowed)
        }
        users.append(User(file: file, owner: owner, since: now, counted: packed.windowSize))
        return true
    }

    /// How large a window is, is known once a file is read: of one that is known by its identity
    /// nothing was yet, and a later member may have been made with a larger one. Who turns out to
    /// have more than others have left gives it back, and waits until there is room for all of it.
    /// Of the memory that it asked for it has used a megabyte or two by then.
    private func recount() {
        while users.count > 1, memory() > Self.mostMemory,
            let index = users.lastIndex(where: { $0.memory > $0.counted })
        {
            users.remove(at: index).file.packed?.release()
        }
        for index in users.indices { users[index].counted = users[index].memory }
    }

    /// Of all users, and of `other` bytes.
    private func memory(and other: Int = 0) -> Int { users.reduce(other) { $0 +| $1.memory } }

    private func hasRoom(for packed: Decompressor) -> Bool {
        users.count < Self.most && memory(and: packed.windowSize) <= Self.mostMemory
    }

    /// Whose place another one's file may have.
    private func yielding(to owner: ObjectIdentifier, _ now: MonotonicTime) -> Int? {
        let idle = users.firstIndex { user in
            user.file.stream?.attention != .ready && now - user.file.unpacking.last > Self.patience
        }
        if let idle { return idle }
        if !users.contains(where: { $0.owner == owner }) {
            let counts = users.reduce(into: [:]) { $0[$1.owner, default: 0] += 1 }
            if let index = users.lastIndex(where: { (counts[$0.owner] ?? 0) > 1 }) { return index }
        }
        return users.firstIndex { now - $0.since > $0.file.unpacking.allowed }
    }

    private func owner(of file: TailedFile) -> ObjectIdentifier {
        if let node = file.stream?.node { return ObjectIdentifier(node.outermost) }
        return ObjectIdentifier(file.stream ?? file as AnyObject)
    }
}
