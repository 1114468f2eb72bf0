import Platform

/// Whether a file's content was read again since it last changed: then another look need not do
/// that, as long as its change time stays what it is.
///
/// 1. A file is read to its end, and its change time seen.
/// 2. In the same tick of its file system's clock it is truncated, and filled to the size that it
///    had. Its change time is the one that was seen.
/// 3. Its content is read again, a tick or more after the change time was seen first, and is what
///    it was. Whatever happens to it from now on has a later change time.
///
/// That is so where this machine alone writes to a file, and by calls: a change time moves with the
/// first write to a mapped page only, and another machine's is known late. Who asks leaves such
/// files out.
struct ContentProof {
    private var changed = FileTime.min
    /// When that was seen first.
    private var since = MonotonicTime.zero
    /// Nothing but a new change time can make it another content.
    private(set) var isProven = false

    /// Much longer than a tick of a clock that counts fractions of a second: a machine's clock
    /// stands still while its host has no time for it.
    private static let tick = 50 * Clock.fileTick
    /// The same of one that counts seconds, or pairs of them.
    private static let coarseTick: Int64 = 4_000_000_000

    /// A look has found this change time; `now` is not before that.
    mutating func saw(changed time: FileTime, _ now: @autoclosure () -> MonotonicTime) {
        guard time != changed else { return }
        changed = time
        since = now()
        isProven = false
    }

    /// Its content was read at `now`, and is what it was.
    mutating func sawIntact(_ now: MonotonicTime) {
        let isCoarse = changed.nanoseconds % 1_000_000_000 == 0
        isProven = now - since > (isCoarse ? Self.coarseTick : Self.tick)
    }
}
