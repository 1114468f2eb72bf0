import Model
import Platform

/// One turn of one stream: at most one chunk of its oldest file that has bytes.
struct StreamTurn {
    let stream: LogStream
    let output: any TailerOutput
    let opener: FileOpener
    let table: StreamTable
    let buffer: ChunkBuffer
    let framer: LineFramer
    /// How long a file whose writers cannot be seen is kept for late writes, nanoseconds.
    let drain: Int64
    let once: Bool

    enum Result {
        /// Bytes were handed over or a file was finished; there may be more.
        case moved
        /// There are bytes, and no room for them.
        case noRoom
        /// Nothing to read now.
        case atEnd
    }

    func run(_ now: Int64, _ frames: inout [Frame]) -> Result {
        // An older file that is read to its present end and may still grow does not hold up the
        // next one: its writer writes late, into a file that was rotated away.
        for file in stream.files {
            do {
                switch try read(file, now, &frames) {
                case .moved:
                    opener.mended(file.path)
                    return .moved
                case .noRoom: return .noRoom
                case .atEnd: continue
                }
            } catch {
                _ = opener.trouble(file.path, error)
            }
        }
        return .atEnd
    }

    private func read(
        _ file: TailedFile, _ now: Int64, _ frames: inout [Frame]
    ) throws(SystemError) -> Result {
        if file.position >= file.end || file.continuesToWait || file.hasOldSize {
            try look(at: file, now)
        }
        if file.position < file.end, !file.continuesToWait {
            return try hand(file, now, &frames)
        }
        return try settle(file, now)
    }

    /// Brings the size up to date, and sees a truncation.
    private func look(at file: TailedFile, _ now: Int64) throws(SystemError) {
        let status = try file.descriptor.status()
        file.hasOldSize = false
        let size = file.base + status.size
        if size < file.position || size < file.size {
            // Shorter than it was: another content, whatever its bytes.
            try restart(file)
            return
        }
        if size > file.size {
            file.size = size
            file.waitsForMore = false
            keepDraining(file, now)
            output.grew(file.id, size: size)
            if file.headLength < Fingerprint.longest {
                let head = try file.descriptor.read(count: Fingerprint.longest, at: 0)
                file.headLength = head.count
                output.headGrew(file.id, head: head)
            }
        }
    }

    private func restart(_ file: TailedFile) throws(SystemError) {
        buffer.forget()
        try opener.restart(file, of: stream)
    }

    /// Somebody still writes to a file that was rotated away: the time for that begins anew.
    private func keepDraining(_ file: TailedFile, _ now: Int64) {
        if file.drainsSince != nil { file.drainsSince = now }
    }

    private func hand(
        _ file: TailedFile, _ now: Int64, _ frames: inout [Frame]
    ) throws(SystemError) -> Result {
        guard output.hasRoom(stream.id) else { return .noRoom }
        for refill in [false, true] {
            guard try buffer.load(file, refill: refill, limit: file.limit) else {
                try restart(file)
                return .moved
            }
            if let consumed = handChunk(file, &frames) {
                if consumed > 0 { keepDraining(file, now) }
                return consumed > 0 ? .moved : .noRoom
            }
            // What was left in the buffer is the beginning of a line: read on from there.
            if buffer.isFresh { break }
        }
        file.waitsForMore = true
        // A final file that holds less than it did was cut short: the next look tells.
        file.hasOldSize = file.isFinal
        return .atEnd
    }

    /// Frames and hands over what is there; the bytes taken, nil when no line is complete.
    private func handChunk(_ file: TailedFile, _ frames: inout [Frame]) -> Int? {
        let framer = framer
        let output = output
        return buffer.withBytes(of: file) { chunk in
            let reachesEnd = file.position + chunk.count >= file.size
            framer.frame(
                chunk,
                at: .init(
                    offset: file.position, continuesLine: file.continuesLine,
                    isFinal: file.isFinal && reachesEnd && !once),
                into: &frames)
            guard !frames.isEmpty else { return nil }
            let consumed = output.take(file.id, chunk, frames)
            precondition(0 <= consumed && consumed <= chunk.count, "took more than there was")
            if consumed > 0 { file.advance(over: chunk, consumed) }
            return consumed
        }
    }

    /// The file is read to its present end: is that the last one?
    private func settle(_ file: TailedFile, _ now: Int64) throws(SystemError) -> Result {
        if once { return .atEnd }
        if file.isFinal {
            try look(at: file, now)
            if file.position < file.size { return file.waitsForMore ? .atEnd : .moved }
            table.finish(file, of: stream)
            return .moved
        }
        guard let since = file.drainsSince else { return .atEnd }
        let proven = file.descriptor.hasNoWriter() ?? (now - since >= drain)
        if proven {
            // Nobody can write any more, so the size that is seen now is the last one; what is left
            // without a newline is a line then.
            file.becomeFinal()
            output.moved(file.id, path: file.path, archived: true)
            return .moved
        }
        return .atEnd
    }
}
