import CLinux
import Glibc
import Synchronization

/// A stream for lines of at most 4,096 bytes that does not keep its writer waiting for who reads
/// it: a pipe, a socket, a terminal or another device that stays full refuses a line. Regular files
/// are written to as ever. Sendable; any thread.
///
/// 1. Standard error is a pipe, and whoever reads it hangs: 64 KiB later a write waits for ever.
/// 2. The flag that prevents it, O_NONBLOCK, belongs to the open file and not to the descriptor:
///    set on an inherited one, it hits every other process that writes there.
/// 3. So the pipe is opened once more. Where that may not be, it is asked whether it has room
///    first.
///
/// The same is so of a terminal whose window is frozen, or whose other end nobody reads, and of a
/// serial port of a virtual machine whose host does not read. That one may be opened only once: it
/// is asked. A device that does not answer truly, as one that a process stands behind (CUSE), keeps
/// its writer waiting all the same.
package final class LineStream: Sendable {
    enum Way: Sendable {
        case asEver
        /// Its own open file, with O_NONBLOCK. A pipe takes a line of up to PIPE_BUF whole or not
        /// at all.
        case ownPipe
        /// Its own open file, with O_NONBLOCK, which may take a part of a line.
        case ownTerminal
        /// Somebody else's open file: asked for room before each line. A pipe that has any takes a
        /// page.
        case sharedPipe
        /// The same, before each byte: a terminal that has any room takes one.
        case sharedTerminal
        /// Asked for room before each line, which it is given in one call: it may take each piece
        /// for a line.
        case device
        case socket

        /// A character device that is no terminal, by its major number.
        init(device major: UInt32) {
            // The kernel's own (mem): /dev/null and its like take everything at once, and so does
            // /dev/kmsg, which never says that it has room.
            self = major == 1 ? .asEver : .device
        }
    }

    private let descriptor: Descriptor
    let way: Way
    /// The end of a line that a socket or a terminal took in part; at most one line.
    private let rest = Mutex<[UInt8]>([])
    /// The last line found no room within `patience`: the next one does not wait at all.
    private let isStalled = Atomic(false)

    /// How long a burst waits for who reads it, nanoseconds; once, until a line is taken again.
    private static let patience: Int64 = 1_000_000_000

    /// Standard error, as the process was started with it.
    package convenience init() throws(SystemError) {
        try self.init(StandardStream.error.duplicate())
    }

    /// Anything that is open for writing. Tests have one taken for what cannot be opened once more.
    package convenience init(
        _ descriptor: consuming Descriptor, mayReopen: Bool = true
    ) throws(SystemError) {
        let status = try descriptor.status()
        let number = descriptor.withRawValue { $0 }
        var own: Descriptor?
        let way: Way
        switch status.mode & S_IFMT {
        case S_IFSOCK: way = .socket
        case S_IFIFO:
            if mayReopen { own = Self.reopened(number) }
            way = own == nil ? .sharedPipe : .ownPipe
        case S_IFCHR where isatty(number) == 1:
            if mayReopen { own = Self.reopened(number) }
            way = own == nil ? .sharedTerminal : .ownTerminal
        case S_IFCHR: way = Way(device: try Self.major(of: number))
        default: way = .asEver
        }
        if let own = own.take() {
            self.init(own, as: way)
        } else {
            self.init(descriptor, as: way)
        }
    }

    /// The same where it is known how it is written to.
    init(_ descriptor: consuming Descriptor, as way: Way) {
        self.descriptor = descriptor
        self.way = way
    }

    private static func major(of number: Int32) throws(SystemError) -> UInt32 {
        var raw = stat()
        guard unsafe fstat(number, &raw) == 0 else { throw SystemError("fstat", code: .last) }
        return gnu_dev_major(raw.st_rdev)
    }

    /// Nil without /proc, or where the pipe or terminal is another user's.
    private static func reopened(_ number: Int32) -> Descriptor? {
        do throws(SystemError) {
            return try Descriptor.open("/proc/self/fd/\(number)", O_WRONLY | O_NONBLOCK | O_NOCTTY)
        } catch {
            return nil
        }
    }

    /// Writes a line, newline included, whole or not at all.
    package func write(_ line: [UInt8]) throws(SystemError) {
        switch way {
        case .asEver: try descriptor.write(line)
        case .ownPipe: try withPatience { () throws(SystemError) in try descriptor.write(line) }
        case .sharedPipe, .device:
            // One at a time, so that the room is still there when it is used.
            try rest.withLock { _ throws(SystemError) in
                try withPatience { () throws(SystemError) in
                    guard hasRoom(within: 0) else { throw SystemError("poll", code: .again) }
                    try descriptor.write(line)
                }
            }
        case .socket, .ownTerminal, .sharedTerminal:
            try rest.withLock { rest throws(SystemError) in
                try withPatience { () throws(SystemError) in
                    rest = try send(rest)
                    guard rest.isEmpty else { throw SystemError("send", code: .again) }
                    let left = try send(line)
                    guard left.count < line.count else { throw SystemError("send", code: .again) }
                    rest = left
                }
            }
        }
    }

    /// Tries, and waits for room once if there is none.
    private func withPatience(_ write: () throws(SystemError) -> Void) throws(SystemError) {
        do {
            try write()
        } catch {
            guard error.code == .again, !isStalled.load(ordering: .relaxed) else { throw error }
            guard hasRoom(within: Self.patience) else {
                isStalled.store(true, ordering: .relaxed)
                throw error
            }
            try write()
        }
        isStalled.store(false, ordering: .relaxed)
    }

    private func hasRoom(within nanoseconds: Int64) -> Bool {
        var polled = [
            pollfd(fd: descriptor.withRawValue { $0 }, events: Int16(POLLOUT), revents: 0)
        ]
        guard unsafe clinux_poll(&polled, 1, nanoseconds) > 0 else { return false }
        // An error shows in the write that follows. But a port whose other end is closed has no
        // room, and says no more than that.
        return polled[0].revents != Int16(POLLHUP)
    }

    /// Sends bytes to a socket or a terminal. Returns those that it did not take.
    private func send(_ bytes: [UInt8]) throws(SystemError) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        var sent = 0
        while sent < bytes.count, way != .sharedTerminal || hasRoom(within: 0) {
            let piece = way == .sharedTerminal ? bytes[sent...sent] : bytes[sent...]
            let count = offer(piece)
            if count < 0 {
                let code = Errno.last
                if code == .again { break }
                throw SystemError("write", code: code)
            }
            sent += count
        }
        return Array(bytes[sent...])
    }

    /// One write(2) or send(2).
    private func offer(_ bytes: ArraySlice<UInt8>) -> Int {
        let number = descriptor.withRawValue { $0 }
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let isSocket = way == .socket
        return unsafe bytes.withUnsafeBufferPointer { raw in
            retrying {
                isSocket
                    ? unsafe Glibc.send(number, raw.baseAddress, raw.count, flags)
                    : unsafe Glibc.write(number, raw.baseAddress, raw.count)
            }
        }
    }
}
