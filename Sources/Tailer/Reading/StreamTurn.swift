import Model
import Platform

/// One turn of one stream: at most one chunk of its oldest file that has bytes.
struct StreamTurn {
    let stream: LogStream
    let output: any TailerOutput
    var knownFiles: any KnownFiles { output.knownFiles }
    let opener: FileOpener
    let table: StreamTable
    let buffer: ChunkBuffer
    let framer: LineFramer
    /// How long a file whose writers cannot be seen is kept for late writes, nanoseconds.
    let drain: Int64
    /// How long a parked file that lost its name is waited for to turn up elsewhere, nanoseconds.
    let patience: Int64
    let once: Bool
    /// Whether the stream's directory is to be looked at for what has happened up to now.
    let hasNews: () -> Bool

    /// The end of a turn, which says whether the stream gets another one.
    enum TurnEnd {
        /// Bytes were handed over or a file was finished; there may be more.
        case moved
        /// Bytes were handed over, all that the live file had at this turn.
        case caughtUp
        /// There are bytes, and no room for them.
        case noRoom
        /// Nothing to read now.
        case atEnd
        /// There are bytes that can never be handed over; reported. What is newer must not pass
        /// them.
        case stuck
        /// A parked file is not where it was: the stream's directory has to be looked at before
        /// what is newer is read.
        case outdated
        /// A compressed file waits until others are read; or one is lent (`FileLender`).
        case waits
        /// Something happened in the stream's directory that is looked at first.
        case news
    }

    func run(_ now: MonotonicTime, _ frames: inout [Frame]) -> TurnEnd {
        // An older file that is read to its present end and may still grow does not hold up the
        // next one: its writer writes late, into a file that was rotated away.
        defer { opener.cache.current = nil }
        var proofs = Proofs(of: stream, once: once)
        for (index, file) in stream.files.enumerated() {
            if proofs.passes(file, index, of: stream, now) { continue }
            let wasParked = !file.isOpen
            do {
                let result = try read(file, now, &frames)
                file.wasRead()
                switch result {
                case .moved, .caughtUp:
                    opener.mended(file.path)
                    return result
                case .noRoom: return .noRoom
                case .stuck: return .stuck
                case .outdated: return .outdated
                case .waits: return .waits
                case .news: return .news
                case .atEnd:
                    // Nobody else is to have made room for it.
                    if proofs.areMany, wasParked, file.isAtRest { opener.cache.close(file) }
                }
            } catch {
                let isAtRest = file.isAtRest
                if isAtRest { file.proofFailed(now, isBlind: false) }
                // What is newer must not come first only because there is no descriptor now. Of a
                // file at rest nothing is known to come.
                opener.tell(file.path, error)
                if error.isExhaustion, !isAtRest { return .atEnd }
                if holdsUp(file, now) { return .atEnd }
            }
        }
        if table.hasSettled(stream) { return .outdated }
        return .atEnd
    }

    /// Which files that are at rest one turn leaves alone.
    private struct Proofs {
        /// There are more of them than are asked with each turn.
        let areMany: Bool
        private let first: Int
        private var left = EndProof.mostInTurn

        init(of stream: LogStream, once: Bool) {
            areMany =
                !once && stream.files.count > EndProof.fewFiles
                && stream.files.count(where: \.isAtRest) > EndProof.fewFiles
            first = stream.nextProof
            stream.nextProof = 0
        }

        mutating func passes(
            _ file: TailedFile, _ index: Int, of stream: LogStream, _ now: MonotonicTime
        ) -> Bool {
            guard areMany, file.isAtRest, let draining = file.state.draining else { return false }
            guard left > 0, index >= first, draining.proof.isDue(now) else { return true }
            left -= 1
            if left == 0 { stream.nextProof = index + 1 }
            return false
        }
    }

