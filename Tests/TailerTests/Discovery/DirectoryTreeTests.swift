import Model
import Patterns
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Scans and watches are shared among directories", .serialized)
struct DirectoryTreeTests {
    private final class Bench {
        let home: TemporaryDirectory
        let tree: DirectoryTree
        let watches: Watches
        var events: [TailerEvent] = []
        /// Whose look has come to its end, by the last names of their paths, in this order.
        var looked: [String] = []
        /// How many calls of `scanSome` there were.
        var calls = 0
        /// Slices that each look takes, and took up to now, by the numbers of scans.
        var slicesOfLook = 1
        private var lookedSlices: [Int: Int] = [:]
        /// Names that are not there and were handed over by the last look at each directory.
        var missing: [String: [String]] = [:]

        init(
            _ pattern: String, watches limit: Int = 1_000,
            fileSystem: FileSystemType = FileSystemType(magic: 0xEF53),
            savedStreams: @escaping (String, UInt64) -> [SavedStream] = { _, _ in [] },
            formers: DirectoryTree.Formers = DirectoryTree.Formers()
        ) throws {
            home = try TemporaryDirectory()
            try home.makeDirectory("logs")
            var tell: (TailerEvent) -> Void = { _ in }
            let intervals = TailerIntervals()
            watches = Watches(limit: limit, intervals: intervals, report: { tell($0) })
            tree = DirectoryTree(
                inputs: [
                    TailerInput(
                        name: "in", paths: [try PathPattern(home.path("logs/\(pattern)"))],
                        exclude: [], maxLine: 1024)
                ], intervals: intervals, watches: watches,
                fileSystem: { _ throws(SystemError) in fileSystem },
                savedStreams: savedStreams, formers: formers, report: { tell($0) })
            tell = { [unowned self] in events.append($0) }
        }

        private var handlers: DirectoryTree.Handlers {
            DirectoryTree.Handlers(
                look: { [unowned self] scan, _, slice in
                    lookedSlices[scan.number, default: 0] += 1
                    if lookedSlices[scan.number] ?? 0 < slicesOfLook { return false }
                    missing[scan.node.text] = scan.scanned?.matches.filter(\.isMissing)
                        .map { PathText.text($0.name) }
                    return true
                },
                ended: { [unowned self] in
                    tree.looked($0.node)
                    looked.append($0.node.text.split(separator: "/").last.map(String.init) ?? "")
                })
        }

        /// Scans until nothing is to be scanned now; each call has a slice that ends at once or never.
        func scanAll(inSlices: Bool = false) {
            while true {
                var slice = inSlices ? Slice(until: 0) : .endless
                guard tree.scanSome(&slice, handlers) else { return }
                calls += 1
            }
        }

        func node(_ path: String) throws -> DirectoryNode {
            var found: DirectoryNode?
            tree.forEachNode { if $0.text == home.path("logs/\(path)") { found = $0 } }
            return try #require(found, "\(path) is not in the tree")
        }

        /// Reads all events, so late that no directory rests.
        func readEvents() {
            let now = MonotonicTime.never
            while watches.read(
                most: 100, changed: { tree.changed($0, appeared: $1, now) }
            ).hasMore {}
        }

        var shortages: [String] {
            events.compactMap {
                guard case .watchesShort(let limit, let path, _) = $0 else { return nil }
                return "\(limit) \(path.dropFirst(home.path("logs/").count))"
            }
        }
    }

    /// 1. A pod makes more events than are read at a time. An s6-log makes an archive, which was open
    ///    before, and that is removed; its directory is listed.
    /// 2. The archive's event comes portions later. With each of them for a reading of its own, it was
    ///    taken for one that had never been open, and told as missed.
    @Test("events that are read in portions are one reading, but not for ever")
    func oneReading() throws {
        let bench = try Bench("*.log")
        for reading in 1...3 {
            bench.tree.beginEvents(goesOn: false)
            for _ in 0..<100 { bench.tree.beginEvents(goesOn: true) }
            #expect(bench.tree.eventReads == reading)
        }
        // More than the kernel ever keeps were read by then.
        for _ in 0..<1_000 { bench.tree.beginEvents(goesOn: true) }
        #expect((5...8).contains(bench.tree.eventReads))
    }

