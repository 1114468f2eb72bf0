import Synchronization

/// A count that several threads add to and read without a lock. It stays at the largest `Int` when
/// what is added to it goes beyond: an `Atomic`'s own `add` would stop the process.
package struct SaturatingCounter: ~Copyable, Sendable {
    private let value = Atomic<Int>(0)

    package init() {}

    /// The count at this moment; additions of other threads may be missing in it.
    package var now: Int { value.load(ordering: .relaxed) }

    /// `count` may be negative.
    package borrowing func add(_ count: Int) {
        var known = value.load(ordering: .relaxed)
        while true {
            let (isDone, found) = value.weakCompareExchange(
                expected: known, desired: known +| count, ordering: .relaxed)
            if isDone { return }
            known = found
        }
    }
}
