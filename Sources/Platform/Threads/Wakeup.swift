import CLinux
import Glibc

/// Lets one thread wait for events or time while any other may wake it. A wake that comes while
/// nobody waits is kept for the next wait.
package final class Wakeup: Sendable {
    private let descriptor: Descriptor

    /// Makes an eventfd(2), which closes with this.
    package init() throws(SystemError) {
        let number = clinux_eventfd()
        guard number >= 0 else { throw SystemError("eventfd", code: .last) }
        descriptor = Descriptor(owning: number)
    }

    /// Any thread.
    package func wake() {
        // The counter can only be full when a wake is already waiting: nothing is lost then.
        descriptor.withRawValue { _ = eventfd_write($0, 1) }
    }

    /// Waits until woken, until `other` can be read, or for `nanoseconds`; for ever when nil.
    package func wait(
        beside other: borrowing Descriptor, nanoseconds: Int64?
    ) {
        let first = descriptor.withRawValue { $0 }
        let second = other.withRawValue { $0 }
        var polled = [
            pollfd(fd: first, events: Int16(POLLIN), revents: 0),
            pollfd(fd: second, events: Int16(POLLIN), revents: 0),
        ]
        wait(&polled, nanoseconds)
    }

    /// Waits until woken, until what `other` shows has changed (poll(2), POLLPRI), or for
    /// `nanoseconds`. True where it has changed.
    func wait(besideChangeOf other: borrowing Descriptor, nanoseconds: Int64?) -> Bool {
        let first = descriptor.withRawValue { $0 }
        let second = other.withRawValue { $0 }
        var polled = [
            pollfd(fd: first, events: Int16(POLLIN), revents: 0),
            pollfd(fd: second, events: Int16(POLLPRI), revents: 0),
        ]
        wait(&polled, nanoseconds)
        return polled[1].revents != 0
    }

    /// Waits until woken or for `nanoseconds`; for ever when nil.
    package func wait(nanoseconds: Int64?) {
        var polled = [
            pollfd(fd: descriptor.withRawValue { $0 }, events: Int16(POLLIN), revents: 0)
        ]
        wait(&polled, nanoseconds)
    }

    private func wait(_ polled: inout [pollfd], _ nanoseconds: Int64?) {
        // An interrupted or failed wait is an early return: every caller looks again by itself.
        _ = unsafe clinux_poll(&polled, nfds_t(polled.count), nanoseconds.map { max(0, $0) } ?? -1)
        if polled[0].revents != 0 {
            var count: eventfd_t = 0
            descriptor.withRawValue { _ = unsafe eventfd_read($0, &count) }
        }
    }
}
