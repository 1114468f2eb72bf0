import Model
import Platform
import Testing

@testable import Rotator

@Suite("O10: when logs are due that are rotated by the clock")
struct RotationClockTests {
    private static let hour: Int64 = 3_600_000_000_000
    private let file = FileID(number: 7)
    private var clock = RotationClock(.utc)

    private func policy(_ schedule: String? = nil, age: Int64? = nil) throws -> RotationPolicy {
        RotationPolicy(
            size: nil, schedule: try schedule.map { try CronSchedule($0) }, age: age, keep: 7)
    }

    private mutating func due(
        _ policy: RotationPolicy, _ now: Int64, _ rotated: Int64? = nil, birth: Int64? = nil
    ) -> Int64? {
        clock.due(file, policy, birth: birth, now: now) { rotated }
    }

    @Test("a time that passed while no agent ran comes once, after the start; others as they come")
    mutating func schedule() throws {
        let policy = try policy("0 3 * * *")
        let day = 24 * Self.hour
        // Rotated at 3:00 two days ago.
        #expect(due(policy, 102 * day, 99 * day + 3 * Self.hour) == 100 * day + 3 * Self.hour)
        clock.passed(file, policy, now: 102 * day)
        #expect(due(policy, 102 * day + 1) == nil)
        #expect(due(policy, 102 * day + 3 * Self.hour - 1) == nil)
        #expect(due(policy, 102 * day + 3 * Self.hour) == 102 * day + 3 * Self.hour)
    }

    @Test("a log that was never rotated waits for the next time, and not for an age that it has")
    mutating func never() throws {
        let day = 24 * Self.hour
        #expect(due(try policy("0 3 * * *"), 100 * day, nil, birth: 0) == nil)
        clock = RotationClock(.utc)
        #expect(due(try policy(age: day), 100 * day, nil, birth: 98 * day) == 99 * day)
        clock = RotationClock(.utc)
        #expect(due(try policy(age: day), 100 * day, 100 * day - 1, birth: 1) == nil)
    }

    @Test("a clock that is set back: neither twice nor never")
    mutating func setBack() throws {
        let policy = try policy("0 * * * *")
        let start = 400_000 * Self.hour
        #expect(due(policy, start, start - 1) == start)
        clock.passed(file, policy, now: start)
        // An hour, as somebody may who mistakes the zone.
        #expect(due(policy, start - Self.hour) == nil)
        #expect(due(policy, start) == nil)
        #expect(due(policy, start + Self.hour) == start + Self.hour)
        // It was wrong by years.
        let then = start - 50_000 * Self.hour + 1
        #expect(due(policy, then) == nil)
        #expect(due(policy, then + Self.hour) != nil)
        // The newest archive is of a time that is to come.
        clock = RotationClock(.utc)
        #expect(due(policy, start + 1, start + 9_000 * Self.hour) == nil)
        #expect(due(policy, start + Self.hour) == start + Self.hour)
    }

    @Test mutating func aLogThatIsGoneIsForgotten() throws {
        let policy = try policy("0 3 * * *")
        #expect(due(policy, Self.hour, 1) == nil)
        clock.keep([])
        // It is asked anew.
        #expect(due(policy, 100 * 24 * Self.hour, 1) == 3 * Self.hour)
    }
}
