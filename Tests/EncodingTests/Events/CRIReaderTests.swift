import Encoding
import Platform
import TestSupport
import Testing

@Suite("Lines of the Container Runtime Interface are read") struct CRIReaderTests {
    private func read(_ text: String) -> ContainerLine? {
        var reader = CRIReader()
        return reader.read(Array(text.utf8).span)
    }

    private func text(_ line: String) -> String? {
        read(line).map { String(decoding: Array(line.utf8)[$0.text], as: UTF8.self) }
    }

    @Test(
        "Time, stream, tag and text",
        arguments: [
            ("2026-11-23T05:00:00.123456789Z stdout F a line", 1_795_410_000_123, false, "a line"),
            ("2026-11-23T05:00:00.1Z stderr P  a piece ", 1_795_410_000_100, true, " a piece "),
            ("2026-11-23T05:00:00Z stdout F ", 1_795_410_000_000, false, ""),
            ("2026-11-23T05:00:00Z stdout F", 1_795_410_000_000, false, ""),
            ("2026-11-23T05:00:00.60+02:00 stdout F x", 1_795_402_800_600, false, "x"),
            ("2026-11-23T05:00:00.6-00:30 stdout F x", 1_795_411_800_600, false, "x"),
            ("2026-11-23T05:00:00Z stderr P:a:b x", 1_795_410_000_000, true, "x"),
            ("2016-12-31T23:59:60.5Z stdout F leap", 1_483_228_799_500, false, "leap"),
            ("1970-01-01T00:00:00Z stdout F x", 0, false, "x"),
        ])
    func lines(_ line: String, time: Int64, isPartial: Bool, text: String) throws {
        let found = try #require(read(line))
        #expect(found.milliseconds == time)
        #expect(found.isPartial == isPartial)
        #expect(self.text(line) == text)
        #expect(found.channel == (line.contains(" stderr ") ? .stderr : .stdout))
    }

    @Test(
        "What differs in one byte is no such line",
        arguments: [
            "", "plain", "2026-11-23T05:00:00Z", "2026-11-23T05:00:00Z stdout",
            "2026-11-23T05:00:00Z stdout X x", "2026-11-23T05:00:00Z stdin F x",
            "2026-11-23T05:00:00Z  stdout F x", "2026-11-23 05:00:00Z stdout F x",
            "2026-13-23T05:00:00Z stdout F x", "2026-02-30T05:00:00Z stdout F x",
            "2026-11-23T24:00:00Z stdout F x", "2026-11-23T05:00:00.Z stdout F x",
            "2026-11-23T05:00:00.123456789 stdout F x", "2026-11-23T05:00:00+24:00 stdout F x",
            "2026-11-23T05:00:00.1234567890123Z stdout F x", "2026-11-23T05:00:00Z stdout Fx",
            "2026-11-23T05:00:00Z stdoutt F x", "1969-12-31T23:59:59Z stdout F x",
            "1970-01-01T00:00:00+01:00 stdout F x", "0000-01-01T00:00:00Z stdout F x",
        ])
    func others(_ line: String) { #expect(read(line) == nil) }

    @Test("A reader that has read other lines reads a line no differently", arguments: 0..<20)
    func memory(_ seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var reader = CRIReader()
        for _ in 0..<2_000 {
            let second = Int.random(in: 57...62, using: &random)
            let minute = Int.random(in: 0...1, using: &random)
            let zone = ["Z", "+01:00", "-01:00"].randomElement(using: &random) ?? "Z"
            let digits = Int.random(in: 0...10, using: &random)
            let fraction = digits == 0 ? "" : "." + String("1234567890".prefix(digits))
            let line = Array(
                "2026-11-23T05:0\(minute):\(second)\(fraction)\(zone) stdout F x".utf8)
            var fresh = CRIReader()
            #expect(reader.read(line.span) == fresh.read(line.span))
        }
    }

    @Test(
        "Whatever bytes come, a line is read or is none, and its text is in it", arguments: 0..<50)
    func random(_ seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let good = Array("2026-11-23T05:00:00.123456789Z stdout P:t text and more".utf8)
        var reader = CRIReader()
        for _ in 0..<5_000 {
            var line = Array(good.prefix(Int.random(in: 0...good.count, using: &random)))
            for _ in 0..<Int.random(in: 0...3, using: &random) where !line.isEmpty {
                let place = Int.random(in: 0..<line.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: line[place] = UInt8.random(in: 0...255, using: &random)
                case 1: line.remove(at: place)
                default: line.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: place)
                }
            }
            if let read = reader.read(line.span) {
                #expect(read.text.upperBound == line.count)
                #expect(read.text.lowerBound >= 29)
                #expect(read.milliseconds >= 0 && read.milliseconds < 253_402_300_800_000)
            }
        }
    }
}
