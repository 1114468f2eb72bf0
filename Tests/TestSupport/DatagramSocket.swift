internal import Glibc
package import Platform

/// A socket of datagrams with a name in the file system, as a service manager listens on. One
/// thread.
package final class DatagramSocket {
    package let path: String
    private let socket: Descriptor
    /// Messages that came so far.
    package private(set) var messages: [String] = []

    /// Makes `path`, which is short: unix(7) has 108 bytes for it.
    package init(_ path: String) throws(SystemError) {
        self.path = path
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(AF_UNIX, type, 0)
        guard number >= 0 else { throw SystemError("socket", path: path, code: .last) }
        socket = Descriptor(owning: number)
        let family = UInt16(AF_UNIX)
        let address = unsafe withUnsafeBytes(of: family) { unsafe Array($0) } + path.utf8 + [0]
        let result = unsafe address.withUnsafeBytes { address in
            unsafe bind(
                number, address.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(address.count))
        }
        guard result == 0 else { throw SystemError("bind", path: path, code: .last) }
    }

    /// Takes what has come, without waiting, and says whether all that came satisfies `condition`.
    package func hears(_ condition: ([String]) -> Bool) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { buffer in
                socket.withRawValue { number in
                    unsafe recv(number, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                }
            }
            guard count > 0 else { return condition(messages) }
            messages.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
    }
}
