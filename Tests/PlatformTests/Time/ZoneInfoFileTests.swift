import TestSupport
import Testing

@testable import Platform

@Suite("Files of the tz database, and what is none") struct ZoneInfoFileTests {
    private let berlin: [UInt8]

    init() throws { berlin = try readFile("/usr/share/zoneinfo/Europe/Berlin") }

    private func integer(_ number: Int64, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    /// A file of version 2 whose first block is empty; counts as the header has them.
    private func file(
        counts: [Int64], moments: [Int64] = [], types: [UInt8] = [], offsets: [Int64] = [0],
        rule: String = ""
    ) -> [UInt8] {
        let begin = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        var bytes = begin + [UInt8](repeating: 0, count: 24)
        bytes += begin + counts.flatMap { integer($0, bytes: 4) }
        bytes += moments.flatMap { integer($0, bytes: 8) } + types
        bytes += offsets.flatMap { integer($0, bytes: 4) + [0, 0] }
        return bytes + [0x0A] + Array(rule.utf8) + [0x0A]
    }

    private func malformed(_ bytes: [UInt8]) -> ZoneInfoFile.Malformed? {
        do throws(ZoneInfoFile.Malformed) {
            _ = try ZoneInfoFile(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func whatIsWrongIsNamed() {
        #expect(malformed([]) == .short)
        #expect(malformed(Array("# comment".utf8)) == .magic)
        #expect(malformed(file(counts: [0, 0, 0, 0, 1, 0])) == nil)
        #expect(malformed(file(counts: [0, 0, 0, 0, 0, 0], offsets: [])) == .types)
        #expect(malformed(file(counts: [0, 0, 1, 0, 1, 0])) == .leapSeconds)
        #expect(malformed(file(counts: [0, 0, 0, 0, 1, 0], offsets: [99_999])) == .offset)
        #expect(
            malformed(file(counts: [0, 0, 0, 1, 1, 0], moments: [5], types: [1])) == .types)
        #expect(
            malformed(file(counts: [0, 0, 0, 2, 1, 0], moments: [5, 5], types: [0, 0])) == .order)
        #expect(
            malformed(file(counts: [0, 0, 0, 1, 1, 0], moments: [.max], types: [0])) == .order)
        #expect(malformed(file(counts: [0, 0, 0, 0, 1, 0], rule: "CET-1CEST")) == .rule)
        #expect(malformed(file(counts: [0xFFFF_FFFF, 0, 0, 0, 1, 0])) == .short)
        #expect(malformed(file(counts: [0, 0, 0, 0xFFFF_FFFF, 1, 0])) == .short)
        var old = berlin
        old[4] = 0
        #expect(malformed(old) == .version)
    }

    @Test func everyCutAndManyDamagesAreRefusedOrRead() {
        #expect(malformed(berlin) == nil)
        for length in berlin.indices {
            #expect(malformed(Array(berlin[..<length])) != nil, "cut to \(length)")
        }
        var random = SplitMix(seed: 7)
        for _ in 0..<3000 {
            var bytes = berlin
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            do throws(ZoneInfoFile.Malformed) {
                let file = try ZoneInfoFile(bytes)
                let rules = ZoneRules(name: "x", first: file.first, transitions: file.transitions)
                var clock = LocalClock(rules)
                for _ in 0..<10 {
                    let local = Int64.random(in: -62_135_596_800...253_402_300_799, using: &random)
                    #expect(abs(clock.moment(local: local) - local) <= 26 * 3600)
                }
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test(
        "The rule at a file's end",
        arguments: [
            ("CET-1CEST,M3.5.0,M10.5.0/3", [1_774_746_000, 7200, 1_792_890_000, 3600]),
            ("EST5EDT,M3.2.0,M11.1.0", [1_772_953_200, -14_400, 1_793_512_800, -18_000]),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", [1_774_746_000, -3600, 1_792_890_000, -7200]),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", [1_774_746_000, 3600, 1_792_890_000, 0]),
            ("AAA3BBB,J60,J365/1:2:3", [1_772_341_200, -7200, 1_798_686_123, -10_800]),
            ("AAA0BBB,59/0,0/0", [1_767_222_000, 0, 1_772_323_200, 3600]),
            ("AAA0BBB,M12.5.5/167,M1.1.0", [1_767_488_400, 0, 1_767_308_400, 3600]),
        ])
    func rules(text: String, expected: [Int64]) throws {
        let zone = try #require(PosixZone(Array(text.utf8)))
        let found = zone.transitions(after: 1_767_000_000, until: 2026)
        #expect(found.count >= 2)
        let flat = found.flatMap { [$0.moment, $0.offset] }
        let pairs = [[expected[0], expected[1]], [expected[2], expected[3]]]
        let all = stride(from: 0, to: flat.count, by: 2).map { [flat[$0], flat[$0 + 1]] }
        for pair in pairs { #expect(all.contains(pair), "\(text): \(pair) in \(all)") }
        #expect(found.map(\.moment) == found.map(\.moment).sorted())
    }

    @Test func daylightSavingTimeForWholeYearsNeverEnds() throws {
        let zone = try #require(PosixZone(Array("XXX3EDT4,0/0,J365/23".utf8)))
        let rules = ZoneRules(
            name: "x", first: -10_800,
            transitions: zone.transitions(after: 1_600_000_000, until: 2030))
        var clock = LocalClock(rules)
        // Every New Year's hour of five years.
        for day in 20_089..<20_089 + 5 * 366 {
            for hour in 0..<24 {
                let local = Int64(day * 24 + hour) * 3600
                #expect(clock.moment(local: local) == local + 14_400)
            }
        }
    }

    @Test(
        "What is no rule is refused",
        arguments: [
            "", "C-1", "CET", "CET-25", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
            "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,J0,J365", "CET-1CEST,0,366",
            "CET-1CEST,M3.5.0,M10.5.0/3x", "<+01-1", "CET-1:60", "CET-1CEST,M3.5.0,M10.5.0/0003",
        ])
    func noRules(text: String) { #expect(PosixZone(Array(text.utf8)) == nil) }
}
