import CLinux
import Glibc

/// How a name is opened when whoever owns the directory is not trusted.
extension Descriptor {
    /// The outcome of `openFile`.
    package enum Opened: ~Copyable, Sendable {
        case file(Descriptor, FileStatus)
        /// Not a regular file: a link, FIFO, device, socket or directory. It was never opened for
        /// reading.
        case refused(FileStatus)
    }

    /// Opens the directory `path` beneath this one without following any link. `path` is relative,
    /// bytes without NUL; empty means this directory.
    package borrowing func openDirectory(beneath path: [UInt8]) throws(SystemError) -> Descriptor {
        let name = path.isEmpty ? [UInt8(ascii: ".")] : path
        return try openBeneath(name, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
    }

    /// Opens `name`, one segment, in this directory for reading, if it is a regular file.
    ///
    /// First as O_PATH, which opens nothing; then what that is, is looked at; then that very file
    /// is opened. A FIFO or device is never opened, whoever swaps names meanwhile.
    package borrowing func openFile(_ name: [UInt8]) throws(SystemError) -> Opened {
        let place = try openBeneath(name, O_PATH | O_NOFOLLOW)
        let status = try place.status()
        guard status.isRegular else { return .refused(status) }
        let path = place.withRawValue { "/proc/self/fd/\($0)" }
        do {
            return .file(try Self.openUnmarked(path), status)
        } catch {
            guard error.code == .notFound else { throw error }
            // No /proc here: open by name, and see that it is what was looked at.
            let file = try openBeneath(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
            let again = try file.status()
            guard again.isRegular, again.inode == status.inode, again.device == status.device
            else { return .refused(again) }
            return .file(file, again)
        }
    }

    /// For reading, so that reading leaves no time of access behind: the kernel would write one to
    /// the disk after each write of the log's own writer. Who neither owns the file nor has
    /// CAP_FOWNER may not ask for that.
    private static func openUnmarked(_ path: String) throws(SystemError) -> Descriptor {
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY
        do {
            return try Descriptor.open(path, flags | clinux_no_access_time)
        } catch {
            guard error.code == .notPermitted else { throw error }
            return try Descriptor.open(path, flags)
        }
    }

    /// A name in this directory as a place: what is there is not opened, and a link not followed.
    package borrowing func openPlace(_ name: [UInt8]) throws(SystemError) -> Descriptor {
        try openBeneath(name, O_PATH | O_NOFOLLOW)
    }

    private borrowing func openBeneath(
        _ path: [UInt8], _ flags: Int32
    ) throws(SystemError) -> Descriptor {
        let terminated = path + [0]
        let text = String(decoding: path, as: UTF8.self)
        let resolve = UInt64(
            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
        let number = withRawValue { directory in
            unsafe terminated.withUnsafeBufferPointer { raw in
                retrying {
                    unsafe clinux_openat2(
                        directory,
                        UnsafeRawPointer(raw.baseAddress)?.assumingMemoryBound(to: CChar.self),
                        UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), resolve)
                }
            }
        }
        if number >= 0 { return Descriptor(owning: number) }
        let code = Errno.last
        guard code == .notImplemented || code == .notPermitted else {
            throw SystemError("openat2", path: text, code: code)
        }
        // Kernels before 5.6, and sandboxes that refuse openat2: one name at a time, no link taken.
        return try openStepwise(path, flags)
    }

    private borrowing func openStepwise(
        _ path: [UInt8], _ flags: Int32
    ) throws(SystemError) -> Descriptor {
        let names = path.split(separator: UInt8(ascii: "/"))
        var directory = try duplicate()
        for (index, name) in names.enumerated() {
            let text = String(decoding: path, as: UTF8.self)
            if name.elementsEqual([46, 46]) {
                throw SystemError("openat", path: text, code: .crossDevice)
            }
            let last = index == names.count - 1
            let wanted = last ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW
            let terminated = Array(name) + [0]
            let number = directory.withRawValue { parent in
                unsafe terminated.withUnsafeBufferPointer { raw in
                    retrying {
                        unsafe clinux_openat(
                            parent,
                            UnsafeRawPointer(raw.baseAddress)?.assumingMemoryBound(to: CChar.self),
                            wanted | O_CLOEXEC, 0)
                    }
                }
            }
            guard number >= 0 else { throw SystemError("openat", path: text, code: .last) }
            directory = Descriptor(owning: number)
        }
        return directory
    }
}
