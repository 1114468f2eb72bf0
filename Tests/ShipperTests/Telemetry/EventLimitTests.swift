import Testing

@testable import Shipper

@Suite("What file names and topics can cause fills no log")
struct EventLimitTests {
    /// In a box, for expectations look at values that stay as they are.
    private final class Box {
        private var limit = EventLimit()

        func happened(
            _ kind: String, in place: String, _ level: Log.Level, bytes: Int = 0, at now: Int64
        ) -> Bool {
            limit.happened(kind, in: place, level, bytes: bytes, at: now)
        }

        func due(at now: Int64, all: Bool = false) -> [EventLimit.Omission] {
            limit.due(at: now, all: all)
        }
    }

    private static let second: Int64 = 1_000_000_000

    @Test("of one directory's events ten are told, and the rest in sum at the end of the interval")
    func onePlace() {
        let limit = Box()
        let told = (0..<12_000).count { _ in limit.happened("refused", in: "/log", .warn, at: 0) }
        #expect(told == EventLimit.mostPerPlace)
        #expect(limit.due(at: 29 * Self.second).isEmpty)
        #expect(
            limit.due(at: 30 * Self.second) == [
                .init(kind: "refused", level: .warn, place: "/log", count: 11_990, bytes: 0)
            ])
        #expect(limit.due(at: 90 * Self.second).isEmpty)
        #expect(limit.happened("refused", in: "/log", .warn, at: 31 * Self.second))
    }

    @Test("many directories: a hundred lines, twenty sums, and one for all the others")
    func manyPlaces() {
        let limit = Box()
        var told = 0
        for round in 0..<3 {
            for place in 0..<5_000
            where limit.happened("lost", in: "/\(place)", .error, bytes: 7, at: 0) {
                told += 1
                #expect(round == 0)
            }
        }
        #expect(told == EventLimit.mostPerKind)
        let omissions = limit.due(at: 30 * Self.second)
        #expect(omissions.count == EventLimit.mostPlaces + 1)
        #expect(omissions.last?.place == nil)
        #expect(omissions.reduce(0) { $0 + $1.count } + told == 15_000)
        #expect(omissions.reduce(0) { $0 + $1.bytes } + 7 * told == 7 * 15_000)
    }

    @Test("a directory that is loud takes no line of another, nor one kind those of another")
    func neighbours() {
        let limit = Box()
        for _ in 0..<1_000 { _ = limit.happened("hole", in: "/loud", .info, at: 0) }
        #expect(limit.happened("hole", in: "/quiet", .info, at: 1))
        #expect(limit.happened("lost", in: "/loud", .error, at: 1))
    }

    @Test("what was left out is told when the next one comes late, and at the end of the process")
    func late() {
        let limit = Box()
        for _ in 0..<11 { _ = limit.happened("lost", in: "/a", .error, bytes: .max, at: 0) }
        for _ in 0..<12 {
            _ = limit.happened("lost", in: "/a", .error, bytes: .max, at: 40 * Self.second)
        }
        #expect(
            limit.due(at: 41 * Self.second, all: true) == [
                .init(kind: "lost", level: .error, place: "/a", count: 1, bytes: .max),
                .init(kind: "lost", level: .error, place: "/a", count: 2, bytes: .max),
            ])
    }
}
