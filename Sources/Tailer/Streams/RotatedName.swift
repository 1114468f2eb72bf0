/// A name that rotation gives to an earlier file of an ordinary log: `app.log.1`, `app.log-20261123.gz`,
/// `app-2026-11-23.log`, `app.log.old`.
struct RotatedName {
    /// What its place among its siblings follows from.
    enum Order: Hashable {
        /// The larger, the older.
        case number(Int)
        /// The larger, the newer.
        case date([UInt8])
    }

    let order: Order
    /// Compressed by gzip, as far as the name tells.
    let isPacked: Bool
    /// `worker-1.log` beside `worker.log` is mostly a log of its own.
    let mayBeAnotherLog: Bool

    private static let separators = Array(".-_".utf8)
    private static let packed = Array(".gz".utf8)
    private static let old = Array("old".utf8)
    /// More digits are a date or a time.
    private static let mostDigits = 4
    /// What stands beside digits in a date and a time.
    private static let marks = Array("-_.:T".utf8)
    /// Bytes of a mark that rotation appends, without the separator before it. A date, a time to the
    /// nanosecond, a zone and a number come to fewer.
    private static let longestMark = 48
    /// Separators in such a mark, the one before it included. Names come from strangers: a name that is
    /// all digits and dots has no more bases than this, and costs no more.
    private static let mostSeparators = 10

    /// Nil where `name` is not one that rotation makes of `live`.
    init?(_ name: [UInt8], of live: [UInt8]) {
        guard name != live, !live.isEmpty else { return nil }
        isPacked =
            name.count > Self.packed.count
            && name.suffix(Self.packed.count).elementsEqual(Self.packed)
        let plain = isPacked ? name.dropLast(Self.packed.count) : name[...]
        if plain == live[...] {
            order = .number(0)
            mayBeAnotherLog = false
            return
        }
        if let order = Self.order(plain, after: live[...], before: []) {
            self.order = order
            mayBeAnotherLog = false
            return
        }
        // `app.log` also becomes `app-2026-11-23.log`.
        guard let dot = live.lastIndex(of: UInt8(ascii: ".")), dot > 0,
            let order = Self.order(plain, after: live[..<dot], before: live[dot...])
        else { return nil }
        self.order = order
        if case .number = order {
            mayBeAnotherLog = plain[dot] != UInt8(ascii: ".")
        } else {
            mayBeAnotherLog = false
        }
    }

    /// The order that follows from what stands between `stem` and `end`, a separator first.
    private static func order(
        _ name: ArraySlice<UInt8>, after stem: ArraySlice<UInt8>, before end: ArraySlice<UInt8>
    ) -> Order? {
        let length = name.count - stem.count - 1 - end.count
        guard 0 < length, length <= longestMark, name.starts(with: stem),
            name.suffix(end.count).elementsEqual(end),
            separators.contains(name[name.startIndex + stem.count])
        else { return nil }
        let middle = name.dropFirst(stem.count + 1).dropLast(end.count)
        if middle.elementsEqual(old) { return .number(1) }
        guard let first = middle.first, isDigit(first) else { return nil }
        if middle.count <= mostDigits, middle.allSatisfy(isDigit) {
            return .number(middle.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
        }
        guard middle.allSatisfy({ isDigit($0) || marks.contains($0) }),
            middle.count(where: separators.contains) < mostSeparators
        else { return nil }
        return .date(Array(middle))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// Whether it comes before `other` in the order of content; nil where names do not tell.
    func isOlder(than other: RotatedName) -> Bool? {
        switch (order, other.order) {
        case (.number(let mine), .number(let theirs)):
            // `app.log.1` beside its `app.log.1.gz`: one of them is being made of the other.
            mine == theirs ? nil : mine > theirs
        case (.date(let mine), .date(let theirs)):
            mine == theirs ? nil : mine.lexicographicallyPrecedes(theirs)
        default: nil
        }
    }

    /// Names that `name` may be a rotated one of: few, and mostly none. What it costs grows with the
    /// name's length alone, whatever is in it.
    static func bases(of name: [UInt8]) -> [[UInt8]] {
        var plain = name[...]
        var found: [[UInt8]] = []
        if plain.count > packed.count, plain.suffix(packed.count).elementsEqual(packed) {
            plain = plain.dropLast(packed.count)
            found.append(Array(plain))
        }
        func cut(_ part: ArraySlice<UInt8>, before end: ArraySlice<UInt8>) {
            var cuts = 0
            for index in part.indices.suffix(longestMark + 1).reversed() {
                let byte = part[index]
                if index > part.startIndex, separators.contains(byte) {
                    cuts += 1
                    guard cuts <= mostSeparators else { return }
                    let base = part[..<index] + end
                    if RotatedName(Array(plain), of: Array(base)) != nil {
                        found.append(Array(base))
                    }
                }
                guard isDigit(byte) || marks.contains(byte) else { return }
            }
        }
        if plain.count > old.count + 1, plain.suffix(old.count).elementsEqual(old),
            separators.contains(plain[plain.endIndex - old.count - 1])
        {
            found.append(Array(plain.dropLast(old.count + 1)))
        }
        cut(plain, before: [])
        if let dot = plain.lastIndex(of: UInt8(ascii: ".")) {
            cut(plain[..<dot], before: plain[dot...])
        }
        return found
    }
}
