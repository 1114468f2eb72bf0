/// Finds the slots of a table by a hash of what they hold: 16 bytes for each. Whoever asks compares
/// what is there, for two things may have one hash.
///
/// A dictionary of 100,000 keys that is full moves all of them at once while somebody waits, and
/// has room for twice as many afterwards. This one grows by one bucket with each slot (linear
/// hashing): a bucket is split when its turn comes, and no other is touched.
@frozen package struct SlotIndex: Sendable {
    /// The first slot of each bucket. Empty, or at least `fewest` of them.
    @usableFromInline var heads: [UInt32] = []
    /// By slot.
    @usableFromInline var links: [Link] = []
    @usableFromInline var count = 0

    @frozen @usableFromInline struct Link: Sendable {
        @usableFromInline var hash: UInt32
        @usableFromInline var next: UInt32
        @usableFromInline var previous: UInt32

        @inlinable init(hash: UInt32) {
            self.hash = hash
            next = SlotIndex.none
            previous = SlotIndex.none
        }
    }

    @inlinable static var none: UInt32 { .max }
    @inlinable static var fewest: Int { 8 }

    @inlinable package init() {}

    /// Makes room for so many slots at once.
    @inlinable package mutating func reserve(_ count: Int) {
        heads.reserveCapacity(count)
        links.reserveCapacity(count)
    }

    /// The slot is found by `hash` from now on. It is not in the index, and it is one that was, or
    /// the one after the last.
    @inlinable package mutating func insert(_ slot: Int, _ hash: UInt32) {
        precondition(slot <= links.count, "slot \(slot) of \(links.count) leaves a gap")
        if heads.isEmpty { heads = Array(repeating: Self.none, count: Self.fewest) }
        let empty = Link(hash: hash)
        if slot == links.count { links.append(empty) } else { links[slot] = empty }
        push(UInt32(slot), to: bucket(of: hash))
        count += 1
        if count > heads.count { split() }
    }

    /// The slot is found no more.
    @inlinable package mutating func remove(_ slot: Int) {
        let link = links[slot]
        pass(from: link, over: link.next)
        if link.next != Self.none { links[Int(link.next)].previous = link.previous }
        count -= 1
    }

    /// What was in the slot `old`, which is in the index, is in the slot `new` now, which is not.
    @inlinable package mutating func move(_ old: Int, to new: Int) {
        let link = links[old]
        links[new] = link
        pass(from: link, over: UInt32(new))
        if link.next != Self.none { links[Int(link.next)].previous = UInt32(new) }
    }

    /// A slot with this hash; nil where there is none.
    @inlinable package func first(_ hash: UInt32) -> Int? {
        heads.isEmpty ? nil : search(from: heads[bucket(of: hash)], hash)
    }

    /// Another one with the hash of `slot`, each once.
    @inlinable package func next(after slot: Int) -> Int? {
        let link = links[slot]
        return search(from: link.next, link.hash)
    }

    /// Of a hash of any width.
    @inlinable package static func hash(_ value: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: value)
    }

    @inlinable func search(from start: UInt32, _ hash: UInt32) -> Int? {
        var slot = start
        while slot != Self.none {
            let link = links[Int(slot)]
            if link.hash == hash { return Int(slot) }
            slot = link.next
        }
        return nil
    }

    /// Buckets that were not split yet in this round have what is behind the last one, too.
    @inlinable func bucket(of hash: UInt32) -> Int {
        let round = Self.round(heads.count)
        let index = Int(hash) & (2 * round - 1)
        return index < heads.count ? index : index & (round - 1)
    }

    /// The largest power of two that is not above `count`.
    @inlinable static func round(_ count: Int) -> Int {
        1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
    }

    @inlinable mutating func push(_ slot: UInt32, to bucket: Int) {
        let head = heads[bucket]
        links[Int(slot)].next = head
        links[Int(slot)].previous = Self.none
        if head != Self.none { links[Int(head)].previous = slot }
        heads[bucket] = slot
    }

    /// What led to the slot of `link` leads to `slot`.
    @inlinable mutating func pass(from link: Link, over slot: UInt32) {
        if link.previous == Self.none {
            heads[bucket(of: link.hash)] = slot
        } else {
            links[Int(link.previous)].next = slot
        }
    }

    /// One bucket more, which takes its part of the one whose turn it is.
    @inlinable mutating func split() {
        let new = heads.count
        let old = new - Self.round(new)
        var slot = heads[old]
        heads[old] = Self.none
        heads.append(Self.none)
        while slot != Self.none {
            let link = links[Int(slot)]
            push(slot, to: bucket(of: link.hash))
            slot = link.next
        }
    }
}
