import Model
import Platform

/// Finds the part of what was read that is still there, when the file is shorter than it was or the
/// bytes before the position are others.
///
/// 1. A program writes half a line, fails, and cuts it off again.
/// 2. A log in XML or a JSON array ends in a closing tag that each entry overwrites.
/// 3. A program rewrites its last line.
///
/// In each case all but the last few lines is what it was, and would be sent again under other ids
/// were the file taken for another one. But a file that was truncated and has grown again with the
/// same first lines (a banner) must be taken for another one: nothing but the bytes tells them
/// apart. So the bytes before an earlier line have to be the same, at that line and at all the
/// places that are remembered before it, and beside that one of
///
/// - the end that the file had is its end again: a closing tag;
/// - more is the same than any banner is long.
///
/// Where neither is so, the writer may not have come to the closing tag yet: after a while it is
/// another content. A repeat that was needless is better than a line that is missing.
extension TailedFile {
    enum Resumption {
        /// Everything before the position is what it was.
        case intact
        /// Everything before this offset is, and these are the bytes before it.
        case rewritten(from: LogicalOffset, anchor: [UInt8])
        /// The next look may tell.
        case undecided
        /// Another content.
        case replaced
    }

    /// Bytes of the same beginning that are no banner.
    private static let longestBanner = 4096
    /// Bytes of the anchor that make a line's beginning known.
    private static let leastAnchor = 16

    /// Looks at the file, which ends at `size`.
    func resumption(size: PhysicalOffset) throws(SystemError) -> Resumption {
        guard packed == nil, !isAtStart else { return .replaced }
        let size = base.logical(size)
        if size >= position, try isIntact(), try agrees(before: position) {
            return try isFirstIntact() ? .intact : .replaced
        }
        for place in try places() where place > base.start && place <= size {
            let begins = content.beginning.cut(to: base.physical(place).bytes)
            guard try begins.isAt(try opened().descriptor), try agrees(before: place) else {
                return .replaced
            }
            let before = min(Anchor.longest, base.physical(place).bytes)
            let anchor = try read(count: before, at: place - before)
            var isProven = base.physical(place).bytes >= Self.longestBanner
            if !isProven { isProven = try hasOldEnd(size) }
            guard isProven else { return .undecided }
            return .rewritten(from: place, anchor: anchor)
        }
        return .replaced
    }

    /// Whether it still holds what was read of it, as far as can be told: `isIntact`, and more of
    /// its first bytes. To be asked where much hangs on it, or where it has changed and has the
    /// size that it had.
    func isWhatWasRead(size: PhysicalOffset? = nil) throws(SystemError) -> Bool {
        guard try isIntact(size: size) else { return false }
        return try isFirstIntact()
    }

    private func isFirstIntact() throws(SystemError) -> Bool {
        guard packed == nil, content.unreadable == nil else { return true }
        return try content.firstBytes.isAt(try opened().descriptor)
    }

    /// Beginnings of earlier lines before which the bytes are what they were, the last one first.
    private func places() throws(SystemError) -> [LogicalOffset] {
        var places: [LogicalOffset] = []
        for mark in content.landmarks.lines.reversed() where mark.offset < position {
            if try isThere(mark) { places.append(mark.offset) }
        }
        // What an earlier run has read is known by the bytes before its position alone.
        let start = position - anchor.count
        for end in anchor.indices.dropLast().reversed() where anchor[end] == UInt8(ascii: "\n") {
            let count = end + 1
            guard count >= Self.leastAnchor || start == base.start else { break }
            if try read(count: count, at: start)[...] == anchor[..<count] {
                places.append(start + count)
                break
            }
        }
        return places.sorted(by: >)
    }

    /// Whether all that is remembered before `place` is there.
    private func agrees(before place: LogicalOffset) throws(SystemError) -> Bool {
        for mark in content.landmarks.spread where mark.offset <= place {
            guard try isThere(mark) else { return false }
        }
        return true
    }

    private func isThere(_ mark: Landmarks.Mark) throws(SystemError) -> Bool {
        let count = min(Anchor.longest, base.physical(mark.offset).bytes)
        let bytes = try read(count: count, at: mark.offset - count)
        return bytes.count == count && Landmarks.digest(bytes) == mark.digest
    }

