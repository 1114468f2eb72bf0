/// Which of the words that may have been meant is near the one that was written.
package enum NearMiss {
    /// Longer words are no slips of the finger, and the search costs their length squared.
    private static let longest = 40

    /// The one nearest to `word`, if it takes at most two slips (one for short words): a letter
    /// wrong, missing, too many, or two swapped. Else the only one that begins as `word` does, or
    /// that `word` begins with.
    package static func of(_ word: String, in candidates: [String]) -> String? {
        let written = Array(word.lowercased().utf8)
        guard !written.isEmpty, written.count <= longest else { return nil }
        var best: (word: String, slips: Int)?
        for candidate in candidates {
            let slips = slips(written, Array(candidate.utf8))
            let allowed = min(written.count, candidate.utf8.count) <= 4 ? 1 : 2
            if slips <= allowed, slips < best?.slips ?? .max { best = (candidate, slips) }
        }
        if let best { return best.word }
        let begun = candidates.filter { candidate in
            min(candidate.utf8.count, written.count) >= 3
                && (candidate.hasPrefix(word.lowercased())
                    || word.lowercased().hasPrefix(candidate))
        }
        return begun.count == 1 ? begun[0] : nil
    }

    /// Optimal string alignment distance.
    private static func slips(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var older: [Int] = []
        var previous = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var slips = min(
                    previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    slips = min(slips, older[j - 1] + 1)
                }
                row.append(slips)
            }
            older = previous
            previous = row
        }
        return previous[b.count]
    }
}
