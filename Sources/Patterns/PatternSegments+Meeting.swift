/// Whether a pattern and an exclusion have a path in common: what an exclusion that leaves out
/// nothing is told by. Leading dots are to be named in the pattern alone (see `PathGlob`).
extension PatternSegments {
    /// A path is at most 4,095 bytes long (PATH_MAX). A pattern that is longer is not reasoned
    /// about, which bounds what a comparison costs.
    private static let longestCompared = 4_095

    /// Whether `exclusion` leaves out a path that this matches; true as well where one of them is
    /// too long to tell.
    func canMeet(_ exclusion: PatternSegments) -> Bool {
        let other = exclusion
        guard length <= Self.longestCompared, other.length <= Self.longestCompared else {
            return true
        }
        // A place in one pattern and one in the other, from which each name leads to the next;
        // reached places are visited once.
        let columns = other.segments.count + 1
        var reached = [Bool](repeating: false, count: (segments.count + 1) * columns)
        var open = [(0, 0)]
        func reach(_ row: Int, _ column: Int) {
            let index = row * columns + column
            guard !reached[index] else { return }
            reached[index] = true
            open.append((row, column))
        }
        while let (row, column) = open.popLast() {
            if row == segments.count, column == other.segments.count { return true }
            let left = row < segments.count ? segments[row] : nil
            let right = column < other.segments.count ? other.segments[column] : nil
            switch (left, right) {
            case (.anyDirectories, .anyDirectories):
                reach(row + 1, column)
                reach(row, column + 1)
            case (.anyDirectories, let right):
                reach(row + 1, column)
                if case .name(let name) = right, !name.isHidden { reach(row, column + 1) }
            case (let left, .anyDirectories):
                reach(row, column + 1)
                if left != nil { reach(row + 1, column) }
            case (.name(let left), .name(let right)):
                if left.canMeet(right) { reach(row + 1, column + 1) }
            case (nil, _), (_, nil):
                break
            }
        }
        return false
    }

    private var length: Int {
        segments.reduce(0) { sum, segment in
            if case .name(let name) = segment { return sum + name.tokens.count + 1 }
            return sum + 1
        }
    }
}

extension SegmentPattern {
    /// It matches hidden names, and no other.
    fileprivate var isHidden: Bool { tokens.first == .byte(UInt8(ascii: ".")) }

    /// Whether some name that this matches is matched by `exclusion`.
    fileprivate func canMeet(_ exclusion: SegmentPattern) -> Bool {
        let a = steps
        let b = exclusion.steps
        let columns = b.count + 1
        // Twice, because no byte of the name was matched yet in one half.
        var reached = [Bool](repeating: false, count: (a.count + 1) * columns * 2)
        var open = [(row: 0, column: 0, begun: false)]
        func reach(_ row: Int, _ column: Int, _ begun: Bool) {
            let index = (row * columns + column) * 2 + (begun ? 1 : 0)
            guard !reached[index] else { return }
            reached[index] = true
            open.append((row, column, begun))
        }
        while let (row, column, begun) = open.popLast() {
            if row == a.count, column == b.count, begun { return true }
            let left = row < a.count ? a[row] : nil
            let right = column < b.count ? b[column] : nil
            if left?.repeats == true { reach(row + 1, column, begun) }
            if right?.repeats == true { reach(row, column + 1, begun) }
            guard let left, let right,
                left.bytes.meets(right.bytes, besidesDot: !begun && !isHidden)
            else { continue }
            reach(left.repeats ? row : row + 1, right.repeats ? column : column + 1, true)
        }
        return false
    }

    /// One byte of a set, or any number of them.
    private struct Step {
        let bytes: Bytes
        let repeats: Bool
    }

    private enum Bytes {
        case any
        case oneOf([ClosedRange<UInt8>], negated: Bool)

        func contains(_ byte: UInt8) -> Bool {
            switch self {
            case .any: true
            case .oneOf(let ranges, let negated):
                ranges.contains { $0.contains(byte) } != negated
            }
        }

        func meets(_ other: Bytes, besidesDot: Bool) -> Bool {
            (UInt8.min...UInt8.max).contains { byte in
                contains(byte) && other.contains(byte)
                    && !(besidesDot && byte == UInt8(ascii: "."))
            }
        }
    }

    private var steps: [Step] {
        tokens.flatMap { token in
            switch token {
            case .byte(let byte):
                [Step(bytes: .oneOf([byte...byte], negated: false), repeats: false)]
            case .anyByte: [Step(bytes: .any, repeats: false)]
            case .anyBytes: [Step(bytes: .any, repeats: true)]
            case .oneOf(let ranges, let negated):
                [Step(bytes: .oneOf(ranges, negated: negated), repeats: false)]
            case .capture:
                [Step(bytes: .any, repeats: false), Step(bytes: .any, repeats: true)]
            }
        }
    }
}
