import Synchronization

/// Calls that may hang with a file system for as long as its server is gone: on a thread that is
/// left to itself then. For programs that end soon.
package enum PatientCall {
    /// How long nothing may come of it, nanoseconds: `Readers` takes a file system for silent after
    /// as long.
    package static let patience: Int64 = 5_000_000_000

    private struct State<R: Sendable>: Sendable {
        var result: R?
        var hasMoved = false
    }

    private final class Box<R: Sendable>: Sendable {
        let state = Mutex(State<R>())
    }

    /// Runs `body` on a thread of its own and returns its result; nil where for `patience` it
    /// neither ended nor called the closure that it is handed.
    package static func run<R: Sendable>(
        patience: Int64 = patience,
        _ body: @escaping @Sendable (_ goesOn: @escaping @Sendable () -> Void) -> R
    ) throws(SystemError) -> R? {
        let (box, wakeup) = (Box<R>(), try Wakeup())
        let thread = try SystemThread("patient") {
            let result = body { box.state.withLock { $0.hasMoved = true } }
            box.state.withLock { $0.result = result }
            wakeup.wake()
        }
        while true {
            wakeup.wait(nanoseconds: patience)
            let (result, hasMoved) = box.state.withLock { state in
                defer { state.hasMoved = false }
                return (state.result, state.hasMoved)
            }
            if let result {
                thread.join()
                return result
            }
            guard hasMoved else {
                thread.detach()
                return nil
            }
        }
    }
}
