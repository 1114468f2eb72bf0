package import Platform
import Synchronization

/// Answers GET and HEAD on one address, from one thread of its own, within fixed bounds:
/// connections, memory for each, and time. Each connection carries one request. Sendable.
///
/// What strangers can do to it, and what keeps it in bounds:
/// - *Many connections*: those over the limit wait in the kernel's queue, which is short.
/// - *Slow ones*: a connection is closed when its time is over, whatever it has sent or read by
///   then; while all are taken, a new one waits `Limits.crowdedPatience` at most for an old one's
///   end.
/// - *Large or malformed requests*: refused by libmicrohttpd, whose memory for one is bounded.
package final class HTTPServer: Sendable {
    /// Where it listens; the port is the kernel's choice if 0 was asked for.
    package let address: InternetAddress
    private let wakeup: Wakeup
    private let isStopped: Stop
    private let thread: SystemThread

    final class Stop: Sendable {
        let value = Atomic(false)
    }

    /// The bounds.
    package struct Limits: Hashable, Sendable {
        /// Connections at a time, above 0.
        package var connections = 64
        /// Bytes for one connection's request and its answer's header.
        package var memory = 16 * 1024
        /// From a connection's acceptance to its end.
        package var patience = Duration.seconds(10)
        /// The same while all connections are taken.
        package var crowdedPatience = Duration.seconds(1)

        package init() {}

        /// Descriptors that a server needs beside its connections: where it listens, two to wait
        /// with, one to be woken, one of libmicrohttpd's, and a spare one.
        package static let ownDescriptors = 6
    }

    /// Listens on `address` and starts the thread. `answer` is called there with the path of a
    /// request, without what follows a `?`; nil is 404. It must not block. Who is not on this
    /// machine's loopback is refused the paths of `onlyLocal`.
    package init(
        _ address: InternetAddress, limits: Limits = Limits(), onlyLocal: Set<String> = [],
        answer: @escaping @Sendable (String) -> HTTPResponse?
    ) throws(HTTPError) {
        let isStopped = Stop()
        self.isStopped = isStopped
        do throws(SystemError) {
            wakeup = try Wakeup()
        } catch {
            throw .system(error)
        }
        let loop = try ServerLoop(address, limits, onlyLocal, answer, wakeup, isStopped)
        self.address = loop.address
        do throws(SystemError) {
            thread = try SystemThread("http") { loop.run() }
        } catch {
            loop.close()
            throw .system(error)
        }
    }

    deinit { stop() }

    /// Closes every connection and joins the thread. A second call returns at once.
    package func stop() {
        isStopped.value.store(true, ordering: .releasing)
        wakeup.wake()
        thread.join()
    }
}

/// Why a server could not be started.
package enum HTTPError: Error, Hashable, CustomStringConvertible {
    /// The address cannot be listened on, or there is no descriptor or thread to be had.
    case system(SystemError)
    /// libmicrohttpd gives no reason.
    case library

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .library: "MHD_start_daemon: libmicrohttpd could not start"
        }
    }
}
