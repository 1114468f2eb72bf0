import Model
import Platform

/// Earlier files of a log that are to be read and were not looked at yet, in their order. What
/// comes after them waits until the last of them is taken up, for the registry tells by what it has
/// of a stream which files are older than that. Lives on the reader thread.
struct EarlierFiles {
    /// The next one last: some hundred bytes for each; bounded by the directory.
    fileprivate(set) var rest: [RotatedFile]
    let rank: Rank
    /// The file that comes after them and that nobody else knows of: it had the stream's name when
    /// it was opened. It has none where it was removed before the directory was listed, or may lose
    /// it before its turn.
    let waiting: Candidate?
    /// Something came of one of them that the next listing shows: it is not found as it was.
    fileprivate var hasCome = false

    /// Where they stand in the stream's order.
    enum Rank {
        /// Before a file whose content is another one now: it is not read before they are.
        case before(TailedFile)
        /// Those that are newer than this come last, the others before what was last without them.
        case after(NewestTakenUp, last: TailedFile?)
    }

    /// `rotatedFiles` are in order, oldest first.
    init(_ rotatedFiles: [RotatedFile], _ rank: Rank, waiting: Candidate? = nil) {
        rest = rotatedFiles.reversed()
        self.rank = rank
        self.waiting = waiting
    }

    /// Whether a file is not to be read yet.
    func holdsUp(_ file: TailedFile) -> Bool {
        if case .before(let other) = rank { other === file } else { false }
    }
}

/// How many files come before the last ones of their streams, of one reader. Lives on its thread.
final class EarlierCount {
    /// Each stream keeps its part of it up to date (`LogStream.files`).
    var total = 0
}

extension StreamTable {
    /// Takes up what comes next of a stream's earlier files: as many as may be known at once, and
    /// as a slice is enough for. `fine` when none is left.
    func goOnWithEarlier(_ look: StreamLook) -> LookEnd {
        let stream = look.stream
        guard var earlier = stream.earlier else { return .fine }
        let end = takeUp(&earlier, look)
        stream.hasMoreRotated = !earlier.rest.isEmpty
        stream.earlier = earlier.rest.isEmpty ? nil : earlier
        if stream.earlier == nil, earlier.waiting != nil {
            takeUpWaiting(earlier, of: stream, list(look) ?? look.names, look.now)
        }
        agenda.wake(stream)
        // What is found as it was is found in a new listing, or there would be no end to it.
        return earlier.rest.isEmpty && !earlier.hasCome ? .again : end
    }

    /// A stream leaves its directory: what is open is read.
    func leaveEarlier(of stream: LogStream, _ now: MonotonicTime) {
        guard let earlier = stream.earlier else { return }
        stream.earlier = nil
        takeUpWaiting(earlier, of: stream, nil, now)
    }

    /// Takes up the file that comes after earlier files, where none of the directory's names leads
    /// to it: only this descriptor still has its bytes.
    private func takeUpWaiting(
        _ earlier: EarlierFiles, of stream: LogStream, _ names: DirectoryNames?,
        _ now: MonotonicTime
    ) {
        guard let waiting = earlier.waiting, names?.name(of: waiting.status.inode) == nil,
            case .opened(let file) = opener.takeUp(waiting)
        else { return }
        file.becomeNameless(now)
        stream.files.append(file)
    }

