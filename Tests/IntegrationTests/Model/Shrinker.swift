/// Makes a failing sequence short: delta debugging (Zeller's ddmin) over its steps.
enum Shrinker {
    /// The shortest sequence found, made of `steps` by leaving some out, for which `fails` is still
    /// true; `fails` is asked at most `limit` times.
    static func shrink<Step>(
        _ steps: [Step], limit: Int, _ fails: ([Step]) throws -> Bool
    ) rethrows -> [Step] {
        var best = steps
        var asked = 0
        var parts = 2
        while best.count > 1 {
            let size = (best.count + parts - 1) / parts
            var isShorter = false
            var start = 0
            while start < best.count, asked < limit {
                let candidate = Array(best[..<start]) + best[min(best.count, start + size)...]
                asked += 1
                if try !candidate.isEmpty && fails(candidate) {
                    best = candidate
                    isShorter = true
                } else {
                    start += size
                }
            }
            if asked >= limit { return best }
            if isShorter {
                parts = max(2, parts - 1)
            } else {
                if size == 1 { return best }
                parts = min(best.count, parts * 2)
            }
        }
        return best
    }
}
