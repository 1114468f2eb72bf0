import Encoding
import Model
import Platform
import TestSupport
import Testing

@Suite("Lines are joined to events") struct EventJoinerTests {
    private let limits = EventJoiner.Limits(
        bytes: 20, encoded: 40, lines: 5, silence: 5, age: 60)
    private let file = FileID(number: 1)

    private func place(_ offset: Int, generation: UInt64 = 1) -> EventPlace {
        EventPlace(
            file: FileID(number: Int(generation)), generation: GenerationID(value: generation),
            offset: LogicalOffset(offset))
    }

    /// A piece of a line, or all of it, as container runtimes write them.
    private func piece(
        _ channel: Channel = .stdout, at offset: Int, generation: UInt64 = 1, ends: Bool = false
    ) -> EventLine {
        EventLine(
            channel: channel, place: place(offset, generation: generation), time: Int64(offset),
            beginsEvent: false, endsEvent: ends, isPartial: !ends)
    }

    /// A line of a stack trace, or one that is none.
    private func line(at offset: Int, begins: Bool) -> EventLine {
        EventLine(
            channel: .log, place: place(offset), time: nil, beginsEvent: begins, endsEvent: false,
            isNewLine: true)
    }

    private func add(
        _ text: String, _ line: EventLine, to joiner: inout EventJoiner, now: Int64 = 0
    ) -> EventJoiner.Step {
        let text = Array(text.utf8)
        return joiner.add(
            text.span, line, encoded: text.count, limits, now: MonotonicTime(nanoseconds: now))
    }

    private func text(_ joiner: EventJoiner, _ channel: Channel) -> String? {
        joiner.event(channel).map { String(decoding: $0.text, as: UTF8.self) }
    }

    @Test("A line that ends where it began is an event, and nothing is kept of it")
    func whole() {
        var joiner = EventJoiner()
        #expect(add("a", piece(at: 0, ends: true), to: &joiner) == .whole(isPart: false))
        #expect(joiner.isEmpty)
        #expect(joiner.low(of: GenerationID(value: 1)) == nil)
    }

    @Test("Pieces of stdout and stderr are joined apart, with the time and place of the first")
    func channels() {
        var joiner = EventJoiner()
        #expect(add("a1", piece(at: 0), to: &joiner) == .kept)
        #expect(add("e1", piece(.stderr, at: 10), to: &joiner) == .kept)
        #expect(add("a2", piece(at: 20), to: &joiner) == .kept)
        #expect(add("e2", piece(.stderr, at: 30, ends: true), to: &joiner) == .ends)
        #expect(text(joiner, .stderr) == "e1e2")
        #expect(joiner.event(.stderr)?.place == place(10))
        #expect(joiner.event(.stderr)?.time == 10)
        joiner.close(.stderr, isAtEnd: true)
        #expect(joiner.low(of: GenerationID(value: 1)) == LogicalOffset(0))
        #expect(add("a3", piece(at: 40, ends: true), to: &joiner) == .ends)
        #expect(text(joiner, .stdout) == "a1a2a3")
        joiner.close(.stdout, isAtEnd: true)
        #expect(joiner.low(of: GenerationID(value: 1)) == nil)
        #expect(joiner.bytes == 0)
    }

    @Test("Lines of an event are joined by newlines, and the first of the next one ends it")
    func lines() {
        var joiner = EventJoiner()
        #expect(add("at", line(at: 0, begins: true), to: &joiner) == .kept)
        #expect(add(" b", line(at: 3, begins: false), to: &joiner) == .kept)
        #expect(add("c", line(at: 6, begins: true), to: &joiner) == .first(isAtEnd: true))
        #expect(text(joiner, .log) == "at\n b")
        joiner.close(.log, isAtEnd: true)
        #expect(add("c", line(at: 6, begins: true), to: &joiner) == .kept)
        #expect(joiner.low(of: GenerationID(value: 1)) == LogicalOffset(6))
    }

