import Glibc

/// The socket on which a service manager listens for what a service says of itself, sd_notify(3):
/// datagrams of lines `NAME=value`. Sendable; any thread.
package final class NotifySocket: Sendable {
    /// sockaddr_un, as long as it is for this address.
    private let address: [UInt8]
    private let socket: Descriptor

    /// Bytes of a socket's path, unix(7).
    private static let longest = 108

    /// `name` is that of `NOTIFY_SOCKET`: a path, or behind `@` a name in the kernel. The manager
    /// need not be there yet.
    package init(_ name: String) throws(SystemError) {
        var path = Array(name.utf8)
        guard let first = path.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
            path.count > 1, path.count < Self.longest, !path.contains(0)
        else { throw SystemError("connect", path: name, code: .invalid) }
        if first == UInt8(ascii: "@") { path[0] = 0 } else { path.append(0) }
        let family = UInt16(AF_UNIX)
        // The family in the machine's own byte order, and then the path.
        address = unsafe withUnsafeBytes(of: family) { unsafe Array($0) } + path
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(AF_UNIX, type, 0)
        guard number >= 0 else { throw SystemError("socket", path: name, code: .last) }
        socket = Descriptor(owning: number)
    }

    /// Sends the lines as one message; never waits for whoever reads it.
    package func send(_ lines: String) throws(SystemError) {
        let bytes = Array(lines.utf8)
        let count = unsafe address.withUnsafeBytes { address in
            unsafe bytes.withUnsafeBytes { bytes in
                socket.withRawValue { number in
                    retrying {
                        unsafe sendto(
                            number, bytes.baseAddress, bytes.count,
                            Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT),
                            address.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                            socklen_t(address.count))
                    }
                }
            }
        }
        guard count == bytes.count else { throw SystemError("sendto", code: .last) }
    }
}
