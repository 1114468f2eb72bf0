private import CZlib

/// The content of a gzip file as if it were a plain one: bytes by their offset, read forward. Members
/// that follow each other are one content, as gunzip(1) has it. One thread at a time.
///
/// What one asks for is kept until one asks for what lies behind, so the same offset can be read again.
/// Memory: about 110 KB and what the largest read wants.
@safe package final class GzipReader {
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8]
    private var inputStart = 0
    private var inputEnd = 0
    /// Where the next compressed bytes are read.
    private var inputOffset = 0
    private var produced: [UInt8]
    /// Offset in the content of `produced[0]`, and how many bytes of it there are.
    private var producedStart = 0
    private var producedCount = 0
    private var isInMember = true
    /// What the trailer says of the content's size, modulo 4 GiB and of the last member only.
    private let announced: Int
    /// Every byte was produced.
    package private(set) var isAtEnd = false
    /// What is wrong with the compressed bytes, once it was met; the content ends there.
    package private(set) var fault: String?

    private static let chunk = 64 * 1024

    /// Whether these first bytes of a file are those of a gzip file.
    package static func isGzip(_ head: [UInt8]) -> Bool {
        head.count >= 3 && head[0] == 0x1F && head[1] == 0x8B && head[2] == 8
    }

    /// A reader of `file`, which holds `size` bytes now; the same file is handed to every call.
    package init(_ file: borrowing Descriptor, size: Int) throws(SystemError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        input = [UInt8](repeating: 0, count: Self.chunk)
        produced = [UInt8](repeating: 0, count: Self.chunk)
        var trailer: [UInt8] = []
        do {
            trailer = try file.read(count: 4, at: max(0, size - 4))
        } catch {
            unsafe stream.deallocate()
            throw error
        }
        var announced = 0
        for (index, byte) in trailer.enumerated() { announced |= Int(byte) << (8 * index) }
        self.announced = announced
        // 15 bits of window, and 16: a gzip header.
        let result = unsafe inflateInit2_(
            stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            unsafe stream.deallocate()
            throw SystemError("inflateInit2", code: .outOfMemory)
        }
    }

    deinit {
        unsafe _ = inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Bytes of the content: what the trailer says and, where more was found, at least that; exact
    /// once `isAtEnd`.
    package var size: Int {
        let end = producedStart + producedCount
        return isAtEnd ? end : max(announced, end + 1)
    }

    /// Goes on until the content is produced up to `offset`, by at most `budget` bytes. False when that
    /// was not enough: to be called again.
    package func advance(
        to offset: Int, budget: Int, in file: borrowing Descriptor
    ) throws(SystemError) -> Bool {
        if offset < producedStart { rewind() }
        let begin = producedStart + producedCount
        while !isAtEnd, producedStart + producedCount < offset {
            if producedStart + producedCount - begin >= budget { return false }
            drop(before: producedStart + producedCount)
            try produce(in: file)
        }
        return true
    }

    /// At most `bytes.count` bytes of the content from `offset`; fewer only where it ends. 0 at its end.
    package func read(
        into bytes: inout [UInt8], at offset: Int, in file: borrowing Descriptor
    ) throws(SystemError) -> Int {
        guard offset >= 0 else { return 0 }
        while try !advance(to: offset, budget: .max, in: file) {}
        drop(before: offset)
        while !isAtEnd, producedStart + producedCount < offset + bytes.count {
            try produce(in: file)
        }
        let start = offset - producedStart
        guard start < producedCount else { return 0 }
        let count = min(bytes.count, producedCount - start)
        for index in 0..<count { bytes[index] = produced[start + index] }
        return count
    }

    private func drop(before offset: Int) {
        let gone = min(producedCount, offset - producedStart)
        guard gone > 0 else { return }
        for index in gone..<producedCount { produced[index - gone] = produced[index] }
        producedStart += gone
        producedCount -= gone
    }

    private func rewind() {
        unsafe _ = inflateReset(stream)
        inputStart = 0
        inputEnd = 0
        inputOffset = 0
        producedStart = 0
        producedCount = 0
        isInMember = true
        isAtEnd = false
        fault = nil
    }

    /// Whether there is more input.
    private func hasInput(_ file: borrowing Descriptor) throws(SystemError) -> Bool {
        guard inputStart == inputEnd else { return true }
        inputStart = 0
        inputEnd = try file.read(into: &input, at: inputOffset)
        inputOffset += inputEnd
        return inputEnd > 0
    }

    /// A little more content, and whether that was all.
    private func produce(in file: borrowing Descriptor) throws(SystemError) {
        guard try hasInput(file) else {
            if isInMember { fault = "it ends in the middle" }
            isAtEnd = true
            return
        }
        if !isInMember {
            unsafe _ = inflateReset(stream)
            isInMember = true
        }
        if producedCount + Self.chunk > produced.count {
            produced.append(contentsOf: repeatElement(0, count: produced.count))
        }
        let from = inputStart
        let available = inputEnd - inputStart
        let place = producedCount
        let room = produced.count - producedCount
        var left: (input: Int, output: Int) = (0, 0)
        let result = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe produced.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = source.baseAddress?.advanced(by: from)
                unsafe stream.pointee.avail_in = UInt32(available)
                unsafe stream.pointee.next_out = target.baseAddress?.advanced(by: place)
                unsafe stream.pointee.avail_out = UInt32(room)
                let result = unsafe inflate(stream, Z_NO_FLUSH)
                left = unsafe (Int(stream.pointee.avail_in), Int(stream.pointee.avail_out))
                return result
            }
        }
        inputStart += available - left.input
        producedCount += room - left.output
        switch result {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END:
            isInMember = false
            // After a member comes another one, or padding that means nothing (gzip(1)).
            let hasMore = try hasInput(file) && input[inputStart] == 0x1F
            isAtEnd = !hasMore
        default:
            fault = "its compressed bytes are damaged before byte \(inputOffset)"
            isAtEnd = true
        }
    }
}