    @Test("What ended an event and could not be handed over is taken back, and comes again")
    func takenBack() {
        var joiner = EventJoiner()
        _ = add("a", piece(at: 0), to: &joiner)
        #expect(add("b", piece(at: 5, generation: 2, ends: true), to: &joiner) == .ends)
        joiner.takeBack(.stdout)
        #expect(text(joiner, .stdout) == "a")
        #expect(joiner.low(of: GenerationID(value: 2)) == nil)
        #expect(add("b", piece(at: 5, generation: 2, ends: true), to: &joiner) == .ends)
        #expect(text(joiner, .stdout) == "ab")
    }

    @Test(
        "A position waits before an event that ended, too, while one is open that began before its end"
    )
    func overlap() {
        var joiner = EventJoiner()
        let generation = GenerationID(value: 1)
        _ = add("a", piece(at: 0), to: &joiner)
        _ = add("b", piece(.stderr, at: 10), to: &joiner)
        _ = add("a", piece(at: 20, ends: true), to: &joiner)
        joiner.close(.stdout, isAtEnd: true)
        #expect(joiner.low(of: generation) == LogicalOffset(0))
        _ = add("c", piece(at: 30), to: &joiner)
        _ = add("b", piece(.stderr, at: 40, ends: true), to: &joiner)
        joiner.close(.stderr, isAtEnd: true)
        #expect(joiner.low(of: generation) == LogicalOffset(0))
        _ = add("c", piece(at: 50, ends: true), to: &joiner)
        joiner.close(.stdout, isAtEnd: true)
        #expect(joiner.low(of: generation) == nil)
        // What began after that waits for none of it.
        _ = add("d", piece(at: 60), to: &joiner)
        #expect(joiner.low(of: generation) == LogicalOffset(60))
    }

    @Test("Events that overlap without an end hold a position for so long, and no longer")
    func chain() {
        var joiner = EventJoiner()
        let generation = GenerationID(value: 1)
        _ = add("a", piece(at: 0), to: &joiner)
        var channel = Channel.stdout
        for step in 1...600 {
            let next: Channel = channel == .stdout ? .stderr : .stdout
            _ = add("b", piece(next, at: 20 * step), to: &joiner)
            _ = add("e", piece(channel, at: 20 * step + 10, ends: true), to: &joiner)
            joiner.close(channel, isAtEnd: true)
            channel = next
            #expect((joiner.low(of: generation) == LogicalOffset(0)) == (step <= 256))
        }
    }

    @Test("An event has lines of two files, and both wait for its end")
    func rotation() {
        var joiner = EventJoiner()
        _ = add("a", piece(at: 90), to: &joiner)
        _ = add("b", piece(at: 0, generation: 2), to: &joiner)
        _ = add("c", piece(at: 8, generation: 2), to: &joiner)
        #expect(joiner.low(of: GenerationID(value: 1)) == LogicalOffset(90))
        #expect(joiner.low(of: GenerationID(value: 2)) == LogicalOffset(0))
        #expect(joiner.event(.stdout)?.places.count == 2)
    }

    @Test("An event ends where one more line would make it too long, too many lines or files")
    func bounds() {
        var joiner = EventJoiner()
        _ = add(String(repeating: "a", count: 15), piece(at: 0), to: &joiner)
        #expect(add("bbbbbb", piece(at: 20, ends: true), to: &joiner) == .first(isAtEnd: false))
        joiner.close(.stdout, isAtEnd: false)
        // What comes of it yet is its next part.
        #expect(add("bbbbbb", piece(at: 20, ends: true), to: &joiner) == .whole(isPart: true))
        #expect(add("c", piece(at: 40, ends: true), to: &joiner) == .whole(isPart: false))

        for index in 0..<5 { _ = add("l", piece(at: 50 + index), to: &joiner) }
        #expect(add("l", piece(at: 55), to: &joiner) == .first(isAtEnd: false))
        joiner.close(.stdout, isAtEnd: true)

        let long = String(repeating: "d", count: 21)
        #expect(add(long, piece(at: 60), to: &joiner) == .whole(isPart: true))
        #expect(add("e", piece(at: 90), to: &joiner) == .kept)
        #expect(joiner.event(.stdout)?.isPart == true)
    }

