/// A dictionary whose values lie side by side: it takes what they take and 24 bytes for each, where
/// the standard library's takes twice what they take, and it never moves all of them to other
/// places of a larger table at once (`SlotIndex`). In no order, which changes when one leaves.
@frozen package struct DenseTable<Key: TableKey, Value> {
    /// By slot.
    @usableFromInline var keys: [Key] = []
    /// The same; never nil but while one is changed.
    @usableFromInline var values: [Value?] = []
    @usableFromInline var index = SlotIndex()

    @inlinable package init() {}

    /// How many there are.
    @inlinable package var count: Int { keys.count }

    /// What is there now, by slot.
    @inlinable package var allKeys: [Key] { keys }

    /// The value of a key, which is changed where it lies.
    @inlinable package subscript(key: Key) -> Value? {
        get { slot(of: key).flatMap { values[$0] } }
        _modify {
            if let slot = slot(of: key) {
                defer { if values[slot] == nil { remove(slot) } }
                yield &values[slot]
            } else {
                var value: Value?
                defer {
                    if let value {
                        index.insert(keys.count, key.tableHash)
                        keys.append(key)
                        values.append(value)
                    }
                }
                yield &value
            }
        }
    }

    /// All of them, as `body` makes something of each.
    @inlinable package func compactMap<Made>(_ body: (Key, Value) -> Made?) -> [Made] {
        keys.indices.compactMap { slot in values[slot].flatMap { body(keys[slot], $0) } }
    }

    @inlinable func slot(of key: Key) -> Int? {
        var slot = index.first(key.tableHash)
        while let found = slot, keys[found] != key { slot = index.next(after: found) }
        return slot
    }

    /// The last one takes its place.
    @inlinable mutating func remove(_ slot: Int) {
        index.remove(slot)
        let last = keys.count - 1
        if slot != last {
            index.move(last, to: slot)
            keys.swapAt(slot, last)
            values.swapAt(slot, last)
        }
        keys.removeLast()
        values.removeLast()
    }
}

extension DenseTable: Sendable where Value: Sendable {}

/// What a `DenseTable` is asked for.
package protocol TableKey: Equatable, Sendable {
    /// The same for equal ones, and spread over all of its bits.
    var tableHash: UInt32 { get }
}

extension FileID: TableKey {
    @inlinable package var tableHash: UInt32 { Self.spread(number) }

    /// Numbers are counted up, so the middle of a product tells them apart.
    @inlinable static func spread(_ number: Int) -> UInt32 {
        let product = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15
        return UInt32(truncatingIfNeeded: product >> 32)
    }
}

extension StreamID: TableKey {
    @inlinable package var tableHash: UInt32 { FileID.spread(number) }
}
