import Testing

@testable import Shipper

@Suite("Repeated faults are told once in an interval, with their number")
struct RateLimitTests {
    private let second: Int64 = 1_000_000_000

    @Test("The first is told at once, the next after 30 s with the number kept back")
    func interval() {
        var limit = RateLimit<Int>()
        #expect(limit.happened(0, key: "a", at: 5 * second) == .tell(repeated: 0))
        for tenth in 1..<300 {
            let now = 5 * second + Int64(tenth) * second / 10
            #expect(limit.happened(tenth, key: "a", at: now) == .keepBack)
        }
        #expect(limit.happened(300, key: "a", at: 35 * second) == .tell(repeated: 299))
        #expect(limit.happened(301, key: "a", at: 36 * second) == .keepBack)
        #expect(limit.happened(302, key: "a", at: 66 * second) == .tell(repeated: 1))
    }

    @Test("One key does not silence another")
    func keys() {
        var limit = RateLimit<Int>()
        #expect(limit.happened(0, key: "a", at: 0) == .tell(repeated: 0))
        #expect(limit.happened(0, key: "b", at: 1) == .tell(repeated: 0))
    }

    @Test("The last of a series are told when no other follows, once")
    func due() {
        var limit = RateLimit<Int>()
        for number in 0..<4 { _ = limit.happened(number, key: "a", at: Int64(number)) }
        #expect(limit.due(at: 29 * second).isEmpty)
        let due = limit.due(at: 30 * second)
        #expect(due.map(\.fault) == [3])
        #expect(due.map(\.repeated) == [3])
        #expect(limit.due(at: 31 * second).isEmpty)
        #expect(limit.happened(9, key: "a", at: 32 * second) == .keepBack)
        #expect(limit.due(at: 60 * second).map(\.repeated) == [1])
        #expect(limit.due(at: 90 * second).isEmpty)
        #expect(limit.happened(10, key: "a", at: 91 * second) == .tell(repeated: 0))
    }

    @Test("1,024 keys are remembered; then the one told longest ago goes")
    func bound() {
        var limit = RateLimit<Int>()
        for key in 0..<1024 {
            #expect(limit.happened(key, key: "\(key)", at: Int64(key)) == .tell(repeated: 0))
        }
        #expect(limit.happened(0, key: "0", at: 2000) == .keepBack)
        #expect(limit.forgotten == 0)
        #expect(limit.happened(0, key: "new", at: 2001) == .tell(repeated: 0))
        #expect(limit.forgotten == 1)
        #expect(limit.happened(1, key: "1", at: 2002) == .keepBack)
        #expect(limit.happened(0, key: "0", at: 2003) == .tell(repeated: 0))
    }
}
