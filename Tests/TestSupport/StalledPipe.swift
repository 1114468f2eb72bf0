internal import Glibc
internal import Platform

/// A named pipe that is read only when the test says so: what stands behind a standard error that nobody
/// reads. One thread.
package final class StalledPipe {
    package let path: String
    private let end: Descriptor

    /// `path` is made.
    package init(_ path: String) throws {
        self.path = path
        try makeFIFO(path)
        // Both ends, so that no writer ever finds it without a reader.
        end = try Descriptor.open(path, O_RDWR | O_NONBLOCK)
    }

    /// Writes until there is no room for one byte more.
    package func fill() throws {
        for block in [4096, 1] {
            let bytes = [UInt8](repeating: UInt8(ascii: "."), count: block)
            var isFull = false
            while !isFull {
                do throws(SystemError) {
                    try end.write(bytes)
                } catch {
                    guard error.code == .again else { throw error }
                    isFull = true
                }
            }
        }
    }

    /// What is in it, which it is not any more.
    package func drain() -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = end.withRawValue { unsafe read($0, &buffer, buffer.count) }
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += buffer[..<count]
        }
    }
}
