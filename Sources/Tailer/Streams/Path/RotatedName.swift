/// A name that rotation gives to an earlier file of an ordinary log: `app.log.1`,
/// `app.log-20261123.zst`, `app-2026-11-23.log`, `app.log.old`.
struct RotatedName {
    /// Tells its place among the rotated files of its log.
    enum Order: Hashable {
        /// The larger, the older.
        case number(Int)
        /// The larger, the newer.
        case date([UInt8])
        /// Nothing that the mark says: the files' times tell.
        case unknown([UInt8])
    }

    let order: Order
    /// Compressed, as far as the name tells: which names are looked at. What is in a file, its
    /// first bytes say.
    let isPacked: Bool
    /// `worker-1.log` beside `worker.log` is mostly a log of its own.
    let mayBeAnotherLog: Bool
    /// The mark stands before the ending: `app-2026-11-23.log`, `app.1.log`.
    let isInfix: Bool

    /// Endings of compressors' files: gzip's, xz's, zstd's and bzip2's, and those of such as can
    /// only be told of.
    private static let packed = [
        "gz", "xz", "zst", "bz2", "Z", "lz4", "lzma", "lzo", "lz", "zip", "7z", "gzip", "zstd",
        "bzip2",
    ].map { Array(".\($0)".utf8) }

    /// Nil where `name` is not one that rotation makes of `live`.
    init?(_ name: [UInt8], of live: [UInt8]) {
        guard name != live, !live.isEmpty else { return nil }
        let dot = live.lastIndex(of: UInt8(ascii: ".")).flatMap { $0 > 0 ? $0 : nil }
        // Beside a log lie a hundred thousand others.
        guard name.starts(with: live[..<(dot ?? live.endIndex)]) else { return nil }
        let plain = name.dropLast(Self.packedEnding(name))
        isPacked = plain.count < name.count
        if plain == live[...] {
            order = .number(0)
            mayBeAnotherLog = false
            isInfix = false
            return
        }
        if let order = Self.order(plain, after: live[...], before: []) {
            self.order = order
            mayBeAnotherLog = false
            isInfix = false
            return
        }
        // `app.log` also becomes `app-2026-11-23.log`.
        guard let dot,
            let order = Self.order(plain, after: live[..<dot], before: live[dot...])
        else { return nil }
        self.order = order
        isInfix = true
        switch order {
        case .number, .unknown: mayBeAnotherLog = plain[dot] != UInt8(ascii: ".")
        case .date: mayBeAnotherLog = false
        }
    }

    /// Logs are written under such names, too: `web-2026-11-28.log`, `worker.1.log`. `app.log.1`
    /// was `app.log`.
    var mayBeAlive: Bool {
        if isPacked { return false }
        if case .date = order { return true }
        return isInfix
    }

    /// A name that is known to be a rotated one for its likeness to another.
    init(like name: [UInt8]) {
        let plain = name.dropLast(Self.packedEnding(name))
        isPacked = plain.count < name.count
        order = .unknown(Array(plain))
        mayBeAnotherLog = false
        isInfix = false
    }

    /// The order that follows from what stands between `stem` and `end`, a separator first.
    private static func order(
        _ name: ArraySlice<UInt8>, after stem: ArraySlice<UInt8>, before end: ArraySlice<UInt8>
    ) -> Order? {
        guard name.count > stem.count + end.count, name.starts(with: stem),
            name.suffix(end.count).elementsEqual(end)
        else { return nil }
        let mark = name.dropFirst(stem.count).dropLast(end.count)
        // An editor's or a tool's copy of the last one.
        if mark.elementsEqual("~".utf8) { return .number(1) }
        guard let first = mark.first, RotationMark.separators.contains(first) else { return nil }
        return RotationMark.order(mark.dropFirst())
    }

    /// The names that compressors give to a file of this name.
    static func packedNames(of name: [UInt8]) -> [[UInt8]] { packed.map { name + $0 } }

    /// Whether the name of a path says that it is compressed.
    static func isPacked(_ path: [UInt8]) -> Bool { packedEnding(path) > 0 }

    /// How long the compressor's ending of a name is; 0 where it has none, or nothing else.
    private static func packedEnding(_ name: [UInt8]) -> Int {
        let ending = packed.first {
            name.count > $0.count && name.suffix($0.count).elementsEqual($0)
        }
        return ending?.count ?? 0
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

    /// Names of one kind can be compared, but for those of the last.
    var kind: Int {
        switch order {
        case .number: 0
        case .date: 1
        case .unknown: 2
        }
    }

    /// Names that `name` may be a rotated one of: few, and mostly none. What it costs grows with
    /// the name's length alone, whatever is in it.
    static func bases(of name: [UInt8]) -> [[UInt8]] {
        var plain = name[...]
        var found: [[UInt8]] = []
        let ending = packedEnding(name)
        if ending > 0 {
            plain = plain.dropLast(ending)
            found.append(Array(plain))
        }
        func cut(_ part: ArraySlice<UInt8>, before end: ArraySlice<UInt8>) {
            var cuts = 0
            for index in part.indices.suffix(RotationMark.longest + 1).reversed() {
                let byte = part[index]
                if index > part.startIndex, RotationMark.separators.contains(byte) {
                    cuts += 1
                    guard cuts <= RotationMark.mostSeparators else { return }
                    if RotationMark.order(part[(index + 1)...]) != nil {
                        found.append(Array(part[..<index]) + end)
                    }
                }
                guard RotationMark.mayHold(byte) else { return }
            }
        }
        if plain.count > 1, plain.last == UInt8(ascii: "~") {
            found.append(Array(plain.dropLast()))
        }
        cut(plain, before: [])
        if let dot = plain.lastIndex(of: UInt8(ascii: ".")) {
            cut(plain[..<dot], before: plain[dot...])
        }
        return found
    }
}
