import Platform

/// Finds where lines begin in a file, from behind.
enum LineSearch {
    /// The end of the last newline before the physical offset `position`, or 0.
    static func lineStart(in file: SharedDescriptor, before position: Int) throws(SystemError)
        -> Int
    {
        var end = position
        while end > 0 {
            let start = max(0, end - (64 << 10))
            let bytes = try file.descriptor.read(count: end - start, at: start)
            if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) { return start + newline + 1 }
            end = start
        }
        return 0
    }
}
