import Model
import Platform

/// Zeros: those that were written, those that nobody wrote, and those that are not written yet.
///
/// - A writer that does not append goes on at its old place in a file that was truncated, and
///   leaves a hole before it. One that makes its log large at once (a mapped file) and dies leaves
///   one behind its last line. A run of zeros that a hole is part of, with those beside it in the
///   same block, is nobody's text, and ends a line wherever it stands, also one that was begun. It
///   is passed at once, whatever its size, when something that is no zero stands behind it.
/// - Zeros without a hole that something stands behind were written, and are text.
/// - Zeros that reach the end of the file may be filled yet, whatever they are on the disk: they
///   are passed when the file is final, and the position stands before them until then.
extension StreamTurn {
    enum Zeros {
        /// The position went on.
        case passed
        /// The bytes that follow them are looked for: to be called again.
        case underWay
        /// Nothing but zeros, which may yet be filled.
        case awaited
        /// So many bytes of the chunk are to be framed.
        case text(Text)
    }

    struct Text {
        let count: Int
        /// The bytes that follow them are no part of their last line, whether that has a newline or
        /// not.
        let isEnd: Bool
        /// No hole is among them.
        let isWhole: Bool
    }

    /// Whether there are zeros that may have been filled, as far as the buffer's old bytes tell.
    func hasZeros(_ file: TailedFile) -> Bool {
        file.content.isPreallocated
            || buffer.withBytes(of: file) { ByteSearch.zero(in: $0) != nil }
    }

    /// Looks at the zeros at the chunk's beginning and at its end, and at those within that a hole
    /// is part of.
    func zeros(_ file: TailedFile, _ now: MonotonicTime) throws(SystemError) -> Zeros {
        if framer.form == .wide {
            // Half of such a text's bytes are zeros.
            let count = buffer.withBytes(of: file) { $0.count }
            return .text(Text(count: count, isEnd: false, isWhole: true))
        }
        let (leading, trailing, count, hasAny) = buffer.withBytes(of: file) { chunk in
            (
                ByteSearch.leadingZeros(in: chunk), ByteSearch.trailingZeros(in: chunk),
                chunk.count, ByteSearch.zero(in: chunk) != nil
            )
        }
        if file.packed != nil { return unpackedZeros(file, leading, of: count) }
        if trailing == 0, file.zeros != nil { file.saw(nil) }
        guard hasAny else { return .text(Text(count: count, isEnd: false, isWhole: true)) }
        let gap = try gap(in: file, of: count)
        let isWhole = gap == nil
        // A line that was begun ends where nobody has written on.
        let isBegin = file.isAtStart && file.mayBeginWithZeros
        let isPassed = leading > 0 && leading < count && (gap == 0 || isBegin)
        let isWithin = gap.map { $0 > 0 && $0 < count - trailing } ?? false
        var run: ZeroRun?
        if trailing > 0, !isPassed, !isWithin {
            run = try follow(file, read: count, trailing, now)
            if run == nil { return .underWay }
        }
        // Only now: before something behind it was written, the first of them was.
        let decisive = isPassed ? 0 : isWithin ? gap : trailing > 0 ? count - trailing : nil
        guard try isStillZero(file, decisive) else {
            buffer.forget()
            return .underWay
        }
        if isPassed {
            pass(leading, of: file)
            return .passed
        }
        if let gap, isWithin { return .text(Text(count: gap, isEnd: true, isWhole: true)) }
        guard let run else { return .text(Text(count: count, isEnd: false, isWhole: isWhole)) }
        return try zeros(file, run, Text(count: count, isEnd: false, isWhole: isWhole))
    }

    /// Where in the chunk, which has `count` bytes, the first zeros begin that a hole is part of.
    private func gap(in file: TailedFile, of count: Int) throws(SystemError) -> Int? {
        let start = file.physicalPosition
        // Every file ends in one.
        guard let hole = try file.opened().descriptor.nextHole(from: start), hole < start + count
        else { return nil }
        return buffer.withBytes(of: file) { chunk in
            var index = hole - start
            guard chunk[index] == 0 else { return nil }
            while index > 0, chunk[index - 1] == 0 { index -= 1 }
            return index
        }
    }

    /// Decides about the zeros that `chunk` ends with.
    private func zeros(
        _ file: TailedFile, _ run: ZeroRun, _ chunk: Text
    ) throws(SystemError) -> Zeros {
        let text = run.start - file.position
        guard run.isFollowed || file.isFinal else {
            file.becomePreallocated()
            return text > 0
                ? .text(Text(count: text, isEnd: false, isWhole: chunk.isWhole)) : .awaited
        }
        let isGap = try hasHole(file, from: run.start, to: run.end)
        guard text > 0 else {
            // What ends a file that nobody writes to any more is no line.
            var isNobodys = isGap
            if !file.content.continuesLine {
                isNobodys =
                    run.isFollowed ? try self.isNobodys(file, run.end - run.start) : true
            }
            guard isNobodys else { return .text(chunk) }
            pass(run.end - run.start, of: file)
            return .passed
        }
        guard isGap || (!run.isFollowed && endsLine(file, text)) else { return .text(chunk) }
        return .text(
            Text(count: text, isEnd: run.isFollowed || !once, isWhole: chunk.isWhole))
    }

