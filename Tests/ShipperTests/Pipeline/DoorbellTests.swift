import Synchronization
import Testing

@testable import Shipper

@Suite("A doorbell is heard by all who listen") struct DoorbellTests {
    private final class Listener: Sendable {
        let rings = Atomic(0)
        var count: Int { rings.load(ordering: .relaxed) }
        func hear() { rings.add(1, ordering: .relaxed) }
    }

    /// 1. A reader starts, and waits for credit at once.
    /// 2. Credit comes back before it listens.
    /// 3. Without that ring it would wait until the next one, which may never come.
    @Test("Who begins to listen hears what was rung before; who does not is not waited for")
    func rings() {
        let doorbell = Doorbell()
        let (first, second) = (Listener(), Listener())
        doorbell.ring()
        doorbell.listen(first.hear)
        #expect(first.count == 1)
        doorbell.ring()
        doorbell.listen(second.hear)
        #expect((first.count, second.count) == (2, 1))
        doorbell.ring()
        #expect((first.count, second.count) == (3, 2))
    }
}
