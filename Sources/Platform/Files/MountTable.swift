import CLinux
import Glibc

/// All mounts, as the kernel tells of them without touching any (/proc/self/mountinfo, proc(5)).
package struct MountTable: Hashable, Sendable {
    /// One line of the table.
    package struct Mount: Hashable, Sendable {
        /// Where it is, without a trailing slash; empty for the root.
        package let point: [UInt8]
        /// The directory of the file system that is seen there, without a trailing slash; empty for
        /// its own root.
        package let root: [UInt8]
        /// st_dev of what is on it: mounts of one file system at several places have the same.
        package let device: UInt64
        /// Whether it waits for a server, or for a program, that can be gone while this machine
        /// lives.
        package let isRemote: Bool
    }

    /// All of them, in the order in which they were made: what is mounted over something comes
    /// after it.
    package let mounts: [Mount]
    /// The remote ones that something can lead to, but for the root.
    package let remote: [Mount]
    /// st_dev of all that is mounted.
    package let devices: Set<UInt64>

    /// The kernel's table for this process, of its mount namespace.
    package static let path = "/proc/self/mountinfo"
    /// A node with a thousand pods has half a megabyte. Of what is longer the rest is not known.
    private static let longest = 16 << 20

    /// As it is now.
    package static func now() throws(SystemError) -> MountTable {
        try MountTable(Descriptor.open(path, O_RDONLY))
    }

    init(_ file: borrowing Descriptor) throws(SystemError) {
        var text: [UInt8] = []
        while text.count < Self.longest {
            let part = try file.read(count: 1 << 16, at: text.count)
            if part.isEmpty { break }
            text += part
        }
        self.init(text: text)
    }

    /// Reads a table from text. A line that is none of such a table is passed over.
    package init(text: [UInt8]) {
        let mounts = text.split(separator: UInt8(ascii: "\n")).compactMap { line -> Mount? in
            // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELD...] - TYPE SOURCE OPTIONS
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 6, let dash = fields[6...].firstIndex(of: [UInt8(ascii: "-")]),
                dash + 1 < fields.count, let device = Self.device(fields[2])
            else { return nil }
            return Mount(
                point: Self.directory(fields[4]), root: Self.directory(fields[3]), device: device,
                isRemote: Self.isRemote(String(decoding: fields[dash + 1], as: UTF8.self)))
        }
        self.mounts = mounts
        devices = Set(mounts.lazy.map(\.device))
        // Of two at one place, the later one covers the other.
        var last: [[UInt8]: Mount] = [:]
        for mount in mounts { last[mount.point] = mount }
        // What has nothing local cannot go on without it either.
        remote = last.values.filter { $0.isRemote && !$0.point.isEmpty }
            .sorted { $0.point.lexicographicallyPrecedes($1.point) }
    }

    /// The remote mount that a call on `path` would wait for, links not followed: the innermost one
    /// on its way. Nil where there is none.
    package func remote(_ path: [UInt8]) -> Mount? {
        remote.last { Self.holds($0.point, path) }
    }

    /// Whether `path` is `place` or lies beneath it.
    package static func holds(_ place: [UInt8], _ path: [UInt8]) -> Bool {
        path.starts(with: place)
            && (path.count == place.count || path[place.count] == UInt8(ascii: "/"))
    }

    /// Where `path`, absolute, leads when its symbolic links are followed. Nothing remote is
    /// touched for that: what lies beyond stands as it is.
    package func destination(of path: [UInt8]) -> [UInt8] {
        var rest = Array(path.split(separator: UInt8(ascii: "/")).map(Array.init).reversed())
        var place: [UInt8] = []
        var links = 0
        while let name = rest.popLast() {
            if name == [UInt8(ascii: ".")] { continue }
            if name == Array("..".utf8) {
                while let byte = place.popLast(), byte != UInt8(ascii: "/") {}
                continue
            }
            let next = place + [UInt8(ascii: "/")] + name
            guard links < Self.mostLinks, remote(next) == nil, let target = Self.target(next) else {
                place = next
                continue
            }
            links += 1
            if target.first == UInt8(ascii: "/") { place = [] }
            rest += target.split(separator: UInt8(ascii: "/")).map(Array.init).reversed()
        }
        return place
    }

    /// As many as the kernel follows.
    private static let mostLinks = 40

    /// The text of a symbolic link; nil where there is none.
    private static func target(_ path: [UInt8]) -> [UInt8]? {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let terminated = path.map { CChar(bitPattern: $0) } + [0]
        let count = unsafe readlink(terminated, &text, text.count)
        return count > 0 ? text[..<count].map { UInt8(bitPattern: $0) } : nil
    }

    private static func isRemote(_ type: String) -> Bool {
        // fuse.sshfs and the like.
        remote.contains(String(type.prefix { $0 != "." }))
    }

    /// As in `FileSystemType`, by their names; and what mounts others when it is touched.
    private static let remote: Set = [
        "9p", "acfs", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "fuse", "fuseblk", "gfs2",
        "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs",
        "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
    ]

    private static func device(_ text: ArraySlice<UInt8>) -> UInt64? {
        let numbers = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { UInt32(String(decoding: $0, as: UTF8.self)) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        return clinux_device(major, minor)
    }

    private static func directory(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var path = unescaped(field)
        if path.last == UInt8(ascii: "/") { path.removeLast() }
        return path
    }

    /// Blanks, tabs, newlines and backslashes stand as `\040`, three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) })
            {
                bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 &- UInt8(ascii: "0")) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}

/// The table, and when it changes. Used on one thread.
package struct MountWatch: ~Copyable {
    private let file: Descriptor

    /// Opens the table, which is all that it takes to hear of changes from now on.
    package init() throws(SystemError) { file = try Descriptor.open(MountTable.path, O_RDONLY) }

    /// As it is now; later changes end a wait.
    package borrowing func table() throws(SystemError) -> MountTable { try MountTable(file) }

    /// Waits until something was mounted or unmounted, which is true then, until woken, or for
    /// `nanoseconds`; for ever when nil.
    package borrowing func wait(_ wakeup: Wakeup, nanoseconds: Int64?) -> Bool {
        wakeup.wait(besideChangeOf: file, nanoseconds: nanoseconds)
    }
}
