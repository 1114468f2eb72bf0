private import CZlib

/// Makes a gzip file (RFC 1952) of bytes that come piece by piece: one member, which zcat reads,
/// without a name and a time in its head. Memory: zlib's 256 KiB and 64 KiB of our own. One thread
/// at a time.
@safe package final class GzipWriter {
    private let stream: UnsafeMutablePointer<z_stream>
    private var output = [UInt8](repeating: 0, count: 64 << 10)
    /// Bytes that were taken.
    package private(set) var taken = 0

    /// As gzip(1) compresses unless it is told otherwise: better levels take twice the time for a
    /// hundredth of the size.
    private static let level: Int32 = 6

    /// Throws ENOMEM where zlib has no memory.
    package init() throws(SystemError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, and 16: a gzip header.
        let result = unsafe deflateInit2_(
            stream, Self.level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            unsafe stream.deallocate()
            throw SystemError("deflateInit2", code: .outOfMemory)
        }
    }

    deinit {
        unsafe _ = deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Appends to `file` what becomes of `bytes`.
    package func write(
        _ bytes: Span<UInt8>, to file: borrowing Descriptor
    ) throws(SystemError) {
        try deflate(bytes, Z_NO_FLUSH, to: file)
        taken += bytes.count
    }

    /// Appends what is left, and the checksum and the length of all that was taken.
    package func finish(to file: borrowing Descriptor) throws(SystemError) {
        let none: [UInt8] = []
        try deflate(none.span, Z_FINISH, to: file)
    }

    private func deflate(
        _ bytes: Span<UInt8>, _ flush: Int32, to file: borrowing Descriptor
    ) throws(SystemError) {
        var start = 0
        repeat {
            let room = output.count
            let rest = bytes.extracting(start..<bytes.count)
            let (result, left, produced) = unsafe rest.withUnsafeBufferPointer { source in
                unsafe output.withUnsafeMutableBufferPointer { target in
                    unsafe stream.pointee.next_in = UnsafeMutablePointer(
                        mutating: source.baseAddress)
                    unsafe stream.pointee.avail_in = UInt32(source.count)
                    unsafe stream.pointee.next_out = target.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(room)
                    let result = unsafe CZlib.deflate(stream, flush)
                    return unsafe (
                        result, Int(stream.pointee.avail_in),
                        room - Int(stream.pointee.avail_out)
                    )
                }
            }
            guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                throw SystemError("deflate", code: .invalid)
            }
            start = bytes.count - left
            let made = output
            var written = 0
            try file.write(made.span.extracting(0..<produced), progress: &written)
            // Whatever did not fill the room was all that there was to be had.
            if produced < room { return }
        } while true
    }
}
