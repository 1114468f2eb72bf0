import CLinux
import Glibc

/// An inotify(7) instance. Its events are hints: whoever reads them has to be right without them.
/// Used on one thread.
package struct Inotify: ~Copyable {
    private let descriptor: Descriptor
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

    /// One watch; the kernel counts up and does not give a number again before it wraps at 2^31.
    package struct Watch: Hashable, Sendable {
        let number: Int32
    }

    /// A hint that the kernel gives.
    package enum Event: Hashable, Sendable {
        /// Something was created, moved or deleted in the watched directory; with the name that a
        /// file was given in it.
        case entriesChanged(Watch, appeared: [UInt8]?)
        /// The watched file was written to; the watch is gone with this.
        case modified(Watch)
        /// The kernel dropped the watch, or the watched directory itself was moved or deleted.
        case watchLost(Watch)
        /// Events were lost; only a scan tells what happened.
        case overflow
    }

    /// Makes an instance. Fails where the user has as many as it may (`max_user_instances`).
    package init() throws(SystemError) {
        let number = clinux_inotify()
        guard number >= 0 else { throw SystemError("inotify_init1", code: .last) }
        descriptor = Descriptor(owning: number)
    }

    /// Watches the entries of an open directory; by the descriptor, so no path is looked up twice.
    package borrowing func watchEntries(
        of directory: borrowing Descriptor
    ) throws(SystemError) -> Watch {
        try add(
            directory,
            UInt32(
                IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF
            ) | UInt32(IN_ONLYDIR))
    }

    /// Watches an open file for one write. The writer pays for this event only, not for each write.
    package borrowing func watchOnce(
        _ file: borrowing Descriptor
    ) throws(SystemError) -> Watch {
        try add(file, UInt32(IN_MODIFY) | UInt32(clinux_in_oneshot))
    }

    private borrowing func add(
        _ target: borrowing Descriptor, _ mask: UInt32
    ) throws(SystemError) -> Watch {
        let path = target.withRawValue { "/proc/self/fd/\($0)" }
        let number = descriptor.withRawValue { unsafe inotify_add_watch($0, path, mask) }
        guard number >= 0 else { throw SystemError("inotify_add_watch", code: .last) }
        return Watch(number: number)
    }

    /// Ends a watch. One that is gone already is no error: the kernel drops watches by itself.
    package borrowing func end(_ watch: Watch) {
        descriptor.withRawValue { _ = inotify_rm_watch($0, watch.number) }
    }

    /// Hands over events that are there now, without waiting; `most` of them, and at most one
    /// bufferful more. False where there may be others left: whoever makes events may make them
    /// faster than they can be read, for ever.
    package mutating func drain(
        most: Int, _ handle: (Event) -> Void
    ) throws(SystemError) -> Bool {
        var handled = 0
        while handled < most {
            let count = try readSome()
            guard count > 0 else { return true }
            var index = 0
            while index + 16 <= count {
                handled += 1
                let (watch, mask, length) = unsafe buffer.withUnsafeBytes { raw in
                    unsafe (
                        raw.loadUnaligned(fromByteOffset: index, as: Int32.self),
                        raw.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self),
                        raw.loadUnaligned(fromByteOffset: index + 12, as: UInt32.self)
                    )
                }
                let name = buffer[(index + 16)..<(index + 16 + Int(length))].prefix { $0 != 0 }
                index += 16 + Int(length)
                if let event = Self.event(Watch(number: watch), mask, name) { handle(event) }
            }
        }
        return false
    }

    private mutating func readSome() throws(SystemError) -> Int {
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            descriptor.withRawValue { number in
                retrying { unsafe read(number, raw.baseAddress, raw.count) }
            }
        }
        if count < 0 {
            let code = Errno.last
            if code == .again { return 0 }
            throw SystemError("read inotify", code: code)
        }
        return count
    }

    private static func event(
        _ watch: Watch, _ mask: UInt32, _ name: ArraySlice<UInt8>
    ) -> Event? {
        if mask & UInt32(IN_Q_OVERFLOW) != 0 { return .overflow }
        if mask & UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT) != 0 {
            return .watchLost(watch)
        }
        if mask & UInt32(IN_MODIFY) != 0 { return .modified(watch) }
        let isThere = mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0 && mask & UInt32(IN_ISDIR) == 0
        return .entriesChanged(watch, appeared: isThere ? Array(name) : nil)
    }

    /// Lends the descriptor to `Wakeup.wait`.
    package borrowing func withDescriptor<R>(_ body: (borrowing Descriptor) -> R) -> R {
        body(descriptor)
    }
}
