import Model
import Platform

/// Keeps what is held open for a stream within its share (`HeldShares`).
extension StreamTable {
    /// Archives of one stream that are taken up beyond its share of descriptors, closed: what is
    /// removed of them meanwhile is lost with a known range, and none waits for more than a look.
    private static let mostBeyondShare = 4

    /// Whether the stream has enough archives to be read for now, and others wait for these.
    func hasEnough(_ stream: LogStream) -> Bool {
        guard !opener.cache.holds.shares.hasRoom(stream.id) else { return false }
        return stream.files.count { $0.isFinal && !$0.isOpen && $0.name != nil }
            >= Self.mostBeyondShare
    }

    /// Streams that hold more than their share let go of some: what has a name is closed, and is
    /// lost only if it is removed before its turn; else the oldest is lost, and told.
    func keepShares() {
        while let (stream, pool) = opener.cache.holds.overdrawn() {
            if pool == .descriptors, closeNewest(of: stream) { continue }
            let oldest = stream.files.first {
                pool == .bytes ? $0.held.removed > 0 : $0.held.files > 0
            }
            // The shares count files of the stream's own list alone; if they did not, nothing could
            // be let go here.
            guard let oldest else { return }
            letGo(oldest, of: stream)
        }
    }

    /// Closes the last one of those whose names still lead to them: whoever rotates removes the
    /// oldest first.
    private func closeNewest(of stream: LogStream) -> Bool {
        for file in stream.files.reversed() where file.held.files > 0 && file.name != nil {
            guard let status = file.glance() else { continue }
            file.sawFromOutside(size: status.end)
            opener.cache.close(file)
            return true
        }
        return false
    }

    private func letGo(_ file: TailedFile, of stream: LogStream) {
        let status = status(of: file)
        if let status, file.packed == nil { file.sawFromOutside(size: status.end) }
        release(file, of: stream)
        agenda.wake(stream)
        // 1. A directory is swapped for a link, and what was read in it has no name for now.
        // 2. It is let go, and the directory is back: without its entry all would be sent again.
        //
        // What is unread of it is on the disk, and is told as lost when it goes: its end is noted.
        if let status, status.links > 0 {
            if let unread = unread(of: file) { output.grew(file.id, size: unread.end) }
            output.finished(file.id, end: file.position)
            output.unfollowed(file.id)
            return
        }
        awaitCopy(file, of: stream, unread: unread(of: file), reason: .heldLimit)
    }

    private func status(of file: TailedFile) -> FileStatus? {
        do throws(SystemError) {
            return try file.opened().descriptor.status()
        } catch {
            // What was seen of it last is what is told.
            opener.tell(file.path, error)
            return nil
        }
    }

    /// The range of a file that was seen and not read, as far as that is known.
    func unread(of file: TailedFile) -> ByteRange? {
        let end = file.written < file.size ? file.written : max(file.size, file.content.lastSize)
        return end > file.position ? ByteRange(start: file.position, end: end) : nil
    }

    /// After a look: closed files that are final and still unread are held as far as the stream's
    /// share allows, the oldest first; and those that were not found go, when they have not turned
    /// up in another directory for a while.
    func settleClosed(_ look: StreamLook) {
        let stream = look.stream
        var mayHold = true
        for file in stream.files where !file.isOpen {
            if file.name != nil {
                if file.isFinal, mayHold { mayHold = hold(file, of: stream) }
                continue
            }
            guard let since = file.miss(look.now) else { continue }
            if look.now - since >= patience {
                missing(file, of: stream)
            } else {
                agenda.retry(look.node)
            }
        }
    }

    private func hold(_ file: TailedFile, of stream: LogStream) -> Bool {
        guard opener.cache.holds.shares.hasRoom(stream.id), opener.cache.makeRoom() else {
            return false
        }
        do throws(SystemError) {
            // What it is instead, its turn finds out.
            guard case .open = try opener.reopen(file) else { return true }
            return true
        } catch {
            // Its turn tells why it cannot be opened.
            return false
        }
    }
}
