import Model
import Platform

extension LogStream {
    /// Its one file, where a single call tells that it is, byte for byte, what it was when it was
    /// read to its end. A turn would find nothing to do and change nothing: of files that are
    /// written to now and then most are like that at most sweeps.
    ///
    /// Wherever more than the size and the change time would have to be asked, there is none, and
    /// a turn finds out the rest: so does one where the call fails, which says why.
    func asItWasRead(_ table: StreamTable) -> TailedFile? {
        guard files.count == 1, let file = live, file.phase == .live, earlier == nil,
            file.isReadToEnd, file.isProvenIntact(in: self), !table.hasSettled(self),
            let status = try? file.opened().descriptor.status(),
            status.size == file.diskSize, status.changed == file.changed
        else { return nil }
        return file
    }
}

extension TailedFile {
    /// All that is known of its content was taken, but for the beginning of a line, and nothing
    /// else is to be found out about it.
    fileprivate var isReadToEnd: Bool {
        isOpen && state.isUntroubled && !needsLooks && packed == nil && content.unreadable == nil
            && (position >= end || continuesToWait)
            && headLength >= min(Fingerprint.longest, physicalPosition.bytes)
    }
}
