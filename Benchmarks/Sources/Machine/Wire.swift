internal import CMachine
internal import Glibc

/// What a process sends over TCP, as the kernel counts it for each of its sockets. A socket that was
/// seen once is kept, so that it counts after the process has closed it or ended; what is opened and
/// closed between two looks is not seen. One thread.
package final class Wire {
    /// What was sent by all sockets together.
    package struct Amount: Hashable, Sendable {
        package let bytes: Int
        /// Segments that carried bytes.
        package let segments: Int
    }

    private final class Socket {
        let descriptor: Descriptor
        init(_ raw: Int32) { descriptor = Descriptor(owning: raw) }
    }

    private let process: ChildProcess
    /// By their inodes.
    private var sockets: [UInt64: Socket] = [:]
    /// The kernel lets us have the process's descriptors: not everywhere in a container.
    private var isAllowed = true

    /// Not looked at again before: a process may have thousands of descriptors, and the look is not to
    /// take the processor that others are measured on.
    private var next = Instant.now
    private static let pauseByLook = 50.0

    package init(_ process: ChildProcess) { self.process = process }

    /// No socket was seen yet.
    package var isBlind: Bool { isAllowed && sockets.isEmpty }

    /// Takes notice of the sockets that the process has opened, if it is time. A process that has ended
    /// has none.
    package func look() throws(MachineError) {
        let begin = Instant.now
        guard begin >= next else { return }
        defer {
            let now = Instant.now
            next = now.advanced(bySeconds: Self.pauseByLook * now.secondsSince(begin))
        }
        let directory = "/proc/\(process.pid)/fd"
        let names: [String]
        do throws(MachineError) {
            names = try entries(directory)
        } catch {
            // It cannot be read any more when the process has ended, or is another user's.
            return
        }
        for name in names {
            guard let theirs = Int32(name),
                let inode = Self.socket("\(directory)/\(name)"), sockets[inode] == nil
            else { continue }
            var found: UInt64 = 0
            let own = unsafe cmachine_borrow_tcp(process.process.raw, theirs, &found)
            if own < 0 {
                if [EPERM, ENOSYS].contains(errno) { isAllowed = false }
                continue
            }
            let socket = Socket(own)
            if sockets[found] == nil { sockets[found] = socket }
        }
    }

    /// What was sent so far by the sockets that were seen; nil: there were none, or the kernel
    /// does not tell.
    package func sent() throws(MachineError) -> Amount? {
        guard isAllowed, !sockets.isEmpty else { return nil }
        var (allBytes, allSegments) = (0, 0)
        for socket in sockets.values {
            var (bytes, segments): (Int64, Int64) = (0, 0)
            guard unsafe cmachine_tcp_sent(socket.descriptor.raw, &bytes, &segments) == 0 else {
                guard errno == ENOSYS else { throw MachineError("TCP_INFO of", "a socket") }
                return nil
            }
            allBytes += Int(bytes)
            allSegments += Int(segments)
        }
        return Amount(bytes: allBytes, segments: allSegments)
    }

    /// The inode of a socket; nil: the descriptor is none, or is closed by now.
    private static func socket(_ path: String) -> UInt64? {
        var buffer = [CChar](repeating: 0, count: 64)
        let length = unsafe readlink(path, &buffer, buffer.count)
        guard length > 0 else { return nil }
        let text = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard text.hasPrefix("socket:["), text.hasSuffix("]") else { return nil }
        return UInt64(text.dropFirst(8).dropLast())
    }
}
