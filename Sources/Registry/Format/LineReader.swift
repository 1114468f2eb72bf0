import Platform

/// Cuts a file into lines while it is read once from front to back, in constant memory.
enum LineReader {
    /// Bytes of one read, and the longest line: the longest that is written is an entry whose path,
    /// stream and input are all escapes, well below it.
    static let longestLine = 1 << 20

    /// The bytes after the last newline.
    struct End {
        /// Where the last whole line ends.
        let position: Int
        /// Bytes after it: the line that was being written when the writer died.
        let torn: Int
    }

    /// Calls `body` for each whole line among the first `size` bytes with its position in the file:
    /// a range of the buffer without the newline, or nil for a line that is too long to be one.
    static func forEachLine(
        of file: borrowing Descriptor, size: Int,
        _ body: (_ buffer: [UInt8], _ line: Range<Int>?, _ position: Int) throws(RegistryError) ->
            Void
    ) throws(LoadFault) -> End {
        var buffer = [UInt8](repeating: 0, count: max(1, min(longestLine, size)))
        /// Bytes of the buffer that count, and the position of the buffer's first one.
        var filled = 0
        var origin = 0
        /// Where a line began that the buffer could not hold.
        var tooLong: Int?
        while origin + filled < size {
            let got: Int
            do {
                got = try file.read(into: &buffer, from: filled, at: origin + filled)
            } catch {
                throw .unreadable(position: tooLong ?? origin, error)
            }
            if got == 0 { break }
            let searched = filled
            filled += min(got, size - origin - filled)
            var start = 0
            var next = searched
            while let newline = buffer[next..<filled].firstIndex(of: 0x0A) {
                do {
                    if let began = tooLong {
                        try body(buffer, nil, began)
                        tooLong = nil
                    } else {
                        try body(buffer, start..<newline, origin + start)
                    }
                } catch {
                    throw .stopped(error)
                }
                start = newline + 1
                next = start
            }
            if start == 0 && filled == buffer.count {
                tooLong = tooLong ?? origin
                start = filled
            }
            for index in start..<filled { buffer[index - start] = buffer[index] }
            origin += start
            filled -= start
        }
        let end = tooLong ?? origin
        return End(position: end, torn: origin + filled - end)
    }

    /// Why the lines end before the file does.
    enum LoadFault: Error {
        /// The file system gave an error; what comes after `position` is out of reach.
        case unreadable(position: Int, SystemError)
        /// `body` threw.
        case stopped(RegistryError)
    }
}
