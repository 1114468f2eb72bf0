import Model
import Platform

/// The newest file of a stream that was taken up: what is newer than it was not.
struct NewestTakenUp {
    var rotated: RotatedName?
    var isLive = false
    let modified: FileTime
    /// Where it is known.
    var birth: FileTime?

    func isBefore(_ name: RotatedName, _ candidate: Candidate) -> Bool {
        isBefore(name, Stranger(candidate))
    }

    func isBefore(_ name: RotatedName, _ stranger: Stranger) -> Bool {
        if isLive { return false }
        if let rotated, let isOlder = rotated.isOlder(than: name) {
            return isOlder || wasWrittenBefore(stranger)
        }
        // A compressor makes a new file of an old content.
        if !stranger.isPacked, let birth, let theirs = stranger.birth {
            // What was born with it in one tick of the kernel's clock is rather read than left.
            return birth <= theirs
        }
        return modified <= stranger.modified
    }

    /// Whether the files' times leave no doubt, whatever their names are taken for: what is newer
    /// than all that was read is not left out for a name.
    private func wasWrittenBefore(_ stranger: Stranger) -> Bool {
        guard modified < stranger.modified else { return false }
        if stranger.isPacked {
            // A time that its compressor took over from the content.
            return stranger.birth.map { stranger.modified < $0 } ?? false
        }
        guard let birth, let theirs = stranger.birth else { return true }
        // What was born with it in one tick of the kernel's clock is rather read than left.
        return birth <= theirs
    }
}

extension StreamTable {
    func newestTakenUp(_ look: StreamLook, _ strangers: Set<UInt64>) -> NewestTakenUp? {
        let stream = look.stream
        if let file = stream.files.last {
            var modified = file.changed
            do throws(SystemError) {
                if file.isOpen { modified = try file.opened().descriptor.status().modified }
            } catch {
                opener.tell(file.path, error)
            }
            return newestTakenUp(
                file.identity.inode, modified, file.identity.birthTime, look, strangers)
        }
        return stream.newest.map {
            newestTakenUp($0.inode, $0.modified, $0.birth, look, strangers)
        }
    }

    /// After a start: the file that was live when something was saved last.
    func newestTakenUp(
        _ look: StreamLook, _ saved: [SavedFile], at savedTime: FileTime, _ strangers: Set<UInt64>,
        live: FileID?
    ) -> NewestTakenUp? {
        let stream = look.stream
        let newest =
            saved.last { ExactText($0.path) == ExactText(stream.name) }
            ?? saved.max { $0.updated < $1.updated }
        guard let newest else { return nil }
        if newest.file == live { return NewestTakenUp(isLive: true, modified: savedTime) }
        let file = stream.files.first { $0.id == newest.file }
        return newestTakenUp(
            file?.identity.inode ?? newest.identity.inode, savedTime, newest.identity.birthTime,
            look, file == nil ? strangers : [])
    }

    /// A time, as the directory's files have it, that it was when an earlier run last saved
    /// anything of the stream, or before: what the agent's clock was then says nothing. Before
    /// anything is taken up.
    func time(of saved: [SavedFile], _ look: StreamLook)
        -> FileTime
    {
        var time = FileTime.min
        do throws(SystemError) {
            guard !saved.isEmpty else { return time }
            let device = try look.directory.descriptor.status().device
            for entry in saved where entry.identity.device == device {
                time = max(time, entry.identity.birthTime ?? .min)
                guard let name = look.names.name(of: entry.identity.inode) else { continue }
                let status = try look.directory.descriptor.status(of: name)
                // 1. A log was empty when that was saved, after it was copied and truncated.
                // 2. It is written to, copied and truncated again, and is as long as it was.
                if entry.size == .start, saved.count > 1 { continue }
                // What was read to its end and is as long as it was.
                if status.inode == entry.identity.inode, status.end == entry.size,
                    entry.position == entry.size,
                    opener.presence(entry.identity, name, look.directory.descriptor) == .there
                {
                    time = max(time, status.modified)
                }
            }
        } catch {
            // What was found out by then has to do: with less, more is read.
        }
        return time
    }

    func newestTakenUp(
        _ inode: UInt64, _ modified: FileTime, _ birth: FileTime?, _ look: StreamLook,
        _ strangers: Set<UInt64>
    ) -> NewestTakenUp {
        let stream = look.stream
        // The inode number of a file that is gone may be another one's by now.
        guard let name = look.names.name(of: inode), !strangers.contains(inode) else {
            return NewestTakenUp(modified: modified, birth: birth)
        }
        var found = modified
        do throws(SystemError) {
            found = try look.directory.descriptor.status(of: name).modified
        } catch {
            // It is gone by now: what was known of it has to do.
        }
        return NewestTakenUp(
            rotated: stream.rotated(name), isLive: name == stream.liveName,
            modified: found, birth: birth)
    }
}
