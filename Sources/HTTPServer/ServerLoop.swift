import CMicrohttpd
import Glibc
import Platform
import Synchronization

/// The thread of an `HTTPServer`: libmicrohttpd, run whenever one of its sockets can be read or
/// written. Made by the thread that starts it, then used on its own alone; hence unchecked
/// Sendable.
@safe
final class ServerLoop: @unchecked Sendable {
    /// Alive until `close`, and only this thread's.
    private let daemon: OpaquePointer
    /// A second descriptor of the daemon's epoll instance.
    private let events: Descriptor
    /// The argument of the daemon's callbacks; it is the daemon that keeps it alive, by
    /// `Unmanaged`.
    private let served: Served
    /// Where it listens.
    let address: InternetAddress
    private let limits: HTTPServer.Limits
    private let wakeup: Wakeup
    private let isStopped: HTTPServer.Stop

    /// Before a connection that could not be taken is tried again, nanoseconds.
    private static let pause: Int64 = 10_000_000

    init(
        _ wanted: InternetAddress, _ limits: HTTPServer.Limits, _ onlyLocal: Set<String>,
        _ answer: @escaping @Sendable (String) -> HTTPResponse?, _ wakeup: Wakeup,
        _ isStopped: HTTPServer.Stop
    ) throws(HTTPError) {
        self.limits = limits
        self.wakeup = wakeup
        self.isStopped = isStopped
        let number: Int32
        do throws(SystemError) {
            // As many wait as can be served: a longer queue would only be served too late.
            let socket = try wanted.listen(backlog: Int32(clamping: limits.connections))
            address = try wanted.bound(socket)
            number = socket.release()
        } catch {
            throw .system(error)
        }
        served = Served(answer, onlyLocal)
        let context = unsafe Unmanaged.passRetained(served)
        guard
            let daemon = unsafe cmicrohttpd_start(
                number, UInt32(clamping: limits.connections), limits.memory, serve, note,
                context.toOpaque())
        else {
            unsafe context.release()
            _ = Descriptor(owning: number)
            throw .library
        }
        let copy = unsafe cmicrohttpd_epoll(daemon)
        guard copy >= 0 else {
            let error = SystemError("fcntl F_DUPFD_CLOEXEC", code: .last)
            unsafe MHD_stop_daemon(daemon)
            unsafe context.release()
            throw .system(error)
        }
        events = Descriptor(owning: copy)
        unsafe self.daemon = daemon
    }

    /// Serves until stopped, then closes everything.
    func run() {
        while !isStopped.value.load(ordering: .acquiring) {
            wakeup.wait(beside: events, nanoseconds: patience())
            let before = (served.connections.begun, served.connections.count)
            serveReady()
            served.connections.endOverdue(limits)
            if before == (served.connections.begun, 0) {
                // Woken by a connection that could not be taken, for want of descriptors perhaps:
                // it is there still, and would keep this thread busy.
                wakeup.wait(nanoseconds: Self.pause)
            }
        }
        close()
    }

    /// Ends the daemon and its connections.
    func close() {
        unsafe MHD_stop_daemon(daemon)
        // The daemon called it for the last time.
        unsafe Unmanaged.passUnretained(served).release()
    }

    /// At its limit libmicrohttpd stops listening, and a run in which connections end does not
    /// begin to listen again: the next one does.
    private func serveReady() {
        for _ in 0..<3 {
            let before = served.connections.count
            let result = unsafe MHD_run(daemon)
            precondition(result == .YES, "MHD_run refuses a daemon that it is made for")
            if served.connections.count >= before { return }
        }
    }

    /// How long nothing may happen: to the end of the oldest connection's time, or as long as
    /// libmicrohttpd can leave what it has already read.
    private func patience() -> Int64? {
        var nanoseconds = served.connections.nextEnd(limits).map {
            $0 - Clock.monotonicNanoseconds()
        }
        var milliseconds: UInt64 = 0
        if unsafe MHD_get_timeout(daemon, &milliseconds) == .YES {
            let own = Int64(clamping: milliseconds) &* 1_000_000
            nanoseconds = min(nanoseconds ?? own, own)
        }
        return nanoseconds.map { max(0, $0) }
    }
}

/// The state of the daemon's callbacks, on the loop's thread.
final class Served {
    let answer: @Sendable (String) -> HTTPResponse?
    let connections = ConnectionTable()
    private let onlyLocal: Set<String>

    init(_ answer: @escaping @Sendable (String) -> HTTPResponse?, _ onlyLocal: Set<String>) {
        self.answer = answer
        self.onlyLocal = onlyLocal
    }

    func response(
        method: String, path: String, version: String, isLocal: () -> Bool
    ) -> HTTPResponse {
        guard version.hasPrefix("HTTP/1."), path.hasPrefix("/") else { return .malformed }
        guard method == "GET" || method == "HEAD" else { return .notAllowed }
        if onlyLocal.contains(path), !isLocal() { return .notHere }
        return answer(path) ?? .notFound
    }
}

/// MHD_AccessHandlerCallback: called once a request's header is there, which is all that is
/// answered.
private func serve(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ path: UnsafePointer<CChar>?, _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
    _ uploadSize: UnsafeMutablePointer<Int>?,
    _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context = unsafe context else { return .NO }
    let served = unsafe Unmanaged<Served>.fromOpaque(context).takeUnretainedValue()
    let answer = unsafe served.response(
        method: text(method), path: text(path), version: text(version)
    ) {
        guard let connection = unsafe connection else { return false }
        return InternetAddress.peerIsLoopback(ofSocket: unsafe cmicrohttpd_socket(connection))
    }
    // The bytes are copied: they are the response's own before the array goes.
    let response = unsafe answer.body.withUnsafeBytes { body in
        unsafe MHD_create_response_from_buffer(
            body.count, UnsafeMutableRawPointer(mutating: body.baseAddress),
            .RESPMEM_MUST_COPY)
    }
    guard let response = unsafe response else { return .NO }
    defer { unsafe MHD_destroy_response(response) }
    var headers = [
        ("Content-Type", answer.contentType), ("Connection", "close"),
        ("Cache-Control", "no-store"),
    ]
    if answer.status == 405 { headers.append(("Allow", "GET, HEAD")) }
    for (name, value) in headers {
        guard unsafe MHD_add_response_header(response, name, value) == .YES else {
            return .NO
        }
    }
    return unsafe MHD_queue_response(connection, UInt32(answer.status), response)
}

/// MHD_NotifyConnectionCallback: a connection was accepted, or its socket is about to be closed.
private func note(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ code: MHD_ConnectionNotificationCode
) {
    guard let context = unsafe context, let connection = unsafe connection else { return }
    let served = unsafe Unmanaged<Served>.fromOpaque(context).takeUnretainedValue()
    let socket = unsafe cmicrohttpd_socket(connection)
    switch code {
    case .CONNECTION_NOTIFY_STARTED: served.connections.began(socket)
    case .CONNECTION_NOTIFY_CLOSED: served.connections.ended(socket)
    }
}

private func text(_ bytes: UnsafePointer<CChar>?) -> String {
    guard let bytes = unsafe bytes else { return "" }
    return unsafe String(cString: bytes)
}