    /// A file cannot be read now. Whether what is newer waits for it: for a while, where it has
    /// unread bytes. Where it has no name any more by then, nobody will read those.
    private func holdsUp(_ file: TailedFile, _ now: MonotonicTime) -> Bool {
        let since = file.failed(now)
        let isNewest = file === stream.files.last
        let isRead = file.position >= file.size && !file.isReplaced
        if now - since < Obstacles.mostPatience, !once { return !isNewest && !isRead }
        if file.passOver(now), !isNewest, !isRead {
            output.report(.passedOver(path: file.path))
        }
        if file.name == nil, file.isRemoved, !once { table.removed(file, of: stream) }
        return false
    }

    private func read(
        _ file: TailedFile, _ now: MonotonicTime, _ frames: inout [Frame]
    ) throws(SystemError) -> TurnEnd {
        // What comes before it is taken up by looks at its directory.
        if waitsForLook, stream.earlier?.holdsUp(file) ?? false { return .outdated }
        // Until its directory was looked at for what it held.
        if file.isReplaced, waitsForLook {
            return file.isPassedOver && file !== stream.files.last ? .atEnd : .outdated
        }
        // What is newer waits, too.
        if file.isLent { return .waits }
        if file.isOpen {
            opener.cache.use(file)
        } else if let result = try unpark(file, now) {
            return result
        }
        opener.cache.current = file
        if file.isReplaced { opener.restart(file, try opener.fresh(file, of: stream)) }
        let isLookedAt = file.position >= file.end || file.continuesToWait || file.hasOldSize
        if isLookedAt {
            try look(at: file, now)
            if file.isInDoubt { return .atEnd }
            // The watch that told of it is gone, and no other event may come.
            if file.isReplaced { return .outdated }
        }
        file.passWhatIsElsewhere()
        if file.position < file.end, !file.continuesToWait {
            let result = try hand(file, now, &frames)
            return result == .moved && isLookedAt && hasCaughtUp(with: file) ? .caughtUp : result
        }
        return try settle(file, now)
    }

    /// Whether there is nothing to do for the stream before its live file grows, or something
    /// happens in its directory.
    private func hasCaughtUp(with file: TailedFile) -> Bool {
        !once && stream.files.count == 1 && file === stream.live && file.packed == nil
            && file.position >= file.size && !file.isReplaced && !table.hasSettled(stream)
    }

    /// Opens a parked file if there is anything to do; otherwise what its turn comes to.
    private func unpark(_ file: TailedFile, _ now: MonotonicTime) throws(SystemError) -> TurnEnd? {
        let hasUnread = file.position < file.end && !file.continuesToWait
        if hasUnread {
            guard output.hasRoom(stream.id) else { return .noRoom }
        } else if !file.isFinal, !file.needsLooks, !mayBeProven(file, now), file.isUnchanged {
            return .atEnd
        }
        switch try opener.reopen(file) {
        case .open:
            opener.mended(file.path)
            return nil
        case .lent: return .waits
        case .outdated: return .outdated
        case .replaced:
            table.removed(file, of: stream)
            return .outdated
        case .takenOver:
            table.release(file, of: stream)
            return .moved
        case .missing:
            // It may have been moved to a directory that is scanned later.
            let since = file.miss(now) ?? now
            guard once || now - since >= patience else { return .atEnd }
            table.missing(file, of: stream)
            return .moved
        }
    }

    /// Whether there may be a proof that nobody writes to a file any more, if it is opened and
    /// asked.
    private func mayBeProven(_ file: TailedFile, _ now: MonotonicTime) -> Bool {
        guard let draining = file.state.draining else { return false }
        return !draining.proof.isBlind || now - draining.since >= drain
    }

