import Model
import Patterns
import Platform
import TestSupport
import Testing

@testable import Tailer

/// What is looked at because nobody tells of it costs so much and no more, however many there are.
/// Counted, and not timed: an interval is what is between two looks.
@Suite("Looks by the clock are bounded in sum, and shared", .serialized)
struct LookRoundTests {
    private static let second: Int64 = 1_000_000_000

    @Test("D4: all looks together are one in each spread, whoever has how many")
    func sum() {
        var random = SplitMix(seed: 7)
        for _ in 0..<200 {
            let shares = (0..<Int.random(in: 1...300, using: &random)).map { _ in
                Int.random(in: 0...9, using: &random) == 0
                    ? Int.random(in: 1...100_000, using: &random)
                    : Int.random(in: 1...3, using: &random)
            }
            var round = LookRound(spread: 1_000_000)
            round.count = shares.reduce(0, +)
            round.shares = shares.count
            var looks = 0.0
            for own in shares {
                let length = round.length(own: own)
                looks += Double(own) * Double(Self.second) / Double(length)
                // Who has few is seen in time, and nobody is left out.
                #expect(length <= Int64(2 * shares.count * own) * 1_000_000)
                #expect(length <= Int64(2 * round.count) * 1_000_000)
            }
            #expect(looks <= 1_000.1, "\(shares)")
        }
        #expect(LookRound(spread: .max).length(own: .max) == 0)
    }

    private final class Bench {
        let home: TemporaryDirectory
        let tree: DirectoryTree
        let watches: Watches

        init(watches limit: Int, magic: UInt32 = 0xEF53) throws {
            home = try TemporaryDirectory()
            try home.makeDirectory("logs")
            let intervals = TailerIntervals()
            watches = Watches(limit: limit, intervals: intervals, report: { _ in })
            tree = DirectoryTree(
                inputs: [
                    TailerInput(
                        name: "in", paths: [try PathPattern(home.path("logs/*/*/*.log"))],
                        exclude: [], maxLine: 1024)
                ], intervals: intervals, watches: watches,
                fileSystem: { _ throws(SystemError) in FileSystemType(magic: magic) },
                report: { _ in })
        }

        func scanAll() {
            let handlers = DirectoryTree.Handlers(
                look: { _, _, _ in true }, ended: { [tree] in tree.looked($0.node) })
            var slice = Slice.endless
            while tree.scanSome(&slice, handlers) {}
        }

        /// Each directory once more, by the clock; the scans of a second, at the most, as they are
        /// due after that.
        func scansInSecond() -> Double {
            tree.advance(MonotonicTime.now() + 3_600 * LookRoundTests.second)
            let before = MonotonicTime.now()
            scanAll()
            var scans = 0.0
            tree.forEachNode {
                scans += Double(LookRoundTests.second) / Double($0.due - before)
            }
            return scans
        }

        func node(_ path: String) throws -> DirectoryNode {
            var found: DirectoryNode?
            tree.forEachNode { if $0.text == home.path("logs/\(path)") { found = $0 } }
            return try #require(found, "\(path) is not in the tree")
        }

        /// Directories that were watched anew, or lost their watch, change one of these.
        func watched() -> [String: Int] {
            var numbers: [String: Int] = [:]
            tree.forEachNode { if $0.watch != nil { numbers[$0.text] = $0.watchNumber } }
            return numbers
        }
    }

    @Test(
        "D4: unwatched directories: so many scans in a second, and neighbours are seen each second")
    func unwatched() throws {
        let bench = try Bench(watches: 1_000, magic: 0x6969)
        for number in 0..<1_500 { try bench.home.makeDirectory("logs/evil/\(number)") }
        for pod in 0..<3 { try bench.home.makeDirectory("logs/good\(pod)/log") }
        bench.scanAll()
        #expect(bench.tree.unwatchedCount == 1_508)
        #expect(bench.scansInSecond() <= Double(DirectoryTree.mostScansByClock))
        let now = MonotonicTime.now()
        #expect(try bench.node("good0/log").due <= now + Self.second)
        #expect(try bench.node("evil/7").due <= now + 13 * Self.second)
    }

    @Test("D4: directories that cannot be read are no exception")
    func trouble() throws {
        let bench = try Bench(watches: 5_000)
        for number in 0..<1_500 { try bench.home.makeDirectory("logs/evil/\(number)") }
        bench.scanAll()
        #expect(bench.tree.unwatchedCount == 0)
        let now = MonotonicTime.now()
        var isSoon = true
        bench.tree.forEachNode { node in
            // What is over in a moment is seen in time.
            bench.tree.retry(node, now)
            if node.soonDue > now + Self.second { isSoon = false }
            node.hasTrouble = false
            node.soonDue = .never
            node.vainRetries = 9
        }
        #expect(isSoon)
        bench.tree.forEachNode { bench.tree.retry($0, now) }
        var last = MonotonicTime.zero
        bench.tree.forEachNode { last = max(last, $0.soonDue) }
        #expect(last > now + 11 * Self.second)
        #expect(bench.tree.unwatchedCount == 1_502)
        bench.tree.advance(now + 3_600 * Self.second)
        bench.scanAll()
        #expect(bench.tree.unwatchedCount == 0)
    }

    /// 1. Each of a great many pods has three directories and files to watch, and there are watches
    ///    for half of that.
    /// 2. Each that asked for one had all pods compared, and one watch taken from another, which
    ///    asked for it again.
    @Test("D4: where watches are short nobody loses one at rest, and few are compared for each")
    func atRest() throws {
        let bench = try Bench(watches: 900)
        for pod in 0..<600 { try bench.home.makeDirectory("logs/\(pod)/log") }
        bench.scanAll()
        for _ in 0..<3 { _ = bench.scansInSecond() }
        #expect(bench.watches.count == 900)
        #expect(bench.watches.comparisons < 40 * 600, "\(bench.watches.comparisons)")
        let (before, watched) = (bench.watches.comparisons, bench.watched())
        _ = bench.scansInSecond()
        #expect(bench.watched() == watched)
        #expect(bench.watches.comparisons - before < 10 * 600)
    }
}
