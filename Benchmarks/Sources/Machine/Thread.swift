internal import Glibc

/// A thread that works beside the main one.
package struct Thread: Sendable {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let handle: pthread_t

    /// Runs `body`; signals are the business of other threads.
    @discardableResult
    package static func start(_ body: @escaping @Sendable () -> Void) throws(MachineError) -> Thread
    {
        let context = unsafe Unmanaged.passRetained(Body(body))
        var handle = pthread_t()
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            errno = code
            throw MachineError("start", "a thread")
        }
        return Thread(handle: handle)
    }

    /// Waits for its end. Once.
    package func join() { pthread_join(handle, nil) }
}
