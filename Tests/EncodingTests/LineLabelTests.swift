import Encoding
import Platform
import TestSupport
import Testing

@Suite("Labels of lines") struct LineLabelTests {
    private static let berlin = "Europe/Berlin"

    private func read(
        _ line: [UInt8], zone: String = "UTC", tai64n: LabelFormat.TAI64N = .skalibs,
        takesT: Bool = true
    ) throws -> LineLabel? {
        var reader = LabelReader(
            LabelFormat(tai64n: tai64n, zone: try ZoneRules.load(zone), takesT: takesT))
        return reader.label(of: line.span)
    }

    /// The label's time and what is behind it.
    private func parts(
        _ line: String, zone: String = "UTC", tai64n: LabelFormat.TAI64N = .skalibs,
        takesT: Bool = true
    ) throws -> [String]? {
        let bytes = Array(line.utf8)
        guard let label = try read(bytes, zone: zone, tai64n: tai64n, takesT: takesT) else {
            return nil
        }
        return [
            Timestamp(milliseconds: label.milliseconds).description,
            String(decoding: bytes[label.length...], as: UTF8.self),
        ]
    }

    @Test(
        "TAI64N as skalibs writes it",
        arguments: [
            ("@40000000586846a500000000 ", "2017-01-01T00:00:00.000Z"),
            ("@4000000065e07a152f072f40 ", "2024-02-29T12:34:56.789Z"),
            ("@400000006b03bb0027d04f81 ", "2026-11-23T04:02:35.667Z"),
            ("@400000000000000a00000000 ", "1970-01-01T00:00:00.000Z"),
            ("@400000000000000a3b9ac9ff ", "1970-01-01T00:00:00.999Z"),
            // Before the first leap second, in it, and behind it; and so with the last.
            ("@4000000004b2580900000000 ", "1972-06-30T23:59:59.000Z"),
            ("@4000000004b2580a00000000 ", "1972-06-30T23:59:59.000Z"),
            ("@4000000004b2580b00000000 ", "1972-07-01T00:00:00.000Z"),
            ("@40000000586846a300000000 ", "2016-12-31T23:59:59.000Z"),
            ("@40000000586846a41dcd6500 ", "2016-12-31T23:59:59.500Z"),
            ("@4000003afff441a400000000 ", "9999-12-31T23:59:59.000Z"),
        ])
    func skalibs(label: String, expected: String) throws {
        #expect(try parts(label + "a message") == [expected, "a message"])
        #expect(try parts(label) == [expected, ""])
    }

