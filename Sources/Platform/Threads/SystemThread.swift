import CLinux
import Glibc
import Synchronization

/// A thread of the data path, outside Swift's cooperative pool, with a name that `top -H` shows.
/// Whoever started it joins it once.
package final class SystemThread: Sendable {
    private let handle: Mutex<pthread_t?>

    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts `body` on a new thread; `name` is cut to the kernel's 15 bytes. All signals are
    /// blocked there: the main thread takes them.
    package init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = Start(name: name, body: body)
        let context = unsafe Unmanaged.passRetained(start)
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                unsafe clinux_name_thread(start.name)
                start.body()
                return nil
            }, context.toOpaque())
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            unsafe context.release()
            throw SystemError("pthread_create", code: Errno(code))
        }
        handle = Mutex(thread)
    }

    /// Waits until the thread has ended. A second call returns at once.
    package func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_join(thread, nil) }
    }

    /// As `join`, for `nanoseconds` at most. False where the thread has not ended: it hangs in the
    /// kernel, and is left to itself.
    package func join(within nanoseconds: Int64) -> Bool {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        guard let thread else { return true }
        let until = Clock.monotonicNanoseconds().addingReportingOverflow(max(0, nanoseconds))
        if clinux_join(thread, until.overflow ? .max : until.partialValue) == 0 { return true }
        pthread_detach(thread)
        return false
    }

    /// The thread is left to itself: nobody joins it.
    package func detach() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_detach(thread) }
    }
}