    /// Brings the size up to date, and sees a truncation.
    private func look(at file: TailedFile, _ now: MonotonicTime) throws(SystemError) {
        let descriptor = try file.opened()
        let status = try descriptor.descriptor.status()
        file.sawSize()
        file.look(saw: status.changed)
        if let packed = file.packed {
            if packed.look(size: status.size) {
                file.sawDisk(size: status.size)
                file.saw(modified: status.modified)
            } else {
                try replaced(file, now)
            }
            return
        }
        let size = file.base.logical(status.end)
        if status.isTooLarge, file.becomeTooLarge() {
            // What it has within the bound is read; behind that a hole has no end to wait for.
            output.report(.refused(path: file.path, reason: FileOpener.tooLarge))
        }
        if size < file.position || size < file.size {
            // Shorter than it was: what is before the position may be there all the same.
            try replaced(file, now)
            return
        }
        // 1. A file is read to its end. More is written and not seen, it is truncated, and refilled
        //    to the very size that it had.
        // 2. Neither a size nor a read of new bytes, with the anchor before them, would ever tell.
        if size == file.size, !file.isProvenIntact(in: stream) {
            let isIntact =
                file.isUntouched
                ? try file.isIntact(size: status.end) : try file.isWhatWasRead(size: status.end)
            guard isIntact else {
                try replaced(file, now)
                return
            }
            file.provedIntact(now)
        }
        file.trust()
        file.saw(modified: status.modified)
        if file.waitsForMore, file.isFilled, try isFilledOn(file) { file.lookAgain() }
        if size > file.size {
            file.grew(to: size)
            file.sawWriting(now)
            if file.held.removed > 0 { opener.cache.holds.update(file) }
            output.grew(file.id, size: size)
            if file.headLength < Fingerprint.longest, !(try growHead(of: file)) {
                try replaced(file, now)
            }
        } else if file.headLength < min(Fingerprint.longest, file.physicalPosition.bytes) {
            _ = try growHead(of: file)
        }
    }

    /// More of a file's first bytes is known from now on. False where they are another content's.
    ///
    /// 1. A log was truncated, and was empty. Now it has a line, and that is not read yet.
    /// 2. It is copied, truncated and filled again. What is read next is no more what was seen.
    private func growHead(of file: TailedFile) throws(SystemError) -> Bool {
        var head = try file.opened().descriptor.read(count: Fingerprint.longest, at: 0)
        if file.isAtStart {
            guard head.starts(with: file.expectedHead) else { return false }
            file.expect(FileSighting.written(head))
        }
        // What was read is known, whatever it is.
        let read = min(head.count, file.physicalPosition.bytes)
        head = head[..<read] + FileSighting.written(Array(head[read...]))
        if file.headLength == 0 || knownFiles.content(of: file.id, beginsAs: head) {
            output.headGrew(file.id, head: head)
        } else if !file.isAtStart, try file.isIntact() {
            // Of an unfinished line that is in the fingerprint something else became.
            output.headChanged(file.id, head: head)
        }
        file.headGrew(to: head.count)
        return true
    }

    /// The bytes before the position are not what they were, or it is shorter.
    ///
    /// What an ordinary log held may be in a copy beside it, which a look at its directory finds.
    /// Where there is none to be looked for, it is read from its first byte at once.
    private func replaced(_ file: TailedFile, _ now: MonotonicTime) throws(SystemError) {
        buffer.forget()
        if file.isSupposed { return try opener.disinherit(file, of: stream) }
        if try goesOn(file, now) { return }
        if waitsForLook {
            file.becomeReplaced()
        } else {
            file.forgetUnprovenGrowth()
            opener.restart(file, try opener.fresh(file, of: stream))
        }
    }

    /// The same in the middle of a turn, which ends with that.
    private func beginAnew(_ file: TailedFile, _ now: MonotonicTime) throws(SystemError) -> TurnEnd
    {
        try replaced(file, now)
        if file.isInDoubt { return .atEnd }
        return file.isReplaced ? .outdated : .moved
    }

