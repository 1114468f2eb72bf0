import Testing

@testable import Tailer

@Suite("Names of rotated files")
struct RotatedNameTests {
    private func rotated(_ name: String, of live: String = "app.log") -> RotatedName? {
        RotatedName(Array(name.utf8), of: Array(live.utf8))
    }

    @Test(
        "what logrotate and log frameworks make of a name is known as such",
        arguments: [
            "app.log.1", "app.log.12", "app.log-20261123", "app.log-2026-11-23", "app.log.1.gz",
            "app.log-20261123-1764000000.gz", "app-2026-11-23.log", "app.1.log", "app.log.old",
            "app_2026-11-23.2.log.gz", "app.log.2026-11-23T10:00:00", "app.log.gz",
        ])
    func known(_ name: String) {
        #expect(rotated(name) != nil)
        #expect(RotatedName.bases(of: Array(name.utf8)).contains(Array("app.log".utf8)))
    }

    @Test(
        "other names are not, however alike they look",
        arguments: [
            "app.log", "app.log.", "app.log.bak", "app-error.log", "app.log1", "app", "xapp.log.1",
            "app.log.1.zst", "app.log.1x", "app..log", "app.log.swp", "", "app.log.gz.gz.x",
        ])
    func unknown(_ name: String) {
        #expect(rotated(name) == nil)
        #expect(!RotatedName.bases(of: Array(name.utf8)).contains(Array("app.log".utf8)))
    }

    @Test("a larger number is older, a later date is newer, and between the two nothing is said")
    func order() throws {
        func isOlder(_ a: String, _ b: String) throws -> Bool? {
            try #require(rotated(a)).isOlder(than: try #require(rotated(b)))
        }
        #expect(try isOlder("app.log.10", "app.log.9.gz") == true)
        #expect(try isOlder("app.log.1", "app.log.2") == false)
        #expect(try isOlder("app.log-20261122", "app.log-20261123.gz") == true)
        #expect(try isOlder("app.log-20261123", "app.log.1") == nil)
        #expect(try isOlder("app.log.1", "app.log.1.gz") == nil)
        #expect(try isOlder("app.log.old", "app.log.2") == false)
    }

    @Test("a name without an ending has rotated ones too, and a hidden one is not cut to nothing")
    func withoutEnding() {
        #expect(rotated("syslog.1", of: "syslog") != nil)
        #expect(rotated("syslog-20261123", of: "syslog") != nil)
        #expect(rotated(".log.1", of: ".log") != nil)
        #expect(rotated("-1.log", of: ".log") == nil)
    }

    /// 1. A pod renames a file to and fro, and each event has a name of 250 digits and dots.
    /// 2. With a base for each dot, an event cost the reader a hundred times what it cost the pod.
    @Test(
        "a name that is nothing but digits and separators has few bases, and none that it is not of",
        arguments: [".1", "-1", "1.", "..", "11111111.", "_-"])
    func hostile(_ part: String) {
        let name = Array(("a" + String(repeating: part, count: 127)).utf8.prefix(255))
        for end in ["", ".gz", ".log", ".log.gz"] {
            let whole = name.prefix(255 - end.utf8.count) + Array(end.utf8)
            let bases = RotatedName.bases(of: Array(whole))
            #expect(bases.count <= 21)
            for base in bases { #expect(RotatedName(Array(whole), of: base) != nil) }
        }
    }
}
