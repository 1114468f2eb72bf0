import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

@Suite("Streams that fall asleep and are woken, with a reader of their own")
struct DormancyTests {
    private let directory: TemporaryDirectory
    private let output = RecordingOutput()
    private static let count = 24

    init() throws {
        directory = try TemporaryDirectory()
        for index in 0..<Self.count { try directory.write("\(index).log", "first \(index)\n") }
    }

    private func path(_ index: Int) -> String { directory.path("\(index).log") }

    private var asleep: Int { output.state.withLock { $0.asleep.count } }

    /// `awake`: those that may not be dormant, beside the four that may be open.
    private func waitForSleep(awake: Int = 0) throws {
        try eventually("all but the open ones are dormant; \(asleep) are") {
            output.count >= Self.count && asleep >= Self.count - 4 - awake
        }
    }

    @Test("Where few files may be open the others are dormant, and whatever happens to them comes")
    func stories() throws {
        let tailer = try startTailer(output, [directory.path("*.log")], openFiles: 4, watches: 0) {
            $0.mostAwake = 0
        }
        defer { tailer.stop() }
        try waitForSleep()
        try eventually("figures count them") { tailer.figures.streams == Self.count }
        for index in 0..<Self.count {
            switch index % 4 {
            case 0: try directory.append("\(index).log", "second \(index)\n")
            case 1:
                try rename(path(index), path(index) + ".1")
                try directory.write("\(index).log", "second \(index)\n")
            case 2: try directory.write("\(index).log", "anew \(index)\n")
            default: break
            }
        }
        let expected = (0..<Self.count).flatMap { index in
            switch index % 4 {
            case 0, 1: ["first \(index)", "second \(index)"]
            case 2: ["first \(index)", "anew \(index)"]
            default: ["first \(index)"]
            }
        }
        try eventually("every line comes") { output.count >= expected.count }
        for index in 0..<Self.count {
            let own = expected.filter { $0.hasSuffix(" \(index)") }
            #expect(output.texts(path(index)) == own)
        }
        // Something is known of those with a rotated file, and of those that were written anew.
        try waitForSleep(awake: Self.count / 2)
    }

    @Test(
        "T15: refilled to the size that it had while it was dormant, with the same ends: read anew")
    func refilled() throws {
        let ending = String(repeating: "-", count: 80)
        func lines(_ name: String) -> [String] {
            ["banner" + ending] + (101...120).map { "\(name) \($0)" + ending }
        }
        func text(_ name: String) -> String { lines(name).map { $0 + "\n" }.joined() }
        for index in 0..<Self.count { try directory.write("\(index).log", text("a")) }
        let tailer = try startTailer(output, [directory.path("*.log")], openFiles: 4, watches: 0) {
            $0.mostAwake = 0
        }
        defer { tailer.stop() }
        let expected = lines("a") + lines("b")
        try eventually("the first content") { output.count == Self.count * expected.count / 2 }
        try waitForSleep()
        for index in 0..<Self.count {
            try Descriptor.open(path(index), O_WRONLY).write(Array(text("b").utf8))
        }
        try eventually("the second content") { output.count >= Self.count * expected.count }
        for index in 0..<Self.count { #expect(output.texts(path(index)) == expected) }
    }

    /// Polls are an hour apart, and no scan comes.
    @Test("A watch tells of a dormant one's next line, and stays its own through sleep")
    func watched() throws {
        let tailer = try startTailer(
            output, [directory.path("*.log")], openFiles: 4, watchedScan: 3_600_000_000_000
        ) {
            $0.idle = 20_000_000
            $0.slowestPoll = 3_600_000_000_000
        }
        defer { tailer.stop() }
        for round in 1...2 {
            try waitForSleep()
            try eventually("each has a watch; \(tailer.figures.watches) are there") {
                tailer.figures.watches == Self.count + 1
            }
            for index in 0..<Self.count {
                try directory.append("\(index).log", "round \(round) of \(index)\n")
            }
            try eventually("every line comes; \(output.count) did") {
                output.count == (1 + round) * Self.count
            }
        }
    }

    @Test(
        "What was on its way when a watched one came to rest keeps it awake for a while, not for ever"
    )
    func late() throws {
        output.state.withLock { $0.isOnItsWay = true }
        let tailer = try startTailer(
            output, [directory.path("*.log")], openFiles: 4, watchedScan: 3_600_000_000_000
        ) {
            $0.idle = 200_000_000
            $0.slowestPoll = 3_600_000_000_000
        }
        defer { tailer.stop() }
        try eventually("each has a watch; \(tailer.figures.watches) are there") {
            tailer.figures.watches == Self.count + 1
        }
        #expect(asleep == 0)
        output.state.withLock { $0.isOnItsWay = false }
        try waitForSleep()
    }
}
