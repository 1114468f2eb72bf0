internal import CTestSupport
package import Platform

/// A TCP port of 127.0.0.1 that a server is to listen on: free, and kept free for it until the last
/// reference goes.
///
/// A port that was only looked up could be lost:
/// 1. The server on it dies; nobody listens there.
/// 2. Another process asks the kernel for any port and gets this one; or a client that tries the dead
///    server again gets it as its own end, and is connected to itself.
/// 3. The server cannot come back.
///
/// A socket that is bound and does not listen keeps the port out of the kernel's hands, and clients
/// are refused as if nobody were there. Servers that set SO_REUSEADDR (Java's all do) may use it.
package final class ReservedPort: Sendable {
    package let number: UInt16
    private let socket: Descriptor

    package init() throws(SystemError) {
        var port: UInt16 = 0
        let socket = unsafe ctest_reserve_port(&port)
        guard socket >= 0 else { throw SystemError("bind", path: "127.0.0.1:0", code: .last) }
        self.socket = Descriptor(owning: socket)
        number = port
    }
}
