import Glibc
import Testing

@testable import Platform

@Suite("Numbers from outside") struct OutsideNumberTests {
    private static let extremes: [Int] = [
        .min, .min + 1, -(1 << 60) - 1, -(1 << 60), -1, 0, 1, (1 << 60) - 1, 1 << 60, (1 << 60) + 1,
        .max - 1, .max,
    ]

    /// What 128 bits have room for, cut to 64.
    private func cut(_ number: Int128) -> Int { Int(clamping: number) }

    @Test("Sums, differences and products stop at the ends of their type", arguments: extremes)
    func arithmetic(_ a: Int) {
        for b in Self.extremes {
            // The macro does not know that these bind closer than a comparison.
            let (sum, difference, product) = (a +| b, a -| b, a *| b)
            #expect(sum == cut(Int128(a) + Int128(b)))
            #expect(difference == cut(Int128(a) - Int128(b)))
            #expect(product == cut(Int128(a) * Int128(b)))
            var grown = a
            grown +|= b
            #expect(grown == sum)
        }
    }

    @Test("Unsigned numbers stop at 0 and at their largest")
    func unsigned() {
        for a in UInt8.min...UInt8.max {
            for b in UInt8.min...UInt8.max {
                let (sum, difference, product) = (a +| b, a -| b, a *| b)
                let isRight =
                    sum == UInt8(clamping: Int(a) + Int(b))
                    && difference == UInt8(clamping: Int(a) - Int(b))
                    && product == UInt8(clamping: Int(a) * Int(b))
                if !isRight { Issue.record("\(a) and \(b): \(sum), \(difference), \(product)") }
            }
        }
    }

    @Test("A count is within 0...2^60, and the sum of seven is a number", arguments: extremes)
    func counts(_ number: Int) {
        let count = OutsideNumber.count(number)
        #expect(count == min(max(number, 0), 1 << 60))
        #expect(count + count + count + count + count + count + count >= 0)
        #expect(OutsideNumber.count(UInt64.max) == 1 << 60)
    }

    @Test("The difference of any two times is a number", arguments: extremes)
    func times(_ seconds: Int) {
        for nanoseconds in Self.extremes {
            let time = OutsideNumber.time(seconds: Int64(seconds), nanoseconds: Int64(nanoseconds))
            #expect(time - OutsideNumber.mostTime <= 0)
            #expect(time + OutsideNumber.mostTime >= 0)
        }
        let usual = OutsideNumber.time(seconds: 1_795_406_555, nanoseconds: 7)
        #expect(usual == 1_795_406_555_000_000_007)
        #expect(OutsideNumber.time(seconds: -1, nanoseconds: 1) == -999_999_999)
    }

    @Test("A counter stays at the largest number, from several threads too")
    func counter() throws {
        let counter = Shared()
        let threads = try (0..<4).map { _ in
            try SystemThread("adder") { for _ in 0..<10_000 { counter.value.add(3) } }
        }
        for thread in threads { thread.join() }
        #expect(counter.value.now == 120_000)
        for number in Self.extremes { counter.value.add(number) }
        counter.value.add(.max)
        counter.value.add(.max)
        #expect(counter.value.now == .max)
        counter.value.add(-5)
        #expect(counter.value.now == .max - 5)
    }

    private final class Shared: Sendable { let value = SaturatingCounter() }

    @Test(
        "Whatever a file system says of a file, its size and times are within bounds",
        arguments: extremes)
    func status(_ number: Int) {
        var raw = stat()
        raw.st_size = number
        raw.st_blocks = number
        raw.st_nlink = UInt(bitPattern: number)
        raw.st_mtim = timespec(tv_sec: number, tv_nsec: 999_999_999)
        raw.st_ctim = timespec(tv_sec: number, tv_nsec: number)
        let status = FileStatus(raw)
        #expect(status.size == min(max(number, 0), 1 << 60))
        #expect(status.isTooLarge == (number > 1 << 60))
        #expect((0...1 << 60).contains(status.allocated))
        #expect(status.links >= 0)
        let bound = OutsideNumber.mostTime
        #expect((-bound...bound).contains(status.modified.nanoseconds))
        #expect((-bound...bound).contains(status.changed.nanoseconds))
        #expect(status.modified.nanoseconds - status.changed.nanoseconds <= 2 * bound)
    }

    @Test("A saved time of any year has nanoseconds", arguments: extremes)
    func savedTimes(_ milliseconds: Int) {
        let time = Timestamp(milliseconds: Int64(milliseconds))
        let bound = OutsideNumber.mostTime
        #expect((-bound...bound).contains(time.nanoseconds))
        #expect(Timestamp(milliseconds: 1_795_406_555_685).nanoseconds == 1_795_406_555_685_000_000)
    }
}
