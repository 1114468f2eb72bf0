import Glibc

extension InternetAddress {
    /// Connects, sends `request`, and returns all that comes until the other side closes the
    /// connection: at most `most` bytes, the first ones. Each of these waits no longer than
    /// `patience`, whole seconds, and what comes in little pieces no longer than twice that.
    package func exchange(
        _ request: [UInt8], most: Int, patience: Int
    ) throws(SystemError) -> [UInt8] {
        let socket = try makeSocket()
        let until = Clock.monotonicNanoseconds() +| Int64(patience) &* 2_000_000_000
        var time = timeval(tv_sec: patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let size = socklen_t(MemoryLayout<timeval>.size)
            let result = socket.withRawValue { number in
                unsafe setsockopt(number, SOL_SOCKET, option, &time, size)
            }
            guard result == 0 else { throw failure("setsockopt SO_RCVTIMEO") }
        }
        do throws(SystemError) {
            try connect(socket)
        } catch {
            throw late(error)
        }
        var rest = request[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                socket.withRawValue { number in
                    retrying {
                        unsafe Glibc.send(
                            number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                    }
                }
            }
            guard count > 0 else { throw late(failure("send")) }
            rest = rest.dropFirst(count)
        }
        var all: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 64 * 1024)
        while all.count < most {
            let count = unsafe page.withUnsafeMutableBytes { bytes in
                socket.withRawValue { number in
                    retrying { unsafe recv(number, bytes.baseAddress, bytes.count, 0) }
                }
            }
            guard count >= 0 else { throw late(failure("recv")) }
            guard count > 0 else { break }
            all += page[..<count]
            guard Clock.monotonicNanoseconds() < until else {
                throw SystemError("recv", path: description, code: .timedOut)
            }
        }
        return Array(all.prefix(most))
    }

    /// A time-out of the socket is told as EAGAIN, and of connect(2) as EINPROGRESS.
    private func late(_ error: SystemError) -> SystemError {
        guard error.code == .again || error.code == .inProgress else { return error }
        return SystemError(error.call, path: description, code: .timedOut)
    }

    /// Whether the other end of a connected socket is on this machine's loopback.
    package static func peerIsLoopback(ofSocket number: Int32) -> Bool {
        var raw = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = unsafe withUnsafeMutableBytes(of: &raw) { raw in
            unsafe getpeername(
                number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { return false }
        let bytes = unsafe withUnsafeBytes(of: raw) { unsafe [UInt8]($0) }
        switch Int32(raw.sin6_family) {
        // Behind family and port; all of 127.0.0.0/8.
        case AF_INET: return bytes[4] == 127
        case AF_INET6:
            let address = bytes[8..<24]
            let isMapped = address.starts(with: [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF])
            return isMapped
                ? bytes[20] == 127 : address.dropLast().allSatisfy { $0 == 0 } && bytes[23] == 1
        default: return false
        }
    }
}
