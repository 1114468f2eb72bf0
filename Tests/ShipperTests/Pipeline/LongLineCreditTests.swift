import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Kafka
@testable import Registry
@testable import Shipper
@testable import Tailer

/// Called as the Tailer calls it: it asks for a little at first, and for what a line takes once that is known.
@Suite("A long line that waits for more credit than is free")
struct LongLineCreditTests {
    /// Seconds that pass when a test says so.
    private final class Time: Sendable {
        let now = Mutex(Duration.zero)
    }

    private let time: Time
    private let rig: StageRig
    private let output: ReaderOutput
    /// It begins with a line that takes more than is free.
    private let file: FileID
    private let long = String(repeating: "x", count: 200_000) + "\n"
    /// Where the long line begins.
    private let start = 4
    /// Has all but 100,000 bytes, and gives nothing back.
    private let stuck = (stream: StreamID(number: 99), topic: DestinationID(number: 99))
    private let stuckBytes: Int

    init() throws {
        let time = Time()
        self.time = time
        rig = try StageRig(
            in: TemporaryDirectory(), paths: "/log/*", time: { time.now.withLock { $0 } })
        output = ReaderOutput(rig.parts)
        for number in [1, 2] {
            _ = try #require(
                output.opened(Self.sighting(number, head: "one\n"), onlyIfKnown: false))
        }
        let entries = rig.registry.entries()
        file = try #require(entries.first { $0.identity.inode == 1 }).file
        stuckBytes = rig.budget.limit - 100_000
        // From now on the topic works.
        #expect(take("one\n", at: 0) == 4)
        try rig.waitForDelivery()
        let got = rig.budget.take(
            stuck.stream, of: stuck.topic, atLeast: stuckBytes, atMost: stuckBytes)
        #expect(got == stuckBytes)
    }

    private static func sighting(_ number: Int, head: String) -> FileSighting {
        FileSighting(
            input: 0, stream: StreamID(number: number), streamName: "/log/\(number)", isS6: false,
            path: "/log/\(number)", captures: [:],
            identity: FileIdentity(handle: nil, device: 1, inode: UInt64(number), birth: 5),
            head: Array(head.utf8), begin: Array(head.utf8), size: PhysicalOffset(head.utf8.count),
            archived: false, firstScan: true)
    }

    private func take(_ text: String, at offset: Int) -> Int {
        let bytes = Array(text.utf8)
        defer { output.sendTaken() }
        return output.take(file, bytes.span, Frame.lines(of: bytes, at: LogicalOffset(offset)))
    }

    /// 1. What is on its way to other topics does not come back, and leaves less than the long line takes.
    /// 2. Its stream is asked again every two seconds at least, and there is always room for a little.
    /// 3. Would it take that and give it back, each time its wait would begin anew, and nobody else's turn come.
    @Test("Others ship for half of the time while it asks again and again")
    func turns() throws {
        var inARow = 0
        var longest = 0
        var served = 0
        for second in 0..<200 {
            time.now.withLock { $0 = .seconds(second) }
            #expect(output.hasRoom(StreamID(number: 1)) && take(long, at: start) == 0)
            if output.hasRoom(StreamID(number: 2)) {
                served += 1
                inARow = 0
            } else {
                inARow += 1
                longest = max(longest, inARow)
            }
        }
        #expect((80...120).contains(served) && longest <= 32)
        // When it is there, it goes at once.
        #expect(rig.budget.giveBack(stuck.stream, of: stuck.topic, stuckBytes))
        #expect(take(long + "short\n", at: start) == long.utf8.count + 6)
        try rig.waitForDelivery()
        #expect(rig.counters.recordsDelivered == 3)
        #expect(rig.close() == 0)
    }

    @Test("When the file is truncated, what comes instead is not asked so much for")
    func truncated() throws {
        #expect(take(long, at: start) == 0)
        #expect(take(long, at: start) == 0)
        let again = output.restarted(file, Self.sighting(1, head: "two\n"))
        #expect(again.file == file && take("two\n", at: 0) == 4)
        #expect(take("three\n", at: 4) == 6)
        #expect(rig.close() == 0)
    }

    @Test("When it turns out to be zeros that are passed over, the line behind them is short again")
    func passedOver() throws {
        #expect(take(long, at: start) == 0)
        output.skipped(file, bytes: long.utf8.count)
        #expect(take("two\n", at: start + long.utf8.count) == 4)
        #expect(rig.close() == 0)
    }
}
