import Testing

@testable import Shipper

@Suite("A time in which nothing is read")
struct LullTests {
    @Test("begins once after each burst, and not before its time")
    func begins() {
        var lull = Lull()
        let patience = Lull.patience
        let looks: [(taken: Int, now: Int64, hasBegun: Bool)] = [
            (0, 0, false),
            // Nothing was read yet.
            (0, 10 * patience, false),
            (7, 10 * patience, false),
            (7, 11 * patience - 1, false),
            (7, 11 * patience, true),
            // It goes on.
            (7, 20 * patience, false),
            (8, 20 * patience, false),
            // It was cut short.
            (9, 21 * patience, false),
            (9, 22 * patience, true),
        ]
        for look in looks {
            let hasBegun = lull.hasBegun(taken: look.taken, look.now)
            #expect(hasBegun == look.hasBegun, "\(look)")
        }
    }
}
