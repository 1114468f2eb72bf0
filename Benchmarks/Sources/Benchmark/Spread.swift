/// Median, least and greatest of some measurements.
package struct Spread: Hashable, Sendable {
    package let median: Double
    package let least: Double
    package let greatest: Double

    /// Nil if there are none.
    package init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        least = first
        greatest = last
        let middle = sorted.count / 2
        median =
            sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// `median (least–greatest)`, or the one value there is.
    var text: String {
        let (low, high) = (Number.short(least), Number.short(greatest))
        return low == high ? low : "\(Number.short(median)) (\(low)–\(high))"
    }

    func json(_ digits: Int) -> JSON {
        .object([
            ("median", .number(median, digits)), ("min", .number(least, digits)),
            ("max", .number(greatest, digits)),
        ])
    }

    /// The smallest value that at least `share` of all values do not exceed. `sorted` is not empty.
    package static func percentile(_ share: Double, of sorted: [Int64]) -> Int64 {
        let rank = Int((share * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }
}
