internal import Glibc
package import Platform

/// A connection of TCP to a server on this machine, on which a test says whatever it likes. What the
/// server does not do within a generous time is an error.
package final class RawConnection {
    private let socket: Descriptor

    /// Without `waiting` it is not waited until the server's machine has taken the connection.
    package init(_ address: InternetAddress, waiting: Bool = true) throws(SystemError) {
        socket = try address.connect(waiting: waiting)
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        let result = socket.withRawValue { number in
            unsafe setsockopt(
                number, SOL_SOCKET, SO_RCVTIMEO, &patience,
                socklen_t(MemoryLayout<timeval>.size))
        }
        guard result == 0 else { throw SystemError("setsockopt SO_RCVTIMEO", code: .last) }
    }

    /// Sends all of it; false when the server has closed the connection.
    @discardableResult
    package func send(_ text: String) throws(SystemError) -> Bool { try send(Array(text.utf8)) }

    /// The same with any bytes.
    @discardableResult
    package func send(_ bytes: [UInt8]) throws(SystemError) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                socket.withRawValue { number in
                    unsafe Glibc.send(number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                }
            }
            if count < 0, errno == EPIPE || errno == ECONNRESET { return false }
            // Not connected yet, or nothing is taken: it never will be.
            if count < 0, errno == EAGAIN || errno == ENOTCONN { return true }
            guard count >= 0 else { throw SystemError("send", code: .last) }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The next bytes that the server sends, so many; fewer when it closes the connection before.
    package func receive(_ count: Int) throws(SystemError) -> [UInt8] {
        var all: [UInt8] = []
        var page = [UInt8](repeating: 0, count: count)
        while all.count < count {
            let taken = unsafe page.withUnsafeMutableBytes { bytes in
                socket.withRawValue { number in
                    unsafe recv(number, bytes.baseAddress, count - all.count, 0)
                }
            }
            guard taken >= 0 else { throw SystemError("recv", code: .last) }
            if taken == 0 { break }
            all += page[..<taken]
        }
        return all
    }

    /// Everything that the server sends until it closes the connection.
    package func receiveAll() throws(SystemError) -> String {
        var all: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = unsafe page.withUnsafeMutableBytes { bytes in
                socket.withRawValue { number in
                    unsafe recv(number, bytes.baseAddress, bytes.count, 0)
                }
            }
            // Closed with bytes of ours unread: what it has sent before may be here already.
            if count < 0, errno == ECONNRESET { break }
            guard count >= 0 else { throw SystemError("recv", code: .last) }
            if count == 0 { break }
            all += page[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }
}

/// What a server answered.
package struct HTTPAnswer: Hashable, Sendable, CustomStringConvertible {
    package let status: Int
    /// Names in lower case.
    package let headers: [String: String]
    package let body: String

    package var description: String { "\(status) \(body)" }

    /// Nil when `text` is no answer of HTTP/1.
    package init?(_ text: String) {
        // CR and LF are one Character.
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return nil
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstRange(of: ": ") else { return nil }
            headers[line[..<colon.lowerBound].lowercased()] = String(line[colon.upperBound...])
        }
        self.status = status
        self.headers = headers
        body = String(text[end.upperBound...])
    }
}

/// Asks for a page and waits for the answer.
package func httpGet(
    _ address: InternetAddress, _ path: String, method: String = "GET"
) throws -> HTTPAnswer {
    let connection = try RawConnection(address)
    try connection.send("\(method) \(path) HTTP/1.1\r\nHost: \(address)\r\n\r\n")
    let text = try connection.receiveAll()
    guard let answer = HTTPAnswer(text) else {
        throw TimedOut(description: "\(address)\(path) answered no HTTP: \(text.prefix(200))")
    }
    return answer
}
