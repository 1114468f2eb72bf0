import Model
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
            "app.log.2026-11-28T10:15:30Z", "app.log.2026-11-28T10:15:30.123+01:00.gz",
            "app-2026-11-28T10-15-30.123.log", "app.log.28-Nov-2026", "app-2026November28.log",
            "app.log.Sat_28_Nov_2026", "app.log.bak1", "app.log.1.bak", "app.log_r00001",
            "app_r00001.log", "app.log~", "app.log.old2", "app.2026-11-28.log", "app.log.20261128Z",
            "app.log.2026-11-28_10-15-30_PM.gz", "app.log.1764324930",
            "app.log.1.xz", "app.log-20261123.zst", "app-2026-11-23.log.bz2", "app.log.2.Z",
            "app.log.old.lz4",
        ])
    func known(_ name: String) {
        #expect(rotated(name) != nil)
        #expect(RotatedName.bases(of: Array(name.utf8)).contains(Array("app.log".utf8)))
    }

    @Test(
        "other names are not, however alike they look",
        arguments: [
            "app.log", "app.log.", "app.log.bak", "app-error.log", "app.log1", "app", "xapp.log.1",
            "app.log.1.zstx", "app.log.1x", "app..log", "app-v2.log", "app.log.may", "app.log.~1",
            "app-1-error.log", "app.log.offset1", "app-eu1.log", "app.log.T", "app.log.lck",
            "app.log.swp", "", "app.log.gz.gz.x",
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
        #expect(try isOlder("app.log-20261122.zst", "app.log-20261123.xz") == true)
        #expect(try isOlder("app.log.old", "app.log.2") == false)
        #expect(try isOlder("app.2026-11-28.9.log", "app.2026-11-28.10.log") == true)
        #expect(try isOlder("app.log.2026-Nov-28", "app.log.2026-Dec-01") == true)
        #expect(
            try isOlder("app.log.2026-11-28T10:15:30Z", "app.log.2026-11-28T10:15:31Z") == true)
        #expect(try isOlder("app_r00009.log", "app_r00010.log") == nil)
        #expect(try isOlder("app.log.28-11-2026", "app.log.01-12-2026") == nil)
        #expect(try isOlder("app.log.28112026", "app.log.01122026") == nil)
        #expect(try isOlder("app.log.bak1", "app.log.bak2") == nil)
    }

    @Test("a name without an ending has rotated ones too, and a hidden one is not cut to nothing")
    func withoutEnding() {
        #expect(rotated("syslog.1", of: "syslog") != nil)
        #expect(rotated("syslog-20261123", of: "syslog") != nil)
        #expect(rotated(".log.1", of: ".log") != nil)
        #expect(rotated("-1.log", of: ".log") == nil)
    }

    @Test("a number or a word in a name makes a log of its own of it, a date does not")
    func another() {
        for name in ["app-1.log", "app_2.log", "app-bak1.log", "app-1-2.log"] {
            #expect(rotated(name)?.mayBeAnotherLog == true, "\(name)")
        }
        for name in ["app-2026-11-28.log", "app.1.log", "app.log.bak1"] {
            #expect(rotated(name)?.mayBeAnotherLog == false, "\(name)")
        }
    }

    @Test("what one file was renamed to tells of the others, and of none that is merely near")
    func learnt() {
        func bytes(_ name: String) -> [UInt8] { Array(name.utf8) }
        let stream = LogStream(
            id: StreamID(number: 1), kind: .path, name: "/log/app_rCURRENT.log",
            liveName: bytes("app_rCURRENT.log"), input: 0, captures: [:])
        #expect(stream.rotated(bytes("app_r00002.log")) == nil)
        stream.learn(bytes("app_r00001.log"))
        #expect(stream.rotated(bytes("app_r00002.log")) != nil)
        #expect(stream.rotated(bytes("app_r123456.log")) != nil)
        for name in ["app_rCURRENT.log", "app_r2.txt", "bpp_r00002.log", "app_r00002.log.x"] {
            #expect(stream.rotated(bytes(name)) == nil, "\(name)")
        }
        // One name tells of no other.
        stream.learn(bytes("kept.log"))
        #expect(stream.rotated(bytes("kept.log")) == nil)
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