    @Test("An event of many files ends before it has lines of a ninth")
    func files() {
        var joiner = EventJoiner()
        var limits = limits
        limits.lines = 100
        let nothing: [UInt8] = []
        for generation in 1...8 {
            let step = joiner.add(
                nothing.span, piece(at: 0, generation: UInt64(generation)), encoded: 0, limits,
                now: .zero)
            #expect(step == .kept)
        }
        let ninth = joiner.add(
            nothing.span, piece(at: 0, generation: 9), encoded: 0, limits, now: .zero)
        #expect(ninth == .first(isAtEnd: false))
    }

    @Test("An event to which nothing is added is over after a while, and so is one that never ends")
    func time() {
        var joiner = EventJoiner()
        var limits = limits
        limits.bytes = 100
        limits.encoded = 100
        limits.lines = 100
        _ = add("a", piece(at: 0), to: &joiner, now: 0)
        #expect(joiner.nextDue(limits) == MonotonicTime(nanoseconds: 5))
        #expect(joiner.overdue(MonotonicTime(nanoseconds: 4), limits).isEmpty)
        let text: [UInt8] = [0x61]
        for now in 1...59 {
            let step = joiner.add(
                text.span, piece(at: now), encoded: 1, limits,
                now: MonotonicTime(nanoseconds: Int64(now)))
            #expect(step == .kept)
        }
        #expect(joiner.nextDue(limits) == MonotonicTime(nanoseconds: 60))
        #expect(joiner.overdue(MonotonicTime(nanoseconds: 60), limits) == [.stdout])
    }

    /// The model: all text of each channel, and the ends of lines in it.
    @Test("However lines come, no text is lost, nor joined over an end", arguments: 0..<40)
    func model(_ seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var joiner = EventJoiner()
        var expected: [Channel: String] = [:]
        var given: [Channel: String] = [:]
        let channels: [Channel] = [.stdout, .stderr]
        var offset = 0
        func hand(_ text: String, _ channel: Channel, ends: Bool) {
            given[channel, default: ""] += text + (ends ? "|" : "")
        }
        for now in 0..<500 {
            let channel = channels[Int.random(in: 0...1, using: &random)]
            let count = Int.random(in: 0...12, using: &random)
            let ends = Int.random(in: 0..<4, using: &random) == 0
            let text = String(
                (0..<count).map { _ in "abcdef".randomElement(using: &random) ?? "a" })
            let line = piece(channel, at: offset, ends: ends)
            offset += 20
            expected[channel, default: ""] += text + (ends ? "|" : "")
            var isDone = false
            while !isDone {
                switch add(text, line, to: &joiner, now: Int64(now)) {
                case .whole:
                    hand(text, channel, ends: ends)
                    isDone = true
                case .kept: isDone = true
                case .first:
                    hand(self.text(joiner, channel) ?? "", channel, ends: false)
                    joiner.close(channel, isAtEnd: false)
                case .ends where Int.random(in: 0..<3, using: &random) == 0:
                    joiner.takeBack(channel)
                case .ends:
                    hand(self.text(joiner, channel) ?? "", channel, ends: true)
                    joiner.close(channel, isAtEnd: true)
                    isDone = true
                }
                #expect(joiner.bytes <= 2 * limits.bytes)
            }
            for channel in joiner.overdue(MonotonicTime(nanoseconds: Int64(now)), limits) {
                hand(self.text(joiner, channel) ?? "", channel, ends: false)
                joiner.close(channel, isAtEnd: false)
            }
        }
        for channel in channels {
            hand(text(joiner, channel) ?? "", channel, ends: false)
            #expect(given[channel] == expected[channel])
        }
    }
}
