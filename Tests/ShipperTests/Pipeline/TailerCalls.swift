import Model
import TestSupport

@testable import Shipper
@testable import Tailer

/// A file as the Tailer opens it, by default one of an s6 log directory.
func sighting(
    _ path: String, inode: UInt64 = 1, head: String, size: PhysicalOffset? = nil,
    archived: Bool = false, firstScan: Bool = true, isS6: Bool = true
) -> FileSighting {
    FileSighting(
        input: 0, stream: StreamID(number: 1), streamName: "/log", isS6: isS6, path: path,
        captures: [:],
        identity: FileIdentity(handle: nil, device: 1, inode: inode, birth: 5),
        head: Array(head.utf8), begin: Array(head.utf8),
        size: size ?? PhysicalOffset(head.utf8.count),
        archived: archived, firstScan: firstScan)
}

/// Hands `text`, whole lines, over from `offset` on, as the last that there is to read for now, unless
/// `more` is; the bytes taken.
func take(
    _ output: ReaderOutput, _ file: FileID, _ text: String, at offset: Int, more: Bool = false
) -> Int {
    let bytes = Array(text.utf8)
    defer { if !more { output.sendTaken() } }
    return output.take(file, bytes.span, Frame.lines(of: bytes, at: at(offset)))
}

/// 1. `previous` is read to its end and closed; the broker does not answer, so nothing of it is
///    acknowledged and the saved position is 0.
/// 2. s6-log links `previous` to `@….s` and removes the old name.
