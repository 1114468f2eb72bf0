import Testing

@testable import Platform
@testable import Tailer

/// What has a date in its name may be a log that is written to, or what rotation has made of one.
@Suite("Logs with a date in their names") struct DatedLogsTests {
    private let bench: ParkingBench

    init() throws { bench = try ParkingBench(mostOpen: 10) }

    /// The one of `names`, of a log that is not there, that is written to.
    private func live(_ names: String..., of base: String = "web.log") -> String? {
        let names = names.map { Array($0.utf8) }
        return bench.table.liveDated(names, of: Array(base.utf8), in: bench.node).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func isRotated(_ name: String, _ others: String...) -> Bool {
        let entries = others.enumerated().map {
            DirectoryEntry(name: Array($1.utf8), inode: UInt64($0 + 1), kind: .regular)
        }
        return bench.table.isRotated(Array(name.utf8), beside: Array("worker.log".utf8), entries)
    }

    @Test("of several days' the newest is written to, in whatever order they are listed")
    func newest() {
        let names = ["web-2026-11-27.log", "web-2026-11-28.log", "web-2026-11-29.log"]
        for first in 0..<3 {
            let (a, b, c) = (names[first], names[(first + 1) % 3], names[(first + 2) % 3])
            #expect(live(a, b, c) == "web-2026-11-29.log")
            #expect(live(c, b, a) == "web-2026-11-29.log")
        }
        #expect(
            live("web-2026-11-28.log", "web-2026-11-28.10.log", "web-2026-11-28.9.log")
                == "web-2026-11-28.10.log")
    }

    @Test("numbers are no days, and what is compressed is written to by no application")
    func others() {
        #expect(live("web.1.log", "web.2.log", of: "web.log") == nil)
        #expect(live("web-2026-11-29.log.gz") == nil)
        #expect(live("web-2026-11-28.log", "web-2026-11-29.log.gz") == "web-2026-11-28.log")
        #expect(live("web-28-11-2026.log") == nil)
        #expect(live() == nil)
    }

    /// 1. `app.log` is renamed to `app.log-20261129`, and its next file is still to come.
    /// 2. Read as a log of its own, it would have its lines twice.
    @Test("a date behind the whole name was given by rotation, where the log was read before")
    func behind() throws {
        #expect(live("app.log-20261129", of: "app.log") == "app.log-20261129")
        try bench.write("app.log", "one\n")
        try bench.settle()
        #expect(live("app.log-20261129", of: "app.log") == nil)
        // In the middle it was not.
        #expect(live("app-20261129.log", of: "app.log") == "app-20261129.log")
    }

    @Test("unless one of them was a log of its own before: then the newest is one, too")
    func livedBefore() throws {
        try bench.write("app.log", "one\n")
        try bench.settle()
        let old = Array("app.log-20261128".utf8)
        #expect(live("app.log-20261128", "app.log-20261129", of: "app.log") == nil)
        bench.node.streams[old] = bench.node.streams[Array("app.log".utf8)]
        #expect(
            live("app.log-20261128", "app.log-20261129", of: "app.log") == "app.log-20261129")
    }

    @Test("a number in the middle of a name is rotation's, unless that file is rotated itself")
    func numbered() {
        #expect(!isRotated("worker.1.log", "worker.1.log", "worker.2.log", "worker.log.1"))
        #expect(isRotated("worker.1.log", "worker.1.log.1"))
        #expect(isRotated("worker.1.log", "other.log", "worker.1.log-20261128.gz"))
        // What rotation has made is compressed at most, and a compressor's file is not rotated.
        #expect(!isRotated("worker.1.log", "worker.1.log.gz"))
        #expect(!isRotated("worker.1.log.gz", "worker.1.log.gz.1"))
        // Behind the whole name, the number is rotation's.
        #expect(!isRotated("worker.log.1", "worker.log.1.1"))
        // Another one's.
        #expect(!isRotated("worker.1.log", "worker.2.log.1"))
        #expect(!isRotated("another.1.log", "another.1.log.1"))
    }
}
