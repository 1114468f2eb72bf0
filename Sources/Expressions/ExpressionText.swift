private import CPCRE2
private import Platform

/// Bytes made ready to be searched: once, for however many expressions. Lives within the call of
/// `with`, on its thread.
@safe
package struct ExpressionText: ~Copyable {
    private let base: UnsafePointer<UInt8>
    private let count: Int
    /// Bytes of what was handed in.
    package let original: Int
    private let scratch: MatchScratch
    private var isRepaired: Bool { count != original }

    private init(_ base: UnsafePointer<UInt8>, _ count: Int, original: Int, _ scratch: MatchScratch)
    {
        unsafe self.base = unsafe base
        self.count = count
        self.original = original
        self.scratch = scratch
    }

    /// Lends `bytes` as text. The text of one call must not be searched within another one's.
    package static func with<R>(
        _ bytes: Span<UInt8>, _ body: (borrowing ExpressionText) -> R
    ) -> R {
        let scratch = MatchScratch.ofThread
        let valid = validCount(bytes)
        guard valid < bytes.count else {
            return unsafe bytes.withUnsafeBufferPointer { buffer in
                // An empty line has no address, and PCRE2 wants one.
                let base = unsafe buffer.baseAddress ?? scratch.someAddress
                return body(
                    unsafe ExpressionText(base, buffer.count, original: bytes.count, scratch))
            }
        }
        repair(bytes, from: valid, scratch)
        // Taken out, so that nobody changes it meanwhile.
        var repaired: [UInt8] = []
        swap(&repaired, &scratch.repaired)
        defer { swap(&repaired, &scratch.repaired) }
        return unsafe repaired.withUnsafeBufferPointer { buffer in
            body(
                unsafe ExpressionText(
                    buffer.baseAddress ?? scratch.someAddress, buffer.count, original: bytes.count,
                    scratch))
        }
    }

    /// How many bytes are UTF-8 from the beginning on.
    private static func validCount(_ bytes: Span<UInt8>) -> Int {
        var index = 0
        while true {
            index = ByteSearch.beyondASCII(in: bytes, from: index)
            if index == bytes.count { return index }
            let length = ByteSearch.sequence(in: bytes, at: index)
            if length == 0 { return index }
            index += length
        }
    }

    private static func repair(
        _ bytes: Span<UInt8>, from valid: Int, _ scratch: MatchScratch
    ) {
        scratch.repaired.removeAll(keepingCapacity: true)
        scratch.replacements.removeAll(keepingCapacity: true)
        for index in 0..<valid { scratch.repaired.append(bytes[index]) }
        var index = valid
        while index < bytes.count {
            let length = ByteSearch.sequence(in: bytes, at: index)
            if length == 0 {
                scratch.replacements.append(scratch.repaired.count)
                scratch.repaired.append(0xEF)
                scratch.repaired.append(0xBF)
                scratch.repaired.append(0xBD)
                index += 1
            } else {
                for place in index..<index + length { scratch.repaired.append(bytes[place]) }
                index += length
            }
        }
    }

    /// Places where a match may begin that are tried in one go, and how long all of them may take
    /// of the thread's time: a machine with much to do decides nothing else. Steps are counted for
    /// each of them alone, so a line of 256 KiB could take minutes.
    private static let window = 1024
    private static let mostNanoseconds: Int64 = 20_000_000

    /// The first match that begins at or after `start`, which is the beginning of a character, in
    /// bytes of what was handed in.
    package func first(_ expression: Expression, from start: Int = 0) -> Finding {
        guard start >= 0, start <= original else { return .none }
        let program = expression.program
        var place = toText(start)
        if count - place <= Self.window || program.isAnchored {
            return outcome(run(program, from: place, lastStart: nil))
        }
        let began = Clock.threadNanoseconds()
        while true {
            let last = place + Self.window
            let isLast = last >= count
            let result = run(program, from: place, lastStart: isLast ? nil : last)
            if result != PCRE2_ERROR_NOMATCH || isLast { return outcome(result) }
            if Clock.threadNanoseconds() - began > Self.mostNanoseconds { return .limit }
            place = last + 1
            while place < count, unsafe base[place] & 0xC0 == 0x80 { place += 1 }
        }
    }

    /// Where the character behind the one at `place` begins; beyond the text's end where that was
    /// the last.
    package func next(after place: Int) -> Int {
        var next = toText(max(0, min(place, original))) + 1
        while next < count, unsafe base[next] & 0xC0 == 0x80 { next += 1 }
        return next > count ? original + 1 : toOriginal(next)
    }

    /// Whether there is a match; nil where a limit does not let it be told.
    package func contains(_ expression: Expression) -> Bool? {
        switch first(expression) {
        case .none: false
        case .match: true
        case .limit: nil
        }
    }

    private func run(_ program: Program, from place: Int, lastStart: Int?) -> Int32 {
        // ~0 is PCRE2_UNSET, which Swift does not see.
        unsafe pcre2_set_offset_limit_8(scratch.context, lastStart ?? ~0)
        return unsafe pcre2_match_8(
            program.code, base, count, place, PCRE2_NO_UTF_CHECK, scratch.data, scratch.context)
    }

    private func outcome(_ result: Int32) -> Finding {
        if result == PCRE2_ERROR_NOMATCH { return .none }
        // Whatever else it is, it is no answer: steps, depth, the heap or the stack were too much.
        guard result >= 0, let ends = unsafe pcre2_get_ovector_pointer_8(scratch.data) else {
            return .limit
        }
        let (start, end) = unsafe (ends[0], ends[1])
        // \K may have it the other way round.
        guard start <= end else { return .match(toOriginal(end)..<toOriginal(end)) }
        return .match(toOriginal(start)..<toOriginal(end))
    }

    /// Each replacement has two bytes more than what it stands for.
    private func toOriginal(_ place: Int) -> Int {
        guard isRepaired else { return place }
        let (before, _) = split { scratch.replacements[$0] < place }
        return place - 2 * before
    }

    private func toText(_ place: Int) -> Int {
        guard isRepaired else { return place }
        let (before, _) = split { scratch.replacements[$0] - 2 * $0 < place }
        return place + 2 * before
    }

    /// How many replacements, from the first on, are `before`, and how many are not.
    private func split(_ before: (Int) -> Bool) -> (Int, Int) {
        var (low, high) = (0, scratch.replacements.count)
        while low < high {
            let middle = (low + high) / 2
            if before(middle) { low = middle + 1 } else { high = middle }
        }
        return (low, scratch.replacements.count - low)
    }
}

/// What a search comes to.
package enum Finding: Hashable, Sendable {
    case none
    /// Of which bytes.
    case match(Range<Int>)
    /// A bound of steps, memory or time was reached before anything could be told.
    case limit
}