    /// Whether a file that has grown ends as it did.
    private func hasOldEnd(_ size: LogicalOffset) throws(SystemError) -> Bool {
        // With the newline before it, so that it is a whole line again.
        var end = anchor.suffix(1) + content.tail[...]
        if content.tail.isEmpty {
            end = anchor[...]
            if let newline = anchor.dropLast().lastIndex(of: UInt8(ascii: "\n")) {
                end = anchor[newline...]
            }
        }
        guard end.contains(where: { $0 > UInt8(ascii: " ") }), size > position + content.tail.count
        else {
            return false
        }
        return try read(count: end.count, at: size - end.count)[...] == end
    }

    private func read(count: Int, at offset: LogicalOffset) throws(SystemError) -> [UInt8] {
        try opened().descriptor.read(count: count, at: base.physical(offset))
    }

    /// Remembers the bytes that an earlier run has read, before they are read on: the file was just
    /// found to be what it was.
    func survey() throws(SystemError) {
        guard packed == nil, !isAtStart else { return }
        if content.firstBytes.count == 0 {
            let first = min(FirstBytes.longest, max(0, physicalPosition.bytes))
            let bytes = try opened().descriptor.read(count: first, at: 0)
            // Zeros may be a hole that was passed, and that somebody fills.
            begins(FirstBytes(Array(bytes.prefix { $0 != 0 })))
        }
        guard !content.landmarks.isWhole else { return }
        var known = content.landmarks
        while let due = known.nextDue, base.logical(due) <= position {
            let offset = base.logical(due)
            let bytes = try read(count: Anchor.longest, at: offset - Anchor.longest)
            known.add(spread: .init(offset: offset, digest: Landmarks.digest(bytes)))
        }
        let start = max(base.start, position - Self.surveyed)
        let bytes = try read(count: position - start, at: start)
        guard bytes.count == position - start else { return knows(known) }
        for index in bytes.indices.dropLast() where bytes[index] == UInt8(ascii: "\n") {
            let offset = start + index + 1
            // Of those before it too little was read.
            guard index + 1 >= Anchor.longest || start == base.start else { continue }
            let before = bytes[max(0, index + 1 - Anchor.longest)...index]
            known.add(line: .init(offset: offset, digest: Landmarks.digest(before)))
        }
        known.complete()
        knows(known)
    }

    private static let surveyed = 4096
}

// MARK: - What is remembered

extension TailedFile.Content {
    /// The first `count` bytes of `chunk`, which begins at the position, are about to be taken, and
    /// `frames` are its lines.
    mutating func remember(_ chunk: Span<UInt8>, _ frames: [Frame], _ count: Int) {
        func mark(_ offset: LogicalOffset) -> Landmarks.Mark {
            let place = offset - position
            let inChunk = min(place, Anchor.longest)
            var digest = Landmarks.Digest()
            let fromAnchor = min(anchor.count, Anchor.longest - inChunk)
            for index in anchor.count - fromAnchor..<anchor.count { digest.add(anchor[index]) }
            for index in place - inChunk..<place { digest.add(chunk[index]) }
            return Landmarks.Mark(offset: offset, digest: digest.value)
        }
        let end = position + count
        while landmarks.isWhole || isAtStart, let next = landmarks.nextDue,
            base.logical(next) <= end
        {
            let due = base.logical(next)
            // The first line that begins there; the end of what is taken where none does.
            var (low, high) = (0, frames.count)
            while low < high {
                let middle = (low + high) / 2
                if frames[middle].offset < due { low = middle + 1 } else { high = middle }
            }
            let line = low < frames.count ? frames[low].offset : end
            landmarks.add(spread: mark(min(line, end)))
            landmarks.complete()
        }
        if isAtStart { landmarks.complete() }
        for index in max(0, frames.count - Landmarks.mostLines)..<frames.count {
            let frame = frames[index]
            let start = frame.offset
            guard start + frame.length <= end, !frame.flags.contains(.continuation) else {
                continue
            }
            landmarks.add(line: mark(start))
        }
        tail = []
    }

    /// The bytes from the position to the end are the beginning of a line and wait for its rest.
    mutating func remember(tail chunk: Span<UInt8>) {
        guard position + chunk.count >= size else { return }
        let start = max(0, chunk.count - Anchor.longest)
        tail = []
        for index in start..<chunk.count { tail.append(chunk[index]) }
    }
}
