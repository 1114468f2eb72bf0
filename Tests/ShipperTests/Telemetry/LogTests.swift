import Platform
import Synchronization
import TestSupport
import Testing

@testable import Shipper

@Suite("The log is one line an event, whatever the data holds")
struct LogTests {
    /// 2026-11-23T03:38:00.123Z
    private static let time: Int64 = 1_795_405_080_123_456_789

    @Test("Text: time, level, message, then the data; quoted where it is not one plain word")
    func text() {
        let (log, lines) = makeLog(.text)
        log.info("registry opened", ["path": "/var/lib/shipper", "entries": 12, "new": false])
        log.warn(
            "cannot read", ["path": "/data/two words", "key": "a=b", "empty": "", "q": "\"\\"])
        log.error("late", ["by": .duration(.milliseconds(1250)), "name": "Grüße"])
        #expect(
            lines.text == [
                "2026-11-23T03:38:00.123Z info  registry opened path=/var/lib/shipper entries=12 "
                    + "new=false",
                "2026-11-23T03:38:00.123Z warn  cannot read path=\"/data/two words\" key=\"a=b\" "
                    + "empty=\"\" q=\"\\\"\\\\\"",
                "2026-11-23T03:38:00.123Z error late by=1.25s name=Grüße",
            ])
    }

    @Test("JSON: one object a line with ts, level, msg and the data")
    func json() {
        let (log, lines) = makeLog(.json)
        log.info(
            "file opened",
            ["path": "a \"b\"\n\u{1}", "size": 7, "new": true, "after": .duration(.seconds(2))])
        log.debug("nothing else")
        #expect(
            lines.text == [
                #"{"ts":"2026-11-23T03:38:00.123Z","level":"info","msg":"file opened","#
                    + #""path":"a \"b\"\n\u0001","size":7,"new":true,"after":2}"#,
                #"{"ts":"2026-11-23T03:38:00.123Z","level":"debug","msg":"nothing else"}"#,
            ])
    }

    @Test("A file name cannot forge a line, move the cursor or turn the direction")
    func hostileNames() {
        let (log, lines) = makeLog(.text)
        log.warn(
            "refused", ["path": "x\n2026 error forged\r\u{1B}[2J\u{7F}\u{85}\u{202E}\u{E0041}"])
        log.warn("refused", ["path": .bytes([0x61, 0xFF, 0x0A, 0xC3])])
        #expect(
            lines.text == [
                "2026-11-23T03:38:00.123Z warn  refused path=\"x\\n2026 error forged\\r\\u001b[2J"
                    + "\\u007f\\u0085\\u202e\\udb40\\udc41\"",
                "2026-11-23T03:38:00.123Z warn  refused path=\"a\u{FFFD}\\n\u{FFFD}\"",
            ])
    }

    @Test("Levels below the set one are not written, and their data is not made")
    func levels() {
        let (log, lines) = makeLog(.text, level: .warn)
        log.debug("no", ["x": failing()])
        log.info("no", ["x": failing()])
        log.fault(.info, key: "k", "no", ["x": failing()])
        log.warn("yes")
        log.error("yes")
        #expect(lines.text.count == 2)
    }

    @Test(
        "A line is at most 4,096 bytes, cut between characters and still whole",
        arguments: [false, true])
    func bounds(isJSON: Bool) throws {
        let (log, lines) = makeLog(isJSON ? .json : .text)
        let long = "x" + String(repeating: "ü", count: 5000)
        log.info(
            "long",
            ["a": .text(long), "b": .text(long), "c": .text(long), "d": .text(long), "e": 1])
        log.info("control", ["a": .text(String(repeating: "\u{1}", count: 5000)), "z": 1])
        for line in lines.text {
            #expect(line.utf8.count < 4096)
            #expect(!line.contains("\u{FFFD}"))
            #expect(line.hasSuffix(isJSON ? "\"truncated\":true}" : "truncated=true"))
        }
        #expect(lines.text[0].contains("…"))
    }

    @Test("A repeated fault says how often it was kept back, also when it ends")
    func faults() {
        let now = Mutex<Int64>(0)
        let lines = Lines()
        let log = Log(
            level: .debug, format: .text, wallClock: { Self.time },
            monotonicClock: { now.withLock { $0 } }, sink: lines.add)
        for attempt in 0..<10 {
            log.fault(.warn, key: "brokers", "no broker answers", ["attempt": .count(attempt)])
        }
        #expect(lines.text.count == 1)
        log.writeDueFaults()
        #expect(lines.text.count == 1)
        now.withLock { $0 = 30_000_000_000 }
        log.writeDueFaults()
        log.writeDueFaults()
        #expect(
            lines.text.last
                == "2026-11-23T03:38:00.123Z warn  no broker answers attempt=9 repeated=9")
        #expect(lines.text.count == 2)
    }

    @Test(
        "Of events by many names a few are written, and how many were left out, at the end as well")
    func events() {
        let (log, lines) = makeLog(.text)
        for number in 0..<500 {
            log.event(.error, in: "/log", bytes: 10, "bytes lost", ["path": "/log/\(number)"])
        }
        for number in 0..<500 { log.fault(.warn, key: "\(number)", "rejected") }
        #expect(lines.text.count == 10 + 100)
        log.writeDueFaults(all: true)
        let last = lines.text.dropFirst(110).map { $0.dropFirst(25) }
        #expect(
            last.contains(
                "error events left out of this log event=\"bytes lost\" in=/log events=490 bytes=4900"
            ))
        #expect(
            last.contains(
                "warn  events left out of this log event=rejected in=\"other places\" events=380"))
        #expect(last.count == 1 + 20 + 1)
    }

    @Test("Lines that cannot be written are counted, and told when one can")
    func lostLines() {
        let lines = Lines()
        let broken = Atomic<Bool>(true)
        let log = Log(level: .info, format: .text, wallClock: { Self.time }) {
            line throws(SystemError) in
            if broken.load(ordering: .relaxed) { throw SystemError("write", code: .noSpace) }
            lines.add(line)
        }
        log.info("one")
        log.info("two")
        #expect(log.linesLost == 2)
        broken.store(false, ordering: .relaxed)
        log.info("three")
        log.info("four")
        #expect(
            lines.text.map { $0.dropFirst(31) } == [
                "lines of this log could not be written lines=2", "three", "four",
            ])
    }

    /// All of them fit into a pipe, whenever that is read.
    private static let linesOfEach = 12

    @Test("Lines of many threads do not mix on a pipe, and standard error stays open")
    func threads() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent])
        {
            let threads = try (0..<4).map { thread in
                try SystemThread("logger") {
                    do throws(SystemError) {
                        let log = try Log(level: .info, format: .text)
                        let text = String(repeating: "abcdefgh ", count: 100)
                        for line in 0..<LogTests.linesOfEach {
                            log.info(
                                "x",
                                [
                                    "n": .count(thread * LogTests.linesOfEach + line),
                                    "text": .text(text),
                                ])
                        }
                        precondition(log.linesLost == 0)
                    } catch {
                        preconditionFailure("\(error)")
                    }
                }
            }
            for thread in threads { thread.join() }
        }
        let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        let lines = output.split(separator: "\n").filter { $0.contains(" info  x n=") }
        #expect(lines.count == 4 * Self.linesOfEach)
        let text = "text=\"\(String(repeating: "abcdefgh ", count: 100))\""
        #expect(lines.allSatisfy { $0.hasSuffix(text) && $0.hasPrefix("2") })
    }

    private final class Lines: Sendable {
        private let all = Mutex<[UInt8]>([])

        func add(_ line: [UInt8]) { all.withLock { $0 += line } }

        var text: [String] {
            let bytes = all.withLock { $0 }
            precondition(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"))
            return bytes.split(separator: UInt8(ascii: "\n")).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    private func makeLog(_ format: Log.Format, level: Log.Level = .debug) -> (Log, Lines) {
        let lines = Lines()
        let log = Log(level: level, format: format, wallClock: { Self.time }, sink: lines.add)
        return (log, lines)
    }

    private func failing() -> Log.Value {
        Issue.record("data of a level that is off was made")
        return 0
    }
}
