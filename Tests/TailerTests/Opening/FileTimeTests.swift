import Glibc
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("What time it is, files' own file system says")
struct FileTimeTests {
    private static let second: Int64 = 1_000_000_000

    @Test(
        "A file that was written since the start is not earlier than the start, whatever clock it is by",
        arguments: [-86_400, -3_600, -30, 0, 30, 86_400] as [Int64], [1, 2 * second])
    func start(ahead: Int64, tick: Int64) {
        let begin: MonotonicTime = 1_000_000_000_000
        /// What the file system's clock shows so much later.
        func time(_ later: Int64) -> FileTime {
            let time = 1_795_936_372_611_000_007 + ahead * Self.second + later
            return FileTime(nanoseconds: time - time % tick)
        }
        var times = StartTimes(start: begin)
        #expect(times.time(on: 1) == .min)
        for age: Int64 in [500, 3, 90] {
            // Something that was last changed long before it is seen.
            let now = begin + 20_000_000
            times.saw(1, changed: time(-age * Self.second), now)
        }
        // What is written soon after the start, and seen later, is the best that is to be had.
        for written: Int64 in [1, 40_000_000, 700_000_000] {
            times.saw(1, changed: time(written), begin + written + 5_000_000)
        }
        #expect(times.time(on: 1) <= time(0))
        #expect(times.time(on: 1) > time(0) - 5 * Self.second)
        // A clock that is set later says nothing of the start; another device has its own.
        times.isSettled = true
        times.saw(1, changed: time(3_600 * Self.second), begin + 10 * Self.second)
        #expect(times.time(on: 1) <= time(0))
        times.saw(2, changed: .max, begin)
        times.saw(3, changed: .min, begin)
        #expect(times.time(on: 3) == .min)
    }

    @Test("How long a file has been as it is, our own clock says, from the first look at it")
    func stillness() throws {
        let home = try TemporaryDirectory()
        let path = try home.write("a", "one\n")
        let stillness = Stillness()
        func look(_ now: MonotonicTime) throws -> Int64 {
            stillness.time(of: try FileStatus.glance(at: Array(path.utf8)), now)
        }
        for seconds in [0, 1_000_000_000, 4_000_000_000] {
            try setTime(of: path, seconds: seconds)
            #expect(try look(100) == 0)
            #expect(try look(5_000) == 4_900)
            #expect(try look(9_000) == 8_900)
        }
        try home.append("a", "two\n")
        #expect(try look(10_000) == 0)
        // Others beside it are forgotten when nobody asks for them any more, and it is not.
        for number in 0..<1_000 {
            let other = try home.write("b\(number)", "x")
            let now = MonotonicTime.zero + Int64(number) * 1_000_000_000
            #expect(stillness.time(of: try FileStatus.glance(at: Array(other.utf8)), now) == 0)
            _ = try look(now + 20_000)
        }
        #expect(try look(2_000_000_000_000) == 2_000_000_000_000 - 10_000)
    }
}
