internal import CTestSupport
internal import Glibc
internal import Platform
internal import Synchronization

/// Both ends of a new pipe, to be owned at once.
func makePipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard unsafe ctest_pipe(&ends) == 0 else { throw SystemError("pipe2", code: .last) }
    return (ends[0], ends[1])
}

/// The end of a pipe that this process writes to. Any thread may close it; a write under way then
/// ends with EPIPE within a tenth of a second.
final class Feed: Sendable {
    /// -1 once it is closed.
    private let number: Mutex<Int32>

    init(owning descriptor: Int32) {
        // Not blocking, so that close() can take it away from a write that waits.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        number = Mutex(descriptor)
    }

    deinit { close() }

    var isOpen: Bool { number.withLock { $0 >= 0 } }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let (written, code) = number.withLock { number -> (Int, Errno) in
                guard number >= 0 else { return (-1, .brokenPipe) }
                let count = unsafe bytes.withUnsafeBytes { raw in
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: raw[done...])
                    return unsafe Glibc.write(number, rest.baseAddress, rest.count)
                }
                return (count, .last)
            }
            if written >= 0 {
                done += written
            } else if code == .again {
                waitUntilWritable()
            } else if code != .interrupted {
                throw SystemError("write to a pipe", code: code)
            }
        }
    }

    func close() {
        number.withLock { number in
            if number >= 0 { _ = Glibc.close(number) }
            number = -1
        }
    }

    private func waitUntilWritable() {
        // Outside the lock, on a descriptor of its own, so that close() never waits.
        let copy = number.withLock { $0 < 0 ? -1 : fcntl($0, F_DUPFD_CLOEXEC, 3) }
        guard copy >= 0 else { return }
        _ = ctest_wait_writable(copy, 100)
        _ = Glibc.close(copy)
    }
}

/// Reads the end of a pipe on a thread of its own and keeps what comes.
final class Collector: Sendable {
    private let bytes = Bytes()
    private let thread: SystemThread

    private final class Bytes: Sendable {
        let value = Mutex<[UInt8]>([])
    }

    init(owning descriptor: Int32) throws(SystemError) {
        let bytes = bytes
        thread = try SystemThread("test-output") {
            let pipe = Descriptor(owning: descriptor)
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = pipe.withRawValue { unsafe read($0, &buffer, buffer.count) }
                if count > 0 { bytes.value.withLock { $0 += buffer[..<count] } }
                if count == 0 || (count < 0 && errno != EINTR) { return }
            }
        }
    }

    /// Waits until every writer has closed the pipe.
    func join() { thread.join() }

    var text: String { bytes.value.withLock { String(decoding: $0, as: UTF8.self) } }
}