    @Test("TAI64N as daemontools and runit write it is ten seconds from UTC, without leap seconds")
    func daemontools() throws {
        #expect(
            try parts("@400000005868468a00000000 x", tai64n: .daemontools)
                == ["2017-01-01T00:00:00.000Z", "x"])
        #expect(
            try parts("@4000000004b2580a00000000 x", tai64n: .daemontools)
                == ["1972-07-01T00:00:00.000Z", "x"])
    }

    @Test("What clocks show is the time of the zone; only the two blanks of s6-log are cut")
    func calendar() throws {
        let line = "2026-11-23 04:02:35.685382704   indented"
        #expect(try parts(line) == ["2026-11-23T04:02:35.685Z", " indented"])
        #expect(
            try parts(line, zone: Self.berlin) == ["2026-11-23T03:02:35.685Z", " indented"])
        #expect(
            try parts("2026-07-23 04:02:35.999999999  ", zone: Self.berlin)
                == ["2026-07-23T02:02:35.999Z", ""])
        #expect(
            try parts("2024-02-29 00:00:00.000000000  x") == ["2024-02-29T00:00:00.000Z", "x"])
        #expect(
            try parts("1969-12-31 19:00:00.000000000  x", zone: "America/New_York")
                == ["1970-01-01T00:00:00.000Z", "x"])
    }

    @Test("svlogd's forms are UTC whatever the zone; its -ttt is a label only where it may be one")
    func svlogd() throws {
        let time = "2026-11-23T04:02:35.685Z"
        #expect(
            try parts("2026-11-23_04:02:35.68538 x y", zone: Self.berlin) == [time, "x y"])
        #expect(
            try parts("2026-11-23T04:02:35.68538 x y", zone: Self.berlin) == [time, "x y"])
        #expect(try parts("2026-11-23T04:02:35.68538 x", takesT: false) == nil)
        #expect(try parts("2026-11-23_04:02:35.68538 x", takesT: false) == [time, "x"])
    }

    @Test("Both labels of one moment are cut, and TAI64N tells the time")
    func both() throws {
        let label = "@400000006b049b1027e6bcda "
        let time = "2026-11-23T19:58:35.669Z"
        #expect(
            try parts(label + "2026-11-23 20:58:35.669433050  hello") == [time, "hello"])
        #expect(try parts(label + "2026-11-23 20:58:35.669433050  ") == [time, ""])
        // Another moment: the application's own text.
        for own in [
            "2026-11-23 20:58:35.669433051  hello", "2026-13-23 20:58:35.669433050  hello",
            "2026-11-23 20:58:35.669433050 hello", "2026-11-23_20:58:35.66943 x",
            "@400000006b049b1027e6bcda x", "x",
        ] {
            #expect(try parts(label + own) == [time, own])
        }
    }

    @Test("A leap second is one only where there was one")
    func leapSecond() throws {
        #expect(
            try parts("2016-12-31 23:59:60.500000000  x") == ["2016-12-31T23:59:59.500Z", "x"])
        #expect(
            try parts("2017-01-01 00:59:60.500000000  x", zone: Self.berlin)
                == ["2016-12-31T23:59:59.500Z", "x"])
        #expect(try parts("2017-12-31 23:59:60.500000000  x") == nil)
        #expect(try parts("2016-12-31 22:59:60.500000000  x") == nil)
    }

    @Test(
        "What only looks like a label is text",
        arguments: [
            "", "@", "plain", "@400000006b03bb0027d04f81", "@400000006b03bb0027d04f81\tx",
            "@400000006b03bb0027d04f8 x y", "@400000006b03bb0027d04f81x y",
            "@400000006B03BB0027D04F81 x", "@40000000gb03bb0027d04f81 x",
            // A second of 10^9 nanoseconds; before 1970; after 9999; far beyond.
            "@400000006b03bb003b9aca00 x", "@400000006b03bb00ffffffff x",
            "@400000000000000900000000 x", "@000000000000000a00000000 x",
            "@4000003afff441c000000000 x", "@ffffffffffffffff00000000 x",
            "@7fffffffffffffff00000000 x", "@800000000000000a00000000 x",
            "@c00000000000000a00000000 x",
            "2026-11-23 04:02:35.685382704 one blank", "2026-11-23 04:02:35.68538270  x",
            "2026-11-23 04:02:35,685382704  x", "2026-11-23T04:02:35.685382704  x",
            "2026-11-23 04:02:35.6853827o4  x", "2026-13-23 04:02:35.685382704  x",
            "2026-00-23 04:02:35.685382704  x", "2026-02-29 04:02:35.685382704  x",
            "2026-11-31 04:02:35.685382704  x", "2026-11-00 04:02:35.685382704  x",
            "2026-11-23 24:02:35.685382704  x", "2026-11-23 04:60:35.685382704  x",
            "2026-11-23 04:02:61.685382704  x", "0000-11-23 04:02:35.685382704  x",
            "1969-12-31 23:59:59.999999999  x", " 2026-11-23 04:02:35.685382704  x",
            "2026-11-23 04:02:35.685382704 ", "2026-11-23 4:02:35.6853827041   x",
            "2026-11-23T04:02:35.68538Z x", "2026-11-23T04:02:35.685 message",
            "2026-11-23_04:02:35.685382 x", "2026-11-23-04:02:35.68538 x",
        ])
    func noLabel(line: String) throws { #expect(try parts(line) == nil) }

    @Test("Garbage, and labels with bytes changed, never trap and never give an impossible time")
    func garbage() throws {
        let lines = [
            "@400000006b049b1027e6bcda 2026-11-23 20:58:35.669433050  hello",
            "2026-11-23 20:58:35.669433050  hello", "2026-11-23_20:58:35.66943 hello",
            "9999-12-31 23:59:59.999999999  hello", "@4000003afff441a400000000 hello",
        ].map { Array($0.utf8) }
        let letters = Array("0123456789abcdef@ -:._T\u{7F}".utf8) + [0, 0xFF]
        var random = SplitMix(seed: 5)
        var readers = try ["UTC", Self.berlin, "Pacific/Apia"].flatMap { zone in
            try LabelFormat.TAI64N.allCases.map { tai64n in
                LabelReader(
                    LabelFormat(tai64n: tai64n, zone: try ZoneRules.load(zone), takesT: true))
            }
        }
        var labels = 0
        for round in 0..<60_000 {
            var line = lines[round % lines.count]
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let place = Int.random(in: line.indices, using: &random)
                line[place] = letters[Int.random(in: letters.indices, using: &random)]
            }
            line.removeLast(Int.random(in: 0...line.count, using: &random) / 3)
            if round % 7 == 0 {
                for index in line.indices {
                    line[index] = UInt8.random(in: 0...255, using: &random)
                }
            }
            let index = round % readers.count
            guard let label = readers[index].label(of: line.span) else { continue }
            labels += 1
            #expect([26, 31, 57].contains(label.length) && label.length <= line.count)
            #expect((0...253_402_300_799_999).contains(label.milliseconds))
        }
        #expect(labels > 10_000)
    }

    @Test("Labels around every leap second mean what the real s6-tai64nlocal shows for them")
    func asSkalibs() throws {
        var labels: [String] = []
        var random = SplitMix(seed: 11)
        let seconds = { (seconds: UInt64) in
            let digits = String(1 << 62 + seconds, radix: 16)
            return "@" + String(repeating: "0", count: 16 - digits.count) + digits
        }
        let nanoseconds = { (number: UInt32) in
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }
        // Leap seconds are the last of a June or December from 1972 on.
        for year in 1972...2030 {
            for month in [1, 7] {
                let text = "\(year)-0\(month)-01T00:00:00.000Z"
                let time = Timestamp(text: Array(text.utf8).span)
                let first = try #require(time).milliseconds / 1000
                for second in first + 5...first + 40 {
                    labels.append(seconds(UInt64(second)) + nanoseconds(500_000_000))
                }
            }
        }
        for _ in 0..<2000 {
            let second = UInt64.random(in: 10...7_000_000_000, using: &random)
            labels.append(
                seconds(second)
                    + nanoseconds(UInt32.random(in: 0...999_999_999, using: &random)))
        }
        let directory = try TemporaryDirectory()
        try directory.write("labels", labels.map { "\($0) x\n" }.joined())
        let program = try ChildProcess(
            try findProgram("s6-tai64nlocal", package: "s6"), ["-g"],
            input: .file(directory.path("labels")))
        #expect(try program.wait() == .code(0))
        let shown = program.output.split(separator: "\n").map(String.init)
        #expect(shown.count == labels.count)
        for (label, text) in zip(labels, shown) {
            let stamp = text.dropLast() + " x"
            #expect(try parts(label + " x") == parts(String(stamp)), "\(label) \(stamp)")
            #expect(try parts(label + " \(stamp)")?[1] == "x")
        }
    }

    /// A reader keeps the second of the line before. Whatever lines follow one another, and whatever
    /// byte of one is wrong, each is read as if it were the first.
    @Test(
        "The line before changes nothing in how a line is read",
        arguments: ["UTC", "Europe/Berlin"], [false, true])
    func memory(zone: String, takesT: Bool) throws {
        let seconds = [
            "2026-11-23 20:58:35.", "2026-11-23 20:58:36.", "2026-11-23_20:58:35.",
            "2026-11-23T20:58:35.", "2026-10-25 02:30:00.", "2016-12-31 23:59:60.",
            "2026-11-23 20:58:60.", "1969-12-31 23:59:59.", "9999-12-31 23:59:59.",
        ]
        let format = LabelFormat(
            tai64n: .skalibs, zone: try ZoneRules.load(zone), takesT: takesT)
        var random = SplitMix(seed: 7)
        var reader = LabelReader(format)
        var labels = 0
        for _ in 0..<5_000 {
            let second = seconds[Int(random.next() % UInt64(seconds.count))]
            let isLong = second.utf8.dropFirst(10).first == UInt8(ascii: " ")
            let fraction = String(1_000_000_000 + random.next() % 1_000_000_000).dropFirst()
            var line = Array((second + fraction.prefix(isLong ? 9 : 5)).utf8)
            line += Array((isLong ? "  a message" : " a message").utf8)
            if random.next() % 4 == 0 {
                line[Int(random.next() % 31)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 16 == 0 { line.removeLast(Int(random.next() % 20)) }
            var fresh = LabelReader(format)
            let label = reader.label(of: line.span)
            #expect(label == fresh.label(of: line.span), "\(String(decoding: line, as: UTF8.self))")
            if label != nil { labels += 1 }
        }
        #expect(labels > 1_000)
    }
}
