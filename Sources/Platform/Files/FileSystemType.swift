import CLinux

/// The kind of a file system: the magic number that statfs(2) gives.
package struct FileSystemType: Hashable, Sendable {
    let magic: UInt32

    /// By its magic number, as in statfs(2).
    package init(magic: UInt32) { self.magic = magic }

    /// Others may change files here without this kernel's knowledge: another host through the same
    /// server, or whatever serves a FUSE mount. inotify gives watches on it all the same, which
    /// tell what this host's processes do, and nothing else. A FUSE file system may be one that
    /// only local processes write to; nothing tells, and taken for the other it costs a scan a
    /// second.
    package var hasOtherWriters: Bool { Self.shared.contains(magic) }

    private static let shared: Set<UInt32> = [
        0x6969,  // NFS
        0x517B,  // SMB
        0xFF53_4D42,  // CIFS
        0xFE53_4D42,  // SMB 2 and later
        0x6573_5546,  // FUSE, and with it sshfs, GlusterFS, s3fs, virtiofs
        0x0102_1997,  // 9P
        0x00C3_6400,  // Ceph
        0x5346_414F,  // AFS
        0x6B41_4653,  // AFS of the kernel's own
        0x7375_7245,  // Coda
        0x564C,  // NCP
        0x0BD0_0BD0,  // Lustre
        0x4750_4653,  // GPFS
        0x1983_0326,  // BeeGFS
        0x0116_1970,  // GFS 2
        0x7461_636F,  // OCFS 2
        0xAAD7_AAEA,  // PanFS
        0x786F_4256,  // VirtualBox's shared folders
        0xBACB_ACBC,  // VMware's
        0x2030_528D,  // OrangeFS
    ]
}

extension Descriptor {
    /// fstatfs(2).
    package borrowing func fileSystemType() throws(SystemError) -> FileSystemType {
        let magic = withRawValue { clinux_file_system($0) }
        guard magic >= 0 else { throw SystemError("fstatfs", code: .last) }
        return FileSystemType(magic: UInt32(truncatingIfNeeded: magic))
    }
}