    @Test("a directory with many names is scanned in slices, and its neighbours in between")
    func slices() throws {
        let bench = try Bench("*/*.log")
        for number in 0..<3_000 { try bench.home.write("logs/evil/\(number).log", "") }
        for number in 0..<5 { try bench.home.write("logs/good\(number)/a.log", "") }
        bench.scanAll(inSlices: true)
        #expect(bench.looked.last == "evil")
        #expect(
            bench.looked.sorted() == ["evil", "good0", "good1", "good2", "good3", "good4", "logs"])
        #expect(bench.calls > 3_000 / 64)
        #expect(bench.tree.isQuiet && bench.tree.unlooked == 0)
        // In one go the names are the same.
        #expect(bench.tree.count == 7)
    }

    @Test("more large directories than are scanned at a time: each has its look in the end")
    func manyLarge() throws {
        let bench = try Bench("*/*.log")
        for pod in 0..<12 {
            for number in 0..<200 { try bench.home.write("logs/\(pod)/\(number).log", "") }
        }
        bench.scanAll(inSlices: true)
        #expect(Set(bench.looked).count == 13)
        #expect(bench.tree.isQuiet && bench.tree.unlooked == 0)
    }

    /// 1. Many directories have so much in them that their looks take long; some are given up and begin once
    ///    more.
    /// 2. In each a log is gone that an earlier run has read.
    @Test("what an earlier run has read is looked for by the look that comes to its end, once")
    func savedStreams() throws {
        var asked: [String: Int] = [:]
        let bench = try Bench("*/*.log") { directory, _ in
            asked[directory, default: 0] += 1
            return [SavedStream(path: "\(directory)/gone.log", isOnDevice: true)]
        }
        let pods = (0..<12).map { bench.home.path("logs/pod-\($0)") }
        for pod in 0..<12 { try bench.home.write("logs/pod-\(pod)/a.log", "") }
        bench.slicesOfLook = 6
        bench.scanAll(inSlices: true)
        #expect(pods.allSatisfy { asked[$0] == 1 && bench.missing[$0] == ["gone.log"] })
        for pod in 0..<12 {
            try bench.home.write("logs/pod-\(pod)/b.log", "")
            bench.tree.request(try bench.node("pod-\(pod)"), .never)
        }
        bench.scanAll()
        #expect(pods.allSatisfy { asked[$0] == 1 && bench.missing[$0] == [] })
    }

    /// 1. A directory is found, with files that were saved with another number of its device.
    /// 2. Another one has its name, and then another one.
    @Test(
        "files are compared with the device once for each directory that has the name, before it is looked at"
    )
    func formers() throws {
        var asked = 0
        var compared: [String] = []
        var inode: UInt64 = 0
        var looked = 0
        var error: SystemError?
        let bench = try Bench(
            "*/*.log",
            savedStreams: { _, _ in
                looked = compared.count
                return []
            },
            formers: DirectoryTree.Formers(
                found: { directory, _ in
                    guard directory.hasSuffix("/pod") else { return [] }
                    asked += 1
                    return [inode, 0, 1].map {
                        FormerFile(
                            file: FileID(number: 1), inode: $0, isElsewhere: $0 == 1)
                    }
                },
                look: { _, name, _ throws(SystemError) in
                    compared.append(PathText.text(name))
                    if let error { throw error }
                }))
        func fill() throws {
            inode = try Descriptor.open(try bench.home.write("logs/pod/a.log", ""), 0).status()
                .inode
        }
        try fill()
        bench.scanAll(inSlices: true)
        #expect(asked == 1 && compared == ["a.log", ""] && looked == 2)
        bench.tree.request(try bench.node("pod"), .never)
        bench.scanAll()
        #expect(asked == 1)
        // One that cannot be opened is asked for again.
        error = SystemError("open", code: .permission)
        try rename(bench.home.path("logs/pod"), bench.home.path("away"))
        try fill()
        for round in 2...3 {
            bench.tree.request(try bench.node("pod"), .never)
            bench.scanAll(inSlices: true)
            #expect(asked == round && compared.count == 2 * round && looked == 4)
        }
        error = nil
        for _ in 0..<2 {
            bench.tree.request(try bench.node("pod"), .never)
            bench.scanAll()
            #expect(asked == 4 && compared.count == 8)
        }
    }

    @Test("a directory whose scan took long rests, whatever happens in it; a quick one does not")
    func rest() throws {
        let bench = try Bench("*/*.log")
        try bench.home.makeDirectory("logs/pod")
        bench.scanAll()
        let node = try bench.node("pod")
        let now = MonotonicTime.now()
        node.restUntil = now + 5_000_000_000
        bench.tree.rootLook = RootLook(due: .never)
        bench.tree.request(node, now)
        #expect(bench.tree.isQuiet)
        #expect(bench.tree.nextDue == now + 5_000_000_000)
        bench.tree.advance(now + 5_000_000_000)
        #expect(!bench.tree.isQuiet)
        bench.scanAll()
        node.restUntil = 0
        bench.tree.request(node, now)
        #expect(!bench.tree.isQuiet)
    }

    /// 1. A directory is scanned by the clock each minute, which wakes all of its quiet files.
    /// 2. An event had it scanned, and moved the next minute: up to two passed in between.
    @Test("events do not put off what the clock does")
    func clock() throws {
        let bench = try Bench("*/*.log")
        try bench.home.makeDirectory("logs/pod")
        bench.scanAll()
        let node = try bench.node("pod")
        let due = node.clockDue
        #expect(due < MonotonicTime.now() + 60_000_000_000)
        for round in 0..<10 {
            try bench.home.write("logs/pod/\(round).log", "")
            bench.readEvents()
            bench.scanAll()
            #expect(node.clockDue == due)
        }
        #expect(bench.looked.count { $0 == "pod" } == 11)
        bench.tree.advance(due)
        #expect(node.isByClock && !bench.tree.isQuiet)
    }

    @Test(
        "where others write unseen, a directory is scanned as one without a watch",
        arguments: [0x6969, 0xFF53_4D42, 0x6573_5546, 0x0102_1997] as [UInt32])
    func shared(magic: UInt32) throws {
        let bench = try Bench("*/*.log", fileSystem: FileSystemType(magic: magic))
        try bench.home.makeDirectory("logs/pod")
        bench.scanAll()
        let node = try bench.node("pod")
        #expect(node.watch != nil && !bench.watches.isBelieved(node))
        #expect(node.clockDue < MonotonicTime.now() + 20_000_000_000)
        #expect(bench.tree.unwatchedCount == 2)
        let local = try Bench("*/*.log")
        try local.home.makeDirectory("logs/pod")
        local.scanAll()
        #expect(local.watches.isBelieved(try local.node("pod")))
        #expect(local.tree.unwatchedCount == 0)
    }

    @Test("a pod with 500 directories does not take the watches that its neighbours need")
    func watchShares() throws {
        let bench = try Bench("**/*.log", watches: 40)
        for number in 0..<500 { try bench.home.makeDirectory("logs/evil/a/\(number)") }
        bench.scanAll()
        #expect(bench.watches.count == 40)
        for pod in 0..<5 { try bench.home.makeDirectory("logs/good\(pod)/b/c") }
        bench.readEvents()
        bench.scanAll()
        for pod in 0..<5 {
            for path in ["good\(pod)", "good\(pod)/b", "good\(pod)/b/c"] {
                #expect(bench.watches.isBelieved(try bench.node(path)), "\(path)")
            }
        }
        #expect(bench.watches.count <= 40)
        #expect(try bench.node("evil").watchesBelow <= 24)
        #expect(bench.shortages == ["40 evil"])
        // Who has the most is scanned, and the more seldom the more there are.
        let node = try bench.node("evil")
        #expect(node.unwatchedBelow > 400)
        // What was given back is there for others, and counted.
        for number in 0..<500 { try removeDirectory(bench.home.path("logs/evil/a/\(number)")) }
        bench.tree.request(try bench.node("evil/a"), .never)
        bench.readEvents()
        bench.scanAll()
        #expect(bench.watches.count == 18)
        #expect(try bench.node("evil").watchesBelow == 2)
        #expect(try bench.node("evil").unwatchedBelow == 0)
    }

    /// Deeper than eight directories beneath the prefix, all that a pod has is counted as one directory's.
    @Test(
        "however deep a pod nests its 500 directories, neighbours that come later have their watches",
        arguments: [
            "2/3/4/5/6/N", "2/3/4/5/6/7/N", "2/3/4/5/6/7/8/N", "2/3/4/5/6/7/8/9/10/11/N",
            "2/3/4/5/6/7/8/9/N/11/12", "2/3/4/5/N/7/8/9/10",
        ])
    func deepShares(_ path: String) throws {
        let bench = try Bench("**/*.log", watches: 40)
        for number in 0..<500 {
            try bench.home.makeDirectory("logs/evil/" + path.replacing("N", with: "\(number)"))
        }
        bench.scanAll()
        #expect(bench.watches.count == 40)
        for pod in 0..<5 { try bench.home.makeDirectory("logs/good\(pod)/b/c") }
        bench.readEvents()
        bench.scanAll()
        for pod in 0..<5 {
            for path in ["good\(pod)", "good\(pod)/b", "good\(pod)/b/c"] {
                #expect(bench.watches.isBelieved(try bench.node(path)), "\(path)")
            }
        }
        #expect(bench.watches.count <= 40)
        #expect(try bench.node("evil").watchesBelow <= 24)
        #expect(bench.shortages == ["40 evil"])
        // All that is still watched there is counted, and given back with its directories.
        try rename(bench.home.path("logs/evil"), bench.home.path("away"))
        bench.readEvents()
        bench.scanAll()
        #expect(bench.watches.count == 16)
    }

    /// 1. A pod fills the queue of events, and others' events are lost.
    /// 2. Read as fast as can be, it is full again at once.
    @Test("who has filled the queue of events is not listened to for a while; others are")
    func storm() throws {
        let bench = try Bench("*/*/*.log")
        for pod in ["evil", "good"] { try bench.home.makeDirectory("logs/\(pod)/log") }
        bench.scanAll()
        for _ in 0..<2_000 {
            try bench.home.write("logs/evil/log/a.tmp", "")
            try remove(bench.home.path("logs/evil/log/a.tmp"))
        }
        try bench.home.write("logs/good/log/a.log", "")
        bench.readEvents()
        let now = MonotonicTime.now()
        bench.tree.overflowed(now)
        let (evil, good) = (try bench.node("evil/log"), try bench.node("good/log"))
        #expect(evil.watch == nil && evil.noisyUntil == now + 1_000_000_000)
        #expect(good.watch != nil && !bench.watches.isBelieved(good))
        bench.tree.advance(now)
        bench.scanAll()
        #expect(evil.watch == nil)
        #expect(bench.watches.isBelieved(good))
        #expect(evil.clockDue < MonotonicTime.now() + 20_000_000_000)
        // Then it is tried again.
        bench.watches.watch(evil, try evil.open(), now + 1_000_000_000)
        #expect(bench.watches.isBelieved(evil))
    }

    @Test("a storm from very many directories beneath one comes from one hand")
    func wideStorm() throws {
        let bench = try Bench("*/*/*.log")
        for number in 0..<100 { try bench.home.makeDirectory("logs/evil/\(number)") }
        try bench.home.makeDirectory("logs/good/log")
        bench.scanAll()
        for round in 0..<2_000 {
            try bench.home.write("logs/evil/\(round % 100)/a.tmp", "")
            try remove(bench.home.path("logs/evil/\(round % 100)/a.tmp"))
        }
        bench.readEvents()
        bench.tree.overflowed(MonotonicTime.now())
        for number in 0..<100 { #expect(try bench.node("evil/\(number)").watch == nil) }
        #expect(try bench.node("good/log").watch != nil)
    }

    @Test(
        "after an overflow every watch is made anew, and everything is scanned once for all of them"
    )
    func distrust() throws {
        let bench = try Bench("*/*.log")
        for pod in 0..<20 { try bench.home.makeDirectory("logs/\(pod)") }
        bench.scanAll()
        bench.looked = []
        let now = MonotonicTime.now()
        for _ in 0..<5 {
            bench.tree.overflowed(now)
            bench.tree.advance(now)
            bench.scanAll()
        }
        // Not five times: one that never ends must not have everything scanned all the time.
        #expect(bench.looked.count == 21)
        bench.tree.advance(now + 1_000_000_000)
        bench.scanAll()
        #expect(bench.looked.count == 42)
        bench.tree.forEachNode { #expect(bench.watches.isBelieved($0), "\($0.text)") }
        #expect(bench.watches.count == 21)
    }

    @Test("events are read in portions, and none is lost between two of them")
    func portions() throws {
        let bench = try Bench("*/*.log")
        try bench.home.makeDirectory("logs/pod")
        bench.scanAll()
        // Names of 250 bytes: a bufferful holds some 240 events.
        let long = String(repeating: "x", count: 240)
        for number in 0..<2_000 { try bench.home.write("logs/pod/\(long)\(number)", "") }
        var portions = 0
        var names = 0
        while bench.watches.read(most: 100, changed: { _, name in names += name == nil ? 0 : 1 })
            .hasMore
        { portions += 1 }
        #expect(names == 2_000)
        #expect(portions > 5)
    }
}
