/// A dictionary in 64 parts. One part at a time grows: a single dictionary of 100,000 keys that is
/// full hashes them all again at once, and the four of an `EntryTable` in one call, while the data
/// path waits for 60 ms and more.
struct Shards<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var count: Int { 64 }
    private var parts = [[Key: Value]](repeating: [:], count: Self.count)

    /// Makes room for `total` values at once.
    mutating func reserve(_ total: Int) {
        // Keys are not spread so evenly that each part gets the same.
        let each = total / Self.count * 9 / 8
        for part in parts.indices { parts[part].reserveCapacity(each) }
    }

    subscript(_ key: Key) -> Value? {
        get { parts[Self.part(of: key)][key] }
        _modify { yield &parts[Self.part(of: key)][key] }
    }

    mutating func removeValue(forKey key: Key) -> Value? {
        parts[Self.part(of: key)].removeValue(forKey: key)
    }

    /// A dictionary hashes with a seed of its own, so within a part the keys are spread as ever.
    private static func part(of key: Key) -> Int {
        Int(truncatingIfNeeded: key.hashValue) & (count - 1)
    }
}