    /// The zeros of a compressed file, which has no holes: those that a truncation left are known
    /// by where they are.
    private func unpackedZeros(_ file: TailedFile, _ leading: Int, of count: Int) -> Zeros {
        let isBegin = file.isAtStart && file.mayBeginWithZeros
        if leading > 0, isBegin || file.content.untoldHole != nil {
            file.skip(leading)
            output.skipped(file.id, bytes: leading)
            return .passed
        }
        tellHole(file)
        return .text(Text(count: count, isEnd: false, isWhole: true))
    }

    /// Zeros of a compressed file end here.
    func tellHole(_ file: TailedFile) {
        guard let start = file.endHole() else { return }
        output.report(
            .hole(path: file.path, range: ByteRange(start: start, end: file.position)))
    }

    /// 1. Bytes are read of a file that is being filled: so far its lines, and then zeros.
    /// 2. While they are copied, or before what follows them is looked for, its writer goes on.
    /// 3. What is seen is a gap, or a line with zeros in it, that never was.
    ///
    /// A writer goes forward: the first of such zeros is none any more. It may be a line's, and
    /// then that at the index `decisive` of the chunk is the first of those in question.
    private func isStillZero(
        _ file: TailedFile, _ decisive: Int?
    ) throws(SystemError) -> Bool {
        let first = buffer.withBytes(of: file) { ByteSearch.zero(in: $0) }
        for index in Set([first, decisive].compactMap(\.self)) {
            let place = file.physicalPosition + index
            guard try file.opened().descriptor.read(count: 1, at: place) == [0] else {
                return false
            }
        }
        return true
    }

    /// Whether something was written to a file whose zeros are awaited, at their beginning or near
    /// it.
    func isFilledOn(_ file: TailedFile) throws(SystemError) -> Bool {
        guard let zeros = file.zeros else { return true }
        let bytes = try file.opened().descriptor.read(
            count: Self.filledOn, at: file.base.physical(zeros.start))
        return ByteSearch.leadingZeros(in: bytes.span) < bytes.count
    }

    /// Bytes that are looked at of awaited zeros each time: a page.
    private static let filledOn = 4096

    /// Whether zeros at the position, `count` of them and then something else, are nobody's text.
    private func isNobodys(_ file: TailedFile, _ count: Int) throws(SystemError) -> Bool {
        if file.isAtStart, file.mayBeginWithZeros { return true }
        return try hasHole(file, from: file.position, to: file.position + count)
    }

    private func hasHole(
        _ file: TailedFile, from start: LogicalOffset, to end: LogicalOffset
    ) throws(SystemError) -> Bool {
        let source = try file.opened()
        guard let hole = try source.descriptor.nextHole(from: file.base.physical(start)) else {
            return false
        }
        // Every file ends in one.
        return file.base.logical(hole) < end
    }

    /// Whether the chunk's byte before index `end` ends a line.
    private func endsLine(_ file: TailedFile, _ end: Int) -> Bool {
        buffer.withBytes(of: file) { end > 0 && $0[end - 1] == UInt8(ascii: "\n") }
    }

    /// Follows the last `trailing` of the `read` bytes that were read from the position on, which
    /// are zeros. Nil when this turn's share of that is used up.
    private func follow(
        _ file: TailedFile, read: Int, _ trailing: Int, _ now: MonotonicTime
    ) throws(SystemError) -> ZeroRun? {
        let start = file.position + read - trailing
        var run = file.zeros ?? ZeroRun(start: start, end: start, now)
        if run.start > start || run.end < start || run.isFollowed || run.isDue(now) {
            run = ZeroRun(start: start, end: start, now)
        }
        run.begin(at: start)
        run.reach(file.position + read, isFollowed: false, cost: 0)
        let source = try file.opened()
        var cost = 0
        let found = try source.descriptor.nextNonZero(
            from: file.base.physical(run.end).bytes, budget: Self.followedAtOnce, read: &cost)
        switch found {
        case .found(let place):
            run.reach(file.base.logical(PhysicalOffset(place)), isFollowed: true, cost: cost)
        case .none(let end):
            run.reach(file.base.logical(PhysicalOffset(end)), isFollowed: false, cost: cost)
        case .underWay(let place):
            run.reach(file.base.logical(PhysicalOffset(place)), isFollowed: false, cost: cost)
            file.saw(run)
            return nil
        }
        file.saw(run)
        if file.isFilled { output.grew(file.id, size: file.written) }
        return run
    }

    /// Zeros that are read in one turn: some milliseconds.
    private static let followedAtOnce = 4 << 20

    private func pass(_ count: Int, of file: TailedFile) {
        let start = file.position
        file.skip(min(count, file.content.limit - start))
        output.skipped(file.id, bytes: file.position - start)
        output.report(
            .hole(path: file.path, range: ByteRange(start: start, end: file.position)))
    }
}
