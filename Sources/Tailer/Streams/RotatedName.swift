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

    /// Nil where `name` is not one that rotation makes of `live`.
    init?(_ name: [UInt8], of live: [UInt8]) {
        guard name != live, !live.isEmpty else { return nil }
        var plain = name
        isPacked = name.count > Self.packed.count && name.suffix(3).elementsEqual(Self.packed)
        if isPacked { plain.removeLast(Self.packed.count) }
        if plain == live {
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
        _ name: [UInt8], after stem: ArraySlice<UInt8>, before end: ArraySlice<UInt8>
    ) -> Order? {
        guard name.count > stem.count + 1 + end.count, name.starts(with: stem),
            name.suffix(end.count).elementsEqual(end), separators.contains(name[stem.count])
        else { return nil }
        let middle = Array(name[(stem.count + 1)..<(name.count - end.count)])
        if middle == old { return .number(1) }
        guard let first = middle.first, isDigit(first) else { return nil }
        if middle.count <= mostDigits, middle.allSatisfy(isDigit) {
            return .number(middle.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
        }
        let others = Array("-_.:T".utf8)
        guard middle.allSatisfy({ isDigit($0) || others.contains($0) }) else { return nil }
        return .date(middle)
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

    /// Names that `name` may be a rotated one of: few, and mostly none.
    static func bases(of name: [UInt8]) -> [[UInt8]] {
        var plain = name[...]
        var found: [[UInt8]] = []
        if plain.count > packed.count, plain.suffix(3).elementsEqual(packed) {
            plain = plain.dropLast(packed.count)
            found.append(Array(plain))
        }
        func cut(_ part: ArraySlice<UInt8>, before end: ArraySlice<UInt8>) {
            for index in part.indices.reversed() {
                if index > part.startIndex, separators.contains(part[index]) {
                    let base = Array(part[..<index]) + end
                    if RotatedName(Array(plain), of: base) != nil { found.append(base) }
                }
                guard isDigit(part[index]) || Array("-_.:T".utf8).contains(part[index]) else {
                    return
                }
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