    private func takeUp(_ earlier: inout EarlierFiles, _ look: StreamLook) -> LookEnd {
        let stream = look.stream
        var pace = SurveyPace()
        pace.begin()
        let live = liveBeside(earlier.rank, look)
        var open = stream.files.count(where: \.isOpen)
        var look = look
        var isListed = false
        while let rotatedFile = earlier.rest.last {
            if !hasRoom(count(of: stream, before: earlier.rank)) { return .retry }
            if pace.isOver { return .underWay }
            guard opener.cache.makeRoom() else { return .retry }
            let name = look.names.name(of: rotatedFile.status.inode)
            let taken = name.flatMap {
                takeUp(rotatedFile, $0, earlier.rank, look, live)
            }
            if let taken {
                switch taken {
                case .ends(let end): return end
                case .done:
                    stream.obstacles.comeOn()
                    earlier.hasCome = true
                case .left: stream.obstacles.comeOn()
                // Of many that cannot be read none is waited for anew.
                case .passed: earlier.hasCome = true
                }
                // Whatever came of it, it is looked at anew if it turns up again.
                stream.strangers[LogStream.Stamp(rotatedFile.status)] = nil
                park(rotatedFile, of: stream, open: &open)
                earlier.rest.removeLast()
                pace.progress()
                continue
            }
            // It may have come after that listing.
            if !isListed {
                guard let listed = list(look) else { return .retry }
                look.names = listed
                isListed = true
                continue
            }
            let gone = gone(rotatedFile, among: earlier.rest, look)
            let isPacked = tellGone(gone, earlier, look)
            earlier.rest.removeAll { gone.inodes.contains($0.status.inode) }
            earlier.hasCome = true
            // What was made of them is found by another search, and has its turn in order. One that
            // was removed needs none.
            if isPacked { earlier.rest = [] }
            if isPacked { return .underWay }
        }
        return .fine
    }

    /// Parks a file that was taken up and waits, but for the oldest few: its name leads to it.
    private func park(_ rotatedFile: RotatedFile, of stream: LogStream, open: inout Int) {
        let key = InodeKey(rotatedFile.status)
        guard let file = opener.open[key], file.isOpen, file.stream === stream else { return }
        open += 1
        if open > mostAtOnce { opener.cache.close(file) }
    }

    private func list(_ look: StreamLook) -> DirectoryNames? {
        do throws(SystemError) {
            return DirectoryNames(try look.directory.descriptor.entries())
        } catch {
            opener.tell(look.node.text, error)
            return nil
        }
    }

    /// Whether a stream that has taken up `count` earlier files may take up one more. The stream
    /// that has most has at most as many as are left.
    private func hasRoom(_ count: Int) -> Bool {
        guard count < mostEarlier else { return false }
        return count < leastEarlier || count < mostEarlierOfAll - earlierFiles.total
    }

    /// Files that come before what waits for them, read or not.
    private func count(of stream: LogStream, before rank: EarlierFiles.Rank) -> Int {
        switch rank {
        case .before(let file):
            stream.files.lastIndex { $0 === file } ?? stream.files.count
        case .after: stream.files.count
        }
    }

    /// Opens the file that has the stream's name now: an earlier file may be a copy of that.
    private func liveBeside(_ rank: EarlierFiles.Rank, _ look: StreamLook) -> Candidate? {
        let stream = look.stream
        guard case .after = rank else { return nil }
        let request = FileOpener.Request(
            stream: stream, name: stream.liveName, path: stream.name, isArchived: false,
            mayBePacked: true)
        guard case .candidate(let live) = opener.examine(request, in: look.directory.descriptor)
        else { return nil }
        return live
    }

    /// The outcome of the turn of one of them.
    private enum Turn {
        /// There is nothing more to do about it.
        case done
        /// It is a copy of what comes after it, and is asked again with that.
        case left
        /// It cannot be read, and the stream goes on without it.
        case passed
        /// It waits, and what comes after it.
        case ends(LookEnd)
    }