    /// Whether the file's content is the one that was read, or most of it, or may yet turn out to
    /// be.
    private func goesOn(_ file: TailedFile, _ now: MonotonicTime) throws(SystemError) -> Bool {
        let size = try file.opened().descriptor.status().end
        switch try file.resumption(size: size) {
        case .intact:
            file.trust()
            guard file.base.logical(size) < file.size else { return true }
            // What was seen and not looked at may have been lines.
            if !file.waitsForMore, file.written > file.base.logical(size) {
                output.report(
                    .lost(
                        path: file.path,
                        range: ByteRange(start: file.base.logical(size), end: file.written),
                        reason: .truncated))
            }
            file.cut(to: size)
            output.grew(file.id, size: file.size)
            if size.bytes < Fingerprint.longest { _ = try growHead(of: file) }
            return true
        case .rewritten(let place, let anchor):
            _ = file.doubt(from: now)
            let fresh = try opener.fresh(file, of: stream)
            // What is on its way has to be delivered first: it is not in the file any more.
            if let start = output.rewound(file.id, fresh.sighting, to: place, anchor: anchor) {
                file.trust()
                output.report(.rewritten(path: file.path, offset: place))
                file.rewind(to: start, anchor, fresh)
            }
            return true
        case .undecided:
            return file.doubt(from: now).map { now - $0 < Self.mostDoubt } ?? false
        case .replaced:
            return false
        }
    }

    /// How long a writer that has overwritten the end of its log may take to end it again,
    /// nanoseconds.
    private static let mostDoubt: Int64 = 1_000_000_000

    private var waitsForLook: Bool { stream.kind == .path && stream.node != nil }

    private func hand(
        _ file: TailedFile, _ now: MonotonicTime, _ frames: inout [Frame]
    ) throws(SystemError) -> TurnEnd {
        guard output.hasRoom(stream.id) else {
            // It may be another content by the time there is: what it had grown to is to be known
            // by then.
            guard file.content.hasUnprovenGrowth else { return .noRoom }
            guard try file.isIntact() else { return try beginAnew(file, now) }
            file.sawIntact()
            return .noRoom
        }
        if let wait = file.content.firstLineWait, let node = stream.node, wait.stands(in: node, now)
        {
            return .news
        }
        guard opener.unpacking.admit(file, now) else { return .waits }
        for refill in [false, true] {
            switch try buffer.load(file, refill: refill, limit: file.content.readLimit) {
            case .done: break
            case .underWay: return .moved
            case .endsEarly
            where (stream.kind == .s6 || file.isSupposed) && file.packed?.fault == nil:
                // All that `previous` held is in what a processor made of it, and all that a log
                // held in what was made of that: it is another content.
                try replaced(file, now)
                return .moved
            case .endsEarly:
                tellEnd(of: file)
                file.complete()
                output.grew(file.id, size: file.size)
                return .moved
            case .replaced: return try beginAnew(file, now)
            }
            if beginsCompressed(file) {
                // It was empty when it was opened, and a compressor has filled it since.
                opener.restart(file, try opener.fresh(file, of: stream), isTruncated: false)
                buffer.forget()
                if let unreadable = file.content.unreadable {
                    _ = opener.refuse(file.path, unreadable)
                }
                return .moved
            }
            noteEnd(of: file)
            if file.isSupposed {
                opener.inheritance.decide(file.id)
                file.suppose(false)
            }
            if file.packed != nil, file.position >= file.size { return .moved }
            file.trust()
            try file.survey()
            // 1. A directory is listed. A file in it is copied, truncated and filled again.
            // 2. It is opened. The second filling is read before anything was heard of the copy.
            // 3. What the copy holds would come after it.
            // Where something happens all the time, order is not worth standing still for.
            if file.isAtStart, waitsForNews(file, now) { return .news }
            // What was zero when it was read may be written by now.
            if !buffer.isFresh, framer.form != .wide, hasZeros(file) { continue }
            switch try zeros(file, now) {
            case .passed, .underWay: return .moved
            case .awaited:
                file.waitForMore()
                return .atEnd
            case .text(let text):
                if let consumed = handChunk(file, text, &frames) {
                    if consumed > 0 { file.sawWriting(now) }
                    if consumed > 0 { return .moved }
                    return output.canTake(file.id) ? .noRoom : .stuck
                }
            }
            // What was left in the buffer is the beginning of a line: read on from there.
            if buffer.isFresh { break }
        }
        file.waitForMore()
        buffer.withBytes(of: file) { file.remember(tail: $0) }
        // A final file that holds less than it did was cut short: the next look tells.
        file.doubtSize()
        return .atEnd
    }

