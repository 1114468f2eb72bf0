import Glibc

/// An IP address and a port of TCP.
package struct InternetAddress: Hashable, Sendable, CustomStringConvertible {
    /// As inet_ntop(3) writes it; IPv6 without brackets.
    package let host: String
    /// In the machine's own byte order; 0 lets the kernel choose.
    package let port: UInt16
    private let bytes: [UInt8]

    /// Nil when `host` is no IPv4 or IPv6 address: names are not looked up.
    package init?(host: String, port: UInt16) {
        for family in [AF_INET, AF_INET6] {
            var bytes = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
            guard unsafe inet_pton(family, host, &bytes) == 1 else { continue }
            self.init(bytes, port: port)
            return
        }
        return nil
    }

    /// 127.0.0.1.
    package static func loopback(port: UInt16) -> InternetAddress {
        InternetAddress([127, 0, 0, 1], port: port)
    }

    /// 4 or 16 bytes in network order.
    private init(_ bytes: [UInt8], port: UInt16) {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = unsafe inet_ntop(
            bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        host = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        self.port = port
        self.bytes = bytes
    }

    /// `ADDRESS:PORT`, with brackets around an IPv6 address.
    package var description: String { isV6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private var isV6: Bool { bytes.count == 16 }

    /// A socket that listens here. At most `backlog` connections wait until they are accepted. A
    /// port that was in use a moment ago may be taken again.
    package func listen(backlog: Int32) throws(SystemError) -> Descriptor {
        let socket = try makeSocket()
        var on: Int32 = 1
        let number = socket.withRawValue { $0 }
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, size) == 0 else {
            throw failure("setsockopt SO_REUSEADDR")
        }
        guard unsafe call(Glibc.bind, number) == 0 else { throw failure("bind") }
        guard Glibc.listen(number, backlog) == 0 else { throw failure("listen") }
        return socket
    }

    /// A socket that is connected to it, or, without `waiting`, one that is about to be and never
    /// blocks.
    package func connect(waiting: Bool = true) throws(SystemError) -> Descriptor {
        let socket = try makeSocket(waiting ? 0 : Int32(SOCK_NONBLOCK.rawValue))
        try connect(socket, waiting: waiting)
        return socket
    }

    func connect(_ socket: borrowing Descriptor, waiting: Bool = true) throws(SystemError) {
        let number = socket.withRawValue { $0 }
        let result = retrying { unsafe call(Glibc.connect, number) }
        guard result == 0 || (!waiting && errno == EINPROGRESS) else { throw failure("connect") }
    }

    func makeSocket(_ flags: Int32 = 0) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | flags
        let number = socket(isV6 ? AF_INET6 : AF_INET, type, 0)
        guard number >= 0 else { throw failure("socket") }
        return Descriptor(owning: number)
    }

    func failure(_ name: String) -> SystemError {
        SystemError(name, path: description, code: .last)
    }

    private typealias Call = (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32

    private func call(_ function: Call, _ number: Int32) -> Int32 {
        if isV6 {
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &raw.sin6_addr) { unsafe $0.copyBytes(from: bytes) }
            return unsafe withUnsafeBytes(of: raw) { raw in
                unsafe function(
                    number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                    socklen_t(raw.count))
            }
        }
        var raw = sockaddr_in()
        raw.sin_family = sa_family_t(AF_INET)
        raw.sin_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &raw.sin_addr) { unsafe $0.copyBytes(from: bytes) }
        return unsafe withUnsafeBytes(of: raw) { raw in
            unsafe function(
                number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(raw.count))
        }
    }

    /// Where a socket that was made for this address listens: port 0 has become one of the kernel's
    /// choice.
    package func bound(_ socket: borrowing Descriptor) throws(SystemError) -> InternetAddress {
        let number = socket.withRawValue { $0 }
        // The larger of the two; its family and port lie where the smaller one has them.
        var raw = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = unsafe withUnsafeMutableBytes(of: &raw) { raw in
            unsafe getsockname(
                number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { throw failure("getsockname") }
        return InternetAddress(bytes, port: UInt16(bigEndian: raw.sin6_port))
    }
}
