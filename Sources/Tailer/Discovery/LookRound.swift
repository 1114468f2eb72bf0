import Platform

/// How often each of many things is looked at that nobody tells of: directories and quiet files
/// without a watch. However many there are, all looks together are no more than one in each
/// `spread`; past that each one is looked at the more seldom, and sees what is new there later.
///
/// 1. A pod has two hundred thousand directories, its neighbours have one each.
/// 2. With one round for all, these were looked at as seldom as those.
///
/// So one half of the looks goes to all alike, the other half to those who share in equal parts,
/// and each has the better one of the two: who has few is seen soon, whatever others have, and who
/// has many is never worse off than with half of all.
struct LookRound {
    /// Nanoseconds for each look.
    let spread: Int64
    /// How many there are.
    var count = 0
    /// In how many directories just beneath a prefix.
    var shares = 0

    init(spread: Int64) { self.spread = spread }

    /// So many more quiet files in a share.
    mutating func count(_ quiet: Int, in share: DirectoryNode) {
        guard quiet > 0 else { return }
        if share.quietBelow == 0 { shares += 1 }
        share.quietBelow += quiet
        count += quiet
    }

    /// Of nothing yet.
    var none: LookRound { LookRound(spread: spread) }

    /// Nanoseconds between two looks at a quiet file of a directory.
    func length(for node: DirectoryNode?) -> Int64 {
        length(own: max(1, node?.outermost.quietBelow ?? 1))
    }

    /// Nanoseconds between two looks at one of `own` that a share has.
    func length(own: Int) -> Int64 {
        Int64(clamping: min(count, shares *| own)) *| spread *| 2
    }
}
