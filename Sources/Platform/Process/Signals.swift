// Which of the two modules has sigset_t follows from the order in which a build reads them.
import CLinux
import Glibc

/// The signals that end the process orderly. They are blocked everywhere and waited for on one
/// thread, so that no handler ever runs in the middle of anything.
package enum Signals {
    /// To be called on the main thread before any other is started: they inherit its mask. With
    /// `hangUp` SIGHUP does not end the process either, and `waitForAny` tells of it.
    package static func prepare(hangUp: Bool = false) {
        var ending = ends()
        if hangUp { unsafe sigaddset(&ending, SIGHUP) }
        unsafe pthread_sigmask(SIG_BLOCK, &ending, nil)
        // Writing to a closed pipe or connection is an error code; SIGIO comes from a broken lease.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGIO, SIG_IGN)
        // So is a file that would grow past `ulimit -f`; by default it ends the process.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Blocks until SIGTERM or SIGINT arrives; its name.
    package static func waitForEnd() -> String {
        var ending = ends()
        var number: Int32 = 0
        while unsafe sigwait(&ending, &number) != 0 {}
        switch number {
        case SIGTERM: return "SIGTERM"
        case SIGINT: return "SIGINT"
        default: return "signal \(number)"
        }
    }

    /// A signal, as what it asks of the process.
    package enum Request: Hashable, Sendable {
        /// SIGTERM or SIGINT, by its name.
        case end(String)
        case hangUp
    }

    /// Blocks until SIGTERM, SIGINT or SIGHUP arrives, which `prepare` was told of.
    package static func waitForAny() -> Request {
        var all = ends()
        unsafe sigaddset(&all, SIGHUP)
        var number: Int32 = 0
        while unsafe sigwait(&all, &number) != 0 {}
        switch number {
        case SIGHUP: return .hangUp
        case SIGINT: return .end("SIGINT")
        default: return .end("SIGTERM")
        }
    }

    static func ends() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        return set
    }
}
