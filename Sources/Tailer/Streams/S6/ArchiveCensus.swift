/// Counts the archives of an s6 log directory that came and went without having been open.
///
/// 1. s6-log makes an archive, which is an event that names it, and removes it.
/// 2. No listing has shown it. But its file may have been opened before, when it was `current` or
///    `previous`: which one that was, cannot be told any more.
/// 3. Every `current` becomes one archive. So of the names that were never listed, as many are
///    missed as there are more of them than open or read files that have lost all their names.
struct ArchiveCensus: Blank {
    /// Names that a listing has shown, with the number of the reading of events before it. An event
    /// of one may be read only after that, once.
    private var listed: [[UInt8]: Int] = [:]
    /// Files that were opened and had no archive's name when they were last seen, oldest first: the
    /// number of the reading of events before the look that saw it.
    private var unnamed: [Int] = []
    /// Those that no look was told of yet.
    private var fresh = 0

    var isBlank: Bool { listed.isEmpty && unnamed.isEmpty && fresh == 0 }

    /// A file that was open or read to its end has lost the name of `current` or `previous`, and
    /// has no other.
    mutating func fileBecameNameless() { fresh += 1 }

    /// A look: the names of archives that events told of before the listing, and those there are.
    /// Returns the names of those that were missed.
    ///
    /// `eventReads`: the number of the reading of events before the listing, with which `appeared`
    /// ends. `readsByLook`: before what the look has seen, which may have listed once more.
    mutating func look(
        appeared: [[UInt8]], there: (([UInt8]) -> Bool), names: some Sequence<[UInt8]>,
        eventReads: Int, readsByLook: Int
    ) -> [[UInt8]] {
        let missing = appeared.filter { !there($0) && listed[$0] == nil }
        listed = listed.filter { there($0.key) || $0.value >= eventReads - 1 }
        for name in names { listed[name] = readsByLook }
        unnamed += repeatElement(readsByLook, count: fresh)
        fresh = 0
        // The oldest of them was open most likely: it was `current` at the last look.
        let missed = missing.dropFirst(unnamed.count)
        unnamed.removeFirst(min(missing.count, unnamed.count))
        // What lost its name just before the listing has its event read after it, and not later.
        unnamed.removeAll { $0 < eventReads - 1 }
        return Array(missed)
    }
}