    /// Whether something happened in the directory that is looked at before the first line of a
    /// content.
    private func waitsForNews(_ file: TailedFile, _ now: MonotonicTime) -> Bool {
        guard waitsForLook, let node = stream.node else { return false }
        var wait = file.content.firstLineWait ?? FirstLineWait(since: now)
        // Nothing is kept of a wait that has not begun: each file has a first line.
        guard !wait.isOver(in: node, now), hasNews() else { return false }
        let waits = wait.waits(in: node)
        file.wait(forFirstLine: wait)
        return waits
    }

    /// How long a compressed file that may grow keeps what it takes to read it on at once,
    /// nanoseconds.
    private static let idle: Int64 = 5_000_000_000

    /// Frames and hands over what is there; the bytes taken, nil when no line is complete.
    private func handChunk(
        _ file: TailedFile, _ text: Text, _ frames: inout [Frame]
    ) -> Int? {
        let framer = framer
        let output = output
        return buffer.withBytes(of: file) { bytes in
            let chunk = bytes.extracting(0..<text.count)
            let reachesEnd = file.position + chunk.count >= file.size
            framer.frame(
                chunk,
                within: .init(
                    offset: file.position, continuesLine: continuesLine(file),
                    isFinal: text.isEnd || (file.isFinal && reachesEnd),
                    hasText: text.isWhole),
                into: &frames)
            guard !frames.isEmpty else { return nil }
            let consumed = output.take(file.id, chunk, frames)
            precondition(0 <= consumed && consumed <= chunk.count, "took more than there was")
            if consumed > 0 {
                file.remember(chunk, frames, consumed)
                file.advance(over: chunk, consumed)
            }
            return consumed
        }
    }

    /// Whether the position is within a line.
    private func continuesLine(_ file: TailedFile) -> Bool {
        framer.form == .wide
            ? framer.continuesLine(after: file.anchor) : file.content.continuesLine
    }

    /// How long half a line waits for its rest where the file may be no rotated one, nanoseconds.
    private static let halfLinePatience: Int64 = 5_000_000_000

    /// Whether a rotated file was last written to a minute before the start, by the clock of its
    /// file system. A run that does not wait has no other way to tell where it may not ask for a
    /// writer.
    private func isOld(_ file: TailedFile) -> Bool {
        file.modified < opener.startTimes.time(on: file.key.device) - 60_000_000_000
    }

    /// The file is read to its present end: is that the last one?
    private func settle(_ file: TailedFile, _ now: MonotonicTime) throws(SystemError) -> TurnEnd {
        if let packed = file.packed {
            // Of one whose first bytes are wrong nothing is ever handed over.
            if packed.fault != nil { tellEnd(of: file) }
            if now - stream.lastGrowth > Self.idle { packed.release() }
        }
        if file.isFinal {
            try look(at: file, now)
            if file.position < file.end { return file.waitsForMore ? .atEnd : .moved }
            // With `--once`, what was written after the start is none of this run.
            if file.position < file.size { return .atEnd }
            tellHole(file)
            tellEnd(of: file)
            table.finish(file, of: stream)
            return .moved
        }
        guard let since = file.drainsSince else { return .atEnd }
        // 1. `web-2026-11-28.log` is written to beside `web.log`, and opened for each write.
        // 2. Half a line is there, and nobody has it open.
        if file.waitsForMore, now - since < Self.halfLinePatience, let name = file.name,
            stream.claimed.contains(name), stream.rotated(name)?.mayBeAlive ?? false,
            !(once && isOld(file))
        {
            return .atEnd
        }
        if table.isBeingSaved(file, of: stream, now) { return .atEnd }
        let answer = try file.opened().descriptor.hasNoWriter()
        let proven = answer ?? (once ? isOld(file) : now - since >= drain)
        if proven {
            // Nobody can write any more, so the size that is seen now is the last one; what is left
            // without a newline is a line then.
            file.becomeFinal()
            output.moved(file.id, path: file.path, archived: true)
            return .moved
        }
        file.proofFailed(
            now, isBlind: answer == nil, latest: answer == nil ? since + drain : .never)
        return .atEnd
    }
}