    /// Takes up one of them, if it is still to be read; nil when it is gone and another file has
    /// its inode number.
    private func takeUp(
        _ rotatedFile: RotatedFile, _ name: [UInt8], _ rank: EarlierFiles.Rank,
        _ look: StreamLook, _ live: Candidate?
    ) -> Turn? {
        let stream = look.stream
        let inode = rotatedFile.status.inode
        let request = FileOpener.Request(
            stream: stream, name: name, path: look.node.text(of: name), isArchived: false,
            inode: inode, mayBePacked: true, mayBeginWithZeros: true, mayBeKnown: true)
        switch opener.examine(request, in: look.directory.descriptor) {
        case .candidate(let candidate):
            if let birth = rotatedFile.birth, let theirs = candidate.identity.birthTime,
                birth != theirs
            {
                return nil
            }
            opener.mended(request.path)
            // Writes into what is in the making are no events.
            if candidate.isInTheMaking { agenda.retry(look.node) }
            let known = knownFiles.file(candidate.identity, head: candidate.head)
            guard !candidate.isInTheMaking, candidate.status.size > 0,
                known.map({ opener.inheritance.awaitsTurn($0) && hasHead(candidate) }) ?? true
            else { return .done }
            return takeUp(candidate, rotatedFile, rank, look, live)
        case .failed(.missing):
            // It may just have been renamed. What is gone was never opened.
            let waits = waits(for: rotatedFile, name, rank, look, isRace: true)
            return waits ? .ends(.again) : .passed
        case .failed(.nothing(retry: true)):
            let waits = waits(for: rotatedFile, name, rank, look)
            return waits ? .ends(.retry) : .passed
        case .failed(.exhausted): return .ends(.retry)
        case .failed(.already), .failed(.nothing), .failed(.notTakenUp), .failed(.opened):
            // What is open here already, or refused, may be another file.
            return isAnother(rotatedFile, name, look) ? nil : .done
        }
    }

    /// One of them cannot be opened now. Where that is not waited for any more, it is still wanted:
    /// what the stream has taken up by the time it can be, or is gone, says nothing about it.
    private func waits(
        for rotatedFile: RotatedFile, _ name: [UInt8], _ rank: EarlierFiles.Rank,
        _ look: StreamLook, isRace: Bool = false
    ) -> Bool {
        let stream = look.stream
        let inode = rotatedFile.status.inode
        if waits(look, inode, name, status: rotatedFile.status, isRace: isRace) {
            return true
        }
        var newestTakenUp = NewestTakenUp(modified: .min)
        if case .after(let newest, _) = rank { newestTakenUp = newest }
        stream.obstacles.settle(inode, after: newestTakenUp)
        return false
    }

    private func takeUp(
        _ candidate: Candidate, _ rotatedFile: RotatedFile, _ rank: EarlierFiles.Rank,
        _ look: StreamLook, _ live: Candidate?
    ) -> Turn {
        let stream = look.stream
        let stamp = LogStream.Stamp(candidate.status)
        switch rank {
        case .before(let file):
            if isBeginning(candidate, of: file) {
                stream.freshCopies[stamp] = candidate.head
                return .left
            }
            stream.judged.insert(stamp)
            takeUp([candidate], look, before: file)
        case .after(let newestTakenUp, let last):
            let liveID = live.flatMap { knownFiles.file($0.identity, head: $0.head) }
            if isCopy(candidate, of: live, liveID) {
                stream.freshCopies[stamp] = candidate.head
                return .left
            }
            stream.judged.insert(stamp)
            if isCopyOfNewest(candidate, in: stream) { return .done }
            takeUp([candidate], look, newestTakenUp, last: last)
            // What is older than it is none of the stream's business, also when it is read.
            if newestTakenUp.isBefore(rotatedFile.rotated, candidate) {
                stream.newest = LogStream.Newest(
                    inode: candidate.status.inode, modified: candidate.status.modified,
                    birth: candidate.identity.birthTime)
            }
        }
        return .done
    }

    /// Whether a file, parked or not, begins with all that another one holds.
    func isBeginning(_ candidate: Candidate, of file: TailedFile) -> Bool {
        do throws(SystemError) {
            guard case .open = try opener.reopen(file) else { return false }
            return try candidate.isBeginning(of: file)
        } catch {
            opener.tell(file.path, error)
            return false
        }
    }
}
