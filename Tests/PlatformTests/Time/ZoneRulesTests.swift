import Platform
import TestSupport
import Testing

@Suite("Time zones of the system's database") struct ZoneRulesTests {
    /// What clocks in `zone` show, as `2026-03-29 02:30:00`, as seconds since 1970.
    private func moment(_ zone: String, _ shown: String) throws -> Int64 {
        var clock = LocalClock(try ZoneRules.load(zone))
        return clock.moment(local: try seconds(shown))
    }

    private func seconds(_ shown: String) throws -> Int64 {
        let text = shown.replacing(" ", with: "T") + ".000Z"
        let time = Timestamp(text: Array(text.utf8).span)
        return try #require(time).milliseconds / 1000
    }

    @Test(
        "Summer and winter, history and the years after the last listed transition",
        arguments: [
            ("UTC", "2026-11-23 04:02:35", "2026-11-23 04:02:35"),
            ("Etc/UTC", "2026-11-23 04:02:35", "2026-11-23 04:02:35"),
            ("Europe/Berlin", "2026-07-01 12:00:00", "2026-07-01 10:00:00"),
            ("Europe/Berlin", "2026-12-01 12:00:00", "2026-12-01 11:00:00"),
            ("Europe/Berlin", "2050-07-01 12:00:00", "2050-07-01 10:00:00"),
            ("Europe/Berlin", "2400-12-01 12:00:00", "2400-12-01 11:00:00"),
            ("Europe/Berlin", "1945-06-15 12:00:00", "1945-06-15 09:00:00"),
            ("Europe/Berlin", "1890-01-01 00:53:28", "1890-01-01 00:00:00"),
            ("Europe/Dublin", "2026-07-01 12:00:00", "2026-07-01 11:00:00"),
            ("America/New_York", "2026-07-01 12:00:00", "2026-07-01 16:00:00"),
            ("America/New_York", "2100-01-01 12:00:00", "2100-01-01 17:00:00"),
            ("Australia/Sydney", "2026-01-01 11:00:00", "2026-01-01 00:00:00"),
            ("Australia/Sydney", "2060-07-01 10:00:00", "2060-07-01 00:00:00"),
            ("Asia/Kathmandu", "2026-01-01 05:45:00", "2026-01-01 00:00:00"),
            ("Etc/GMT+5", "2026-01-01 00:00:00", "2026-01-01 05:00:00"),
            ("Pacific/Apia", "2026-01-01 13:00:00", "2026-01-01 00:00:00"),
        ])
    func known(zone: String, shown: String, expected: String) throws {
        #expect(try moment(zone, shown) == seconds(expected))
    }

    @Test("Of an hour that clocks show twice the earlier is meant; one they skip is moved on")
    func setting() throws {
        let berlin = "Europe/Berlin"
        #expect(try moment(berlin, "2026-10-25 01:59:59") == seconds("2026-10-24 23:59:59"))
        #expect(try moment(berlin, "2026-10-25 02:00:00") == seconds("2026-10-25 00:00:00"))
        #expect(try moment(berlin, "2026-10-25 02:59:59") == seconds("2026-10-25 00:59:59"))
        #expect(try moment(berlin, "2026-10-25 03:00:00") == seconds("2026-10-25 02:00:00"))
        #expect(try moment(berlin, "2026-03-29 01:59:59") == seconds("2026-03-29 00:59:59"))
        #expect(try moment(berlin, "2026-03-29 02:00:00") == seconds("2026-03-29 01:00:00"))
        #expect(try moment(berlin, "2026-03-29 02:30:00") == seconds("2026-03-29 01:30:00"))
        #expect(try moment(berlin, "2026-03-29 03:00:00") == seconds("2026-03-29 01:00:00"))
        // Half an hour.
        let island = "Australia/Lord_Howe"
        #expect(try moment(island, "2026-04-05 01:45:00") == seconds("2026-04-04 14:45:00"))
        #expect(try moment(island, "2026-04-05 02:00:00") == seconds("2026-04-04 15:30:00"))
        // A day that never was.
        #expect(try moment("Pacific/Apia", "2011-12-29 23:59:59") == seconds("2011-12-30 09:59:59"))
        #expect(try moment("Pacific/Apia", "2011-12-31 00:00:00") == seconds("2011-12-30 10:00:00"))
    }

    @Test(
        "Two years by half hours are as the C library has them",
        arguments: [
            "Europe/Berlin", "Europe/Dublin", "America/St_Johns", "America/Santiago",
            "Africa/Casablanca", "Asia/Gaza", "Australia/Lord_Howe", "Antarctica/Troll",
            "America/Nuuk", "Asia/Tokyo",
        ])
    func asTheCLibrary(zone: String) throws {
        let directory = try TemporaryDirectory()
        let years = ["2026", "2051"]
        let moments = try years.flatMap { year in
            let first = try seconds("\(year)-01-01 00:15:00")
            return (0..<365 * 48).map { first + 1800 * Int64($0) }
        }
        try directory.write("moments", moments.map { "@\($0)\n" }.joined())
        let date = try ChildProcess(
            "/usr/bin/env",
            ["TZ=\(zone)", "date", "-f", directory.path("moments"), "+%Y-%m-%d %H:%M:%S"])
        let exit = try date.wait()
        #expect(exit == .code(0), "\(date.errors)")
        let shown = date.output.split(separator: "\n").map(String.init)
        #expect(shown.count == moments.count)
        var clock = LocalClock(try ZoneRules.load(zone))
        var seen: Set<Int64> = []
        var wrong: [String] = []
        for (moment, text) in zip(moments, shown) {
            let local = try seconds(text)
            // What is shown a second time means the first.
            guard seen.insert(local).inserted else { continue }
            let found = clock.moment(local: local)
            if found != moment { wrong.append("\(text): \(found), not \(moment)") }
        }
        #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5))")
    }

    @Test("Every zone of the database is read")
    func all() throws {
        let tab = String(decoding: try readFile("/usr/share/zoneinfo/tzdata.zi"), as: UTF8.self)
        var names: [String] = []
        for line in tab.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "Z" { names.append(String(words[1])) }
            if words.first == "L" { names.append(String(words[2])) }
        }
        #expect(names.count > 400)
        // Links of old names are in a package of their own from Debian 13 on.
        let there = names.filter { (try? readFile("/usr/share/zoneinfo/\($0)")) != nil }
        #expect(there.count > 300)
        for name in there {
            #expect(throws: Never.self, "\(name)") { try ZoneRules.load(name) }
        }
    }

    @Test(
        "What is no zone is refused, and no name leads out of the database",
        arguments: [
            "", "/etc/passwd", "../localtime", "Europe//Berlin", "Europe/", "a b", "Zürich",
        ]
    )
    func noNames(name: String) {
        #expect(throws: ZoneError.name) { try ZoneRules.load(name) }
    }

    @Test func whatIsNotThereIsSaidWithThePackageThatWouldHaveIt() {
        for name in ["Europe", "Mars/Olympus", "UTC/x"] {
            let error = #expect(throws: ZoneError.self) { try ZoneRules.load(name) }
            #expect(
                error?.description
                    == "not found in /usr/share/zoneinfo, which Debian's package tzdata fills")
        }
    }
}
