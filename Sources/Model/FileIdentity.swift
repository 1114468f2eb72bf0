/// Tells one inode from every other, whatever its path: the file handle where the kernel gives one,
/// and device + inode + birth time. Both are kept where both can be had, because a sandbox may
/// refuse handles later.
///
/// Device and inode alone are no identity: an inode number comes back within milliseconds.
package struct FileIdentity: Hashable, Sendable {
    /// `name_to_handle_at`: the handle type (4 bytes, big endian) and then its bytes; nil where
    /// the file system or a seccomp filter refuses it.
    package let handle: [UInt8]?
    /// The number of its file system (`st_dev`), which another mount or start may change.
    package let device: UInt64
    /// `st_ino`; given to another file as soon as this one is removed.
    package let inode: UInt64
    /// Nanoseconds since 1970 from `statx`; nil where the file system does not keep it.
    package let birth: Int64?

    package init(handle: [UInt8]?, device: UInt64, inode: UInt64, birth: Int64?) {
        self.handle = handle
        self.device = device
        self.inode = inode
        self.birth = birth
    }

    /// Whether either form agrees. The head fingerprint has to agree too before two sightings are
    /// taken for one file; `Fingerprint` says how.
    ///
    /// Handles are compared within one device only, and both forms never overrule each other:
    /// handles that differ on one device are two files, whatever the rest says.
    package func agrees(with other: FileIdentity) -> Bool {
        guard device == other.device else { return false }
        if let mine = handle, let theirs = other.handle { return mine == theirs }
        guard inode == other.inode else { return false }
        guard let mine = birth, let theirs = other.birth else { return true }
        return mine == theirs
    }

    /// Whether only the device's number tells them apart, and it need not be another device: what
    /// is mounted gets its number anew when the machine starts, in the order in which disks and
    /// volumes are found; a network file system, each time it is mounted. The inode is the same,
    /// and so are the birth time to the nanosecond and the handle, each where both have it; one of
    /// them at least has to be there. A clone of a volume has all that too, so whoever asks has to
    /// know more.
    package func isRenumbered(from other: FileIdentity) -> Bool {
        guard device != other.device, inode == other.inode else { return false }
        var isProven = false
        if let mine = birth, let theirs = other.birth {
            guard mine == theirs else { return false }
            isProven = true
        }
        if let mine = handle, let theirs = other.handle {
            guard mine == theirs else { return false }
            isProven = true
        }
        return isProven
    }
}

/// SHA-256 over the first `length` bytes of a file, `length` growing up to `longest` while the file
/// is short, so that a file of one byte has one at once.
package struct Fingerprint: Hashable, Sendable {
    /// Bytes covered, 0...`longest`. 0 agrees with every file.
    package let length: Int
    /// 32 bytes.
    package var digest: [UInt8] {
        [first, second, third, fourth].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
    }
    /// The digest, big endian: an array for each of a hundred thousand files would be as much again
    /// as it holds.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Bytes: enough to tell most logs apart, few enough to be read whenever a file is opened.
    package static let longest = 1024

    /// Of a digest the first 32 bytes count; those that it lacks are 0.
    package init(length: Int, digest: [UInt8]) {
        self.length = length
        func word(_ index: Int) -> UInt64 {
            (8 * index..<8 * index + 8).reduce(0) {
                $0 << 8 | ($1 < digest.count ? UInt64(digest[$1]) : 0)
            }
        }
        first = word(0)
        second = word(1)
        third = word(2)
        fourth = word(3)
    }
}
