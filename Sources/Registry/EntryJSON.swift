import Model

/// A file as `shipper registry show --json` prints it; docs/registry-show.md says what the keys
/// mean, and they stay.
package struct EntryJSON: Sendable {
    private let entry: FileEntry
    private let size: Int
    private let state: String

    /// `size`: physical bytes now. `state`: what can be said of the file now.
    package init(_ entry: FileEntry, size: Int, state: String) {
        self.entry = entry
        self.size = size
        self.state = state
    }

    /// One object, without a line end.
    package var line: String {
        var bytes: [UInt8] = []
        func raw(_ text: String) { bytes += text.utf8 }
        func text(_ value: String) { LineWriter.quote(value, into: &bytes) }
        raw("{\"stream\":")
        text(entry.stream)
        raw(",\"path\":")
        text(entry.path)
        raw(",\"identity\":{\"device\":\"\(entry.identity.device)\"")
        raw(",\"inode\":\"\(entry.identity.inode)\"")
        raw(",\"birth\":" + (entry.identity.birth.map { String($0) } ?? "null"))
        raw(",\"handle\":")
        if let handle = entry.identity.handle {
            raw("\"")
            for byte in handle { LineWriter.hex(UInt64(byte), digits: 2, into: &bytes) }
            raw("\"")
        } else {
            raw("null")
        }
        raw("},\"generation\":\"")
        LineWriter.hex(entry.generation.value, digits: 16, into: &bytes)
        raw("\",\"base\":\(entry.base),\"offset\":\(entry.offset),\"size\":\(size)")
        raw(",\"lag_bytes\":\(entry.lag(size: size)),\"state\":\"\(state)\"")
        raw(",\"updated\":\"\(entry.updated)\"}")
        return String(decoding: bytes, as: UTF8.self)
    }
}
