internal import Glibc
package import Platform

/// A pipe, a socket or a terminal whose other end is read only when the test says so. One thread.
package final class ReadLater {
    package enum Kind: Sendable { case pipe, socket, terminal }

    private var reading: Descriptor?
    private let writing: Descriptor

    package init(_ kind: Kind) throws(SystemError) {
        // As in the agent: a reader that is gone is an error code.
        signal(SIGPIPE, SIG_IGN)
        var numbers: [Int32] = [-1, -1]
        switch kind {
        case .pipe:
            let ends = try makePipe()
            numbers = [ends.reading, ends.writing]
        case .socket:
            guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0 else {
                throw SystemError("socketpair", code: .last)
            }
        case .terminal:
            var raw = termios()
            unsafe cfmakeraw(&raw)
            var (master, slave): (Int32, Int32) = (-1, -1)
            guard unsafe openpty(&master, &slave, nil, &raw, nil) == 0 else {
                throw SystemError("openpty", code: .last)
            }
            numbers = [master, slave]
        }
        _ = fcntl(numbers[0], F_SETFL, O_NONBLOCK)
        reading = Descriptor(owning: numbers[0])
        writing = Descriptor(owning: numbers[1])
    }

    /// A second descriptor of the end that is written to.
    package func writer() throws(SystemError) -> Descriptor { try writing.duplicate() }

    /// Whether who writes waits for room.
    package var isBlocking: Bool {
        writing.withRawValue { fcntl($0, F_GETFL) } & O_NONBLOCK == 0
    }

    /// What is in it, which it is not any more.
    package func read() -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while let number = reading?.withRawValue({ $0 }) {
            let count = unsafe Glibc.read(number, &buffer, buffer.count)
            guard count > 0 else { break }
            all += buffer[..<count]
        }
        return all
    }

    package func closeReader() { reading = nil }
}
