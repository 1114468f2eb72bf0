import Model
import Platform
import Tailer

/// Finds where lines begin in a file, from behind.
enum LineSearch {
    /// The end of the last newline before `position`, or the first byte.
    static func lineStart(
        in file: SharedDescriptor, before position: PhysicalOffset
    ) throws(SystemError) -> PhysicalOffset {
        var end = position
        while end > .start {
            let start = max(.start, end - (64 << 10))
            let bytes = try file.descriptor.read(count: end - start, at: start)
            if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) { return start + newline + 1 }
            end = start
        }
        return .start
    }
}
