package import Model
package import Platform

extension FileIdentity {
    /// As the file behind a descriptor has it; whoever looks at files of the agent takes it from
    /// here, so that all compare the same. `status` is that of the descriptor.
    package init(of descriptor: borrowing Descriptor, _ status: FileStatus) {
        self.init(
            handle: descriptor.handle(), device: status.device, inode: status.inode,
            birth: descriptor.birth()?.nanoseconds)
    }

    /// Whether a file has its device and inode number: it is that one, unless that was removed and
    /// its number given out again.
    package func hasNumbers(of status: FileStatus) -> Bool {
        inode == status.inode && device == status.device
    }

    /// When it was born, by the clock of its file system.
    var birthTime: FileTime? { birth.map { FileTime(nanoseconds: $0) } }
}
