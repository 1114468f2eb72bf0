import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Kafka
@testable import Registry
@testable import Shipper
@testable import Tailer

/// The pipeline's side of the reader, with lines that are pieces of events.
@Suite("Positions wait for the ends of events", .overBases) struct ReaderEventsTests {
    let directory: TemporaryDirectory
    private let sent = Sent()

    /// Values of records that were delivered, in order.
    private final class Sent: Sendable {
        private let values = Mutex<[[UInt8]]>([])
        var current: [[UInt8]] { values.withLock { $0 } }
        func add(_ value: [UInt8]) { values.withLock { $0.append(value) } }
    }

    init() throws { directory = try TemporaryDirectory() }

    private func rig() throws -> StageRig {
        let sent = sent
        return try StageRig(
            in: directory, paths: "/log/*", input: "    format: cri",
            released: { batches in
                for batch in batches {
                    for index in 0..<batch.count {
                        let value = batch.withValue(of: index) { bytes in
                            bytes.indices.map { bytes[$0] }
                        }
                        sent.add(value)
                    }
                }
            })
    }

    private func line(_ stream: String, _ tag: String, _ text: String) -> String {
        "2026-11-23T05:00:00Z \(stream) \(tag) \(text)\n"
    }

    private func open(
        _ output: ReaderOutput, _ path: String, inode: UInt64, head: String
    ) throws -> FileStart {
        try #require(
            output.opened(
                sighting(path, inode: inode, head: head, isS6: false), onlyIfKnown: false))
    }

    private func messages() -> [String] {
        sent.current.map { value in
            let text = String(decoding: value, as: UTF8.self)
            let start = text.firstRange(of: #""message":""#)?.upperBound ?? text.startIndex
            return String(text[start...].prefix { $0 != "\"" })
        }
    }

    private func offset(_ rig: StageRig, _ start: FileStart) -> Int? {
        rig.registry.entry(start.file).map { $0.offset - at(0) }
    }

    @Test("A position stays before an event that is open, whatever is sent from behind it")
    func open() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let first = line("stdout", "F", "one")
        let begun = line("stdout", "P", "be")
        let between = line("stderr", "F", "between")
        let start = try open(output, "/log/a", inode: 1, head: first)
        var end = 0
        for text in [first, begun, between] {
            #expect(take(output, start.file, text, at: end) == text.utf8.count)
            end += text.utf8.count
        }
        try rig.waitForDelivery()
        #expect(messages() == ["one", "between"])
        #expect(offset(rig, start) == first.utf8.count)
        // Who opens the file again in this run goes on behind what is kept.
        output.finished(start.file, end: at(end))
        let again = try open(output, "/log/b", inode: 1, head: first)
        #expect(again.file == start.file && again.offset == at(end))
        let last = line("stdout", "F", "gun")
        #expect(take(output, again.file, last, at: end) == last.utf8.count)
        try rig.waitForDelivery()
        #expect(messages() == ["one", "between", "begun"])
        #expect(offset(rig, start) == end + last.utf8.count)
        #expect(output.endOverdue(.never) == nil)
        rig.close()
    }

    @Test(
        "An event over a rotation is one, of the file in which it began, and moves both positions")
    func rotated() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let begun = line("stdout", "F", "one") + line("stdout", "P", "a")
        let first = try open(output, "/log/a.1", inode: 1, head: begun)
        #expect(take(output, first.file, begun, at: 0) == begun.utf8.count)
        output.finished(first.file, end: at(begun.utf8.count))
        let more = line("stdout", "P", "b")
        let second = try open(output, "/log/a", inode: 2, head: more)
        #expect(take(output, second.file, more, at: 0) == more.utf8.count)
        try rig.waitForDelivery()
        #expect(offset(rig, first) == line("stdout", "F", "one").utf8.count)
        #expect(offset(rig, second) == 0)
        let last = line("stdout", "F", "c") + line("stdout", "F", "two")
        #expect(
            take(output, second.file, last, at: more.utf8.count) == last.utf8.count)
        try rig.waitForDelivery()
        #expect(messages() == ["one", "abc", "two"])
        #expect(offset(rig, first) == begun.utf8.count)
        #expect(offset(rig, second) == more.utf8.count + last.utf8.count)
        let document = try #require(sent.current.dropFirst().first)
        let text = String(decoding: document, as: UTF8.self)
        let generation = try #require(rig.registry.entry(first.file)).generation
        #expect(text.contains(#""_id":"\#(generation.digits)-"#))
        #expect(text.contains(#""path":"/log/a.1""#))
        rig.close()
    }

    @Test("Of a topic that never worked, an event over a rotation has room beside what follows it")
    func rotatedAtFirst() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let begun = line("stdout", "P", "a") + line("stderr", "P", "d")
        let first = try open(output, "/log/a.1", inode: 1, head: begun)
        #expect(take(output, first.file, begun, at: 0) == begun.utf8.count)
        output.finished(first.file, end: at(begun.utf8.count))
        // More than a topic may try with.
        let other = line("stdout", "F", String(repeating: "o", count: 1_000))
        let text =
            line("stdout", "F", "b") + line("stderr", "F", "e")
            + String(repeating: other, count: 2 * InFlightBudget.mostTrial / 1_000)
        let second = try open(output, "/log/a", inode: 2, head: String(text.prefix(100)))
        var end = 0
        var round = 0
        while end < text.utf8.count {
            let taken = take(output, second.file, String(text.dropFirst(end)), at: end)
            // Else nothing is on its way that could come back.
            #expect(taken > 0, "\(round)")
            guard taken > 0 else { break }
            end += taken
            round += 1
            try rig.waitForDelivery()
        }
        #expect(messages().prefix(2) == ["ab", "de"])
        #expect(!sent.current.contains { String(decoding: $0, as: UTF8.self).contains("split") })
        #expect(offset(rig, first) == begun.utf8.count)
        #expect(offset(rig, second) == text.utf8.count)
        rig.close()
    }

    @Test("An event ends when nothing more comes of it for a while, and its rest is another part")
    func silence() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let begun = line("stdout", "P", "prompt")
        let start = try open(output, "/log/a", inode: 1, head: begun)
        #expect(take(output, start.file, begun, at: 0) == begun.utf8.count)
        let due = try #require(output.endOverdue(MonotonicTime.now()))
        #expect(due > MonotonicTime.now())
        #expect(output.endOverdue(due) == nil)
        try rig.waitForDelivery()
        #expect(messages() == ["prompt"])
        #expect(offset(rig, start) == begun.utf8.count)
        let rest = line("stdout", "F", "rest")
        #expect(take(output, start.file, rest, at: begun.utf8.count) == rest.utf8.count)
        try rig.waitForDelivery()
        #expect(messages() == ["prompt", "rest"])
        let flags = sent.current.map {
            String(decoding: $0, as: UTF8.self).contains(#""flags":["split"]"#)
        }
        #expect(flags == [true, true])
        rig.close()
    }

    @Test("An event of a file that is removed, or of a log that is, ends with it")
    func gone() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        for (inode, path) in [(UInt64(1), "/log/a"), (2, "/log/b")] {
            let begun = line("stdout", "P", path)
            let start = try open(output, path, inode: inode, head: begun)
            #expect(take(output, start.file, begun, at: 0) == begun.utf8.count)
            output.finished(start.file, end: at(begun.utf8.count))
            if inode == 1 { output.gone(start.file) } else { output.ended(StreamID(number: 1)) }
            output.sendTaken()
            try rig.waitForDelivery()
            #expect(messages().last == path)
            if inode == 1 { #expect(rig.registry.entry(start.file) == nil) }
        }
        rig.close()
    }

    @Test("With --once what is open at the end ends there")
    func once() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let begun = line("stdout", "P", "out") + line("stderr", "P", "err")
        let start = try open(output, "/log/a", inode: 1, head: begun)
        #expect(take(output, start.file, begun, at: 0) == begun.utf8.count)
        output.endEvents()
        try rig.waitForDelivery()
        #expect(messages() == ["out", "err"])
        #expect(offset(rig, start) == begun.utf8.count)
        rig.close()
    }

    @Test("Without room an event stays open, and is sent whole once there is some")
    func noRoom() throws {
        let rig = try rig()
        try rig.broker.takeDown()
        let output = ReaderOutput(rig.parts)
        let piece = line("stdout", "P", String(repeating: "p", count: 10_000))
        let end = line("stdout", "F", "end")
        let pair = piece + end
        let start = try open(output, "/log/a", inode: 1, head: String(pair.prefix(100)))
        let text = String(repeating: pair, count: 20)
        var position = 0
        var taken = 0
        repeat {
            taken = take(
                output, start.file, String(text.dropFirst(position % pair.utf8.count)), at: position
            )
            position += taken
        } while taken > 0
        try rig.broker.bringUp()
        try rig.waitForDelivery()
        let rest = pair.utf8.count - position % pair.utf8.count
        #expect(
            take(output, start.file, String(pair.suffix(rest)), at: position) == rest)
        try rig.waitForDelivery()
        #expect(offset(rig, start) == position + rest)
        let whole = String(repeating: "p", count: 10_000) + "end"
        #expect(messages().count == (position + rest) / pair.utf8.count)
        #expect(messages().allSatisfy { $0 == whole })
        rig.close()
    }

    @Test("However many streams never end an event, what is kept of them is bounded")
    func bounded() throws {
        let rig = try rig()
        let output = ReaderOutput(rig.parts)
        let piece = line("stdout", "P", String(repeating: "p", count: 200_000))
        var most = 0
        for stream in 0..<200 {
            var found = sighting(
                "/log/\(stream)", inode: UInt64(stream + 1), head: String(piece.prefix(100)),
                size: PhysicalOffset(1 << 30), isS6: false)
            found = FileSighting(
                input: 0, stream: StreamID(number: stream), streamName: "/log/\(stream)",
                isS6: false, path: found.path, captures: [:], identity: found.identity,
                head: found.head, begin: found.begin, size: found.size, archived: false,
                firstScan: true)
            let start = try #require(output.opened(found, onlyIfKnown: false))
            try eventually("there is room for its line") {
                take(output, start.file, piece, at: 0) > 0
            }
            most = max(most, output.openEvents.total)
        }
        #expect(most <= OpenStreams.most + piece.utf8.count)
        #expect(most > OpenStreams.most / 2)
        output.endEvents()
        try rig.waitForDelivery()
        #expect(messages().count == 200)
        #expect(output.openEvents.total == 0)
        rig.close()
    }
}
