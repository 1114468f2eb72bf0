import Model
import Patterns
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Followed links in the tree: what many of them cost, and whom", .serialized)
struct LinkTreeTests {
    /// Pods in `logs`, whose links lead to `far`.
    private final class Bench {
        let home: TemporaryDirectory
        let watches: Watches
        let map: Territories
        let tree: DirectoryTree
        /// Whose scan has come to its end, by their paths beneath `home`, in this order.
        var looked: [String] = []
        /// What was found by the last look at each of them.
        var found: [String: [String]] = [:]
        var whenLooked: (String) -> Void = { _ in }

        init(_ pattern: String = "*/*.log", _ change: (inout TailerIntervals) -> Void = { _ in })
            throws
        {
            home = try TemporaryDirectory()
            try home.makeDirectory("logs")
            try home.makeDirectory("far")
            var intervals = TailerIntervals()
            change(&intervals)
            watches = Watches(limit: 1_000, intervals: intervals, report: { _ in })
            let inputs = [
                TailerInput(
                    name: "in", paths: [try PathPattern(home.path("logs/\(pattern)"))],
                    exclude: [], maxLine: 1024, linkRoots: [home.path("far")])
            ]
            map = Territories(inputs)
            tree = DirectoryTree(
                inputs: inputs, intervals: intervals, watches: watches,
                fileSystem: { _ throws(SystemError) in FileSystemType(magic: 0xEF53) },
                territory: Territory(map, reader: 0), report: { _ in })
        }

        func link(_ name: String, to target: String) throws {
            try makeLink(home.path(name), to: home.path(target))
        }

        /// How many slices it took.
        @discardableResult func scanAll(inSlices: Bool = false) -> Int {
            let handlers = DirectoryTree.Handlers(
                look: { [unowned self] scan, _, _ in
                    found[name(scan.node)] = scan.scanned?.matches.map { PathText.text($0.name) }
                    return true
                },
                ended: { [unowned self] in
                    tree.looked($0.node)
                    looked.append(name($0.node))
                    whenLooked(name($0.node))
                })
            var slices = 0
            while true {
                var slice = inSlices ? Slice(until: 0) : .endless
                guard tree.scanSome(&slice, handlers) else { return slices }
                slices += 1
            }
        }

        private func name(_ node: DirectoryNode) -> String {
            String(node.text.dropFirst(home.path("").count))
        }

        func node(_ path: String) throws -> DirectoryNode {
            var found: DirectoryNode?
            tree.forEachNode { if $0.text == home.path(path) { found = $0 } }
            return try #require(found, "\(path) is not in the tree")
        }

        /// Long after whatever was scanned last.
        func request(_ path: String) throws {
            let node = try node(path)
            node.restUntil = .zero
            tree.request(node, .now())
            tree.advance(.now())
        }

        /// All that falls due by itself up to the end of time, once.
        func scanAllAgain() {
            tree.forEachNode { $0.restUntil = .zero }
            tree.unwatchedAll()
            scanAll()
        }
    }

    @Test("X5, F6: thousands of links to one directory go at once: that is followed up in slices")
    func manyGo() throws {
        let bench = try Bench("*.log")
        try bench.home.makeDirectory("far/pod")
        for number in 0..<2_000 {
            try bench.link("logs/\(number).log", to: "far/pod/\(number).log")
        }
        bench.scanAll()
        #expect(try bench.node("far/pod").linked?.count == 2_000)
        for number in 0..<2_000 { try remove(bench.home.path("logs/\(number).log")) }
        try bench.request("logs")
        #expect(bench.scanAll(inSlices: true) > 2_000 / 64)
        bench.scanAllAgain()
        #expect(bench.tree.linkedDirectories.isEmpty && bench.tree.count == 1)
    }

    @Test("X5, F6: whoever links to one file a thousand times has so many links and no more")
    func manyToOne() throws {
        let bench = try Bench("*.log")
        try bench.home.write("far/0.log", "")
        for number in 0..<600 { try bench.link("logs/\(number).log", to: "far/0.log") }
        bench.scanAll()
        #expect(
            try bench.node("far").linked?.values.first?.count == DirectoryTree.mostToOne)
    }

    @Test("X5, F6: a pod whose links lead to a hundred directories has one pod's share")
    func share() throws {
        let bench = try Bench()
        for number in 0..<100 {
            try bench.home.makeDirectory("logs/evil")
            try bench.link("logs/evil/\(number).log", to: "far/\(number)/x.log")
            if number % 2 == 0 { try bench.home.write("far/\(number)/x.log", "") }
        }
        for number in 0..<4 { try bench.home.write("logs/good\(number)/a.log", "") }
        bench.scanAll()
        let evil = try bench.node("logs/evil")
        #expect(try bench.node("far/7").outermost === evil)
        #expect(try bench.node("logs").watchesBelow == bench.watches.count)
        bench.looked = []
        bench.tree.unwatchedAll()
        bench.scanAll()
        let last = try #require(bench.looked.lastIndex { $0.hasPrefix("logs/good") })
        #expect(last < 12, "\(bench.looked.prefix(20))")
        // The pod goes, and what its links have led to shares with nobody else.
        try rename(bench.home.path("logs/evil"), bench.home.path("evil"))
        bench.looked = []
        try bench.request("logs")
        bench.scanAll()
        // What took long rests for a while.
        bench.tree.advance(.now() + 10_000_000_000)
        bench.scanAll()
        #expect(bench.tree.linkedDirectories.isEmpty, "\(bench.tree.linkedDirectories.count)")
        #expect(try bench.node("logs").watchesBelow == bench.watches.count)
        #expect(bench.tree.strays.watchesBelow == 0 && bench.tree.strays.children.isEmpty)
        #expect(bench.tree.count == 5)
    }

    @Test("X5, F6: a pod that makes directories all the time keeps no link of another unread")
    func endless() throws {
        let bench = try Bench("**/*.log")
        try bench.home.write("far/0.log", "")
        try bench.link("logs/0.log", to: "far/0.log")
        var made = 0
        bench.whenLooked = { path in
            guard made < 50, path.hasPrefix("logs") else { return }
            made += 1
            #expect(throws: Never.self) {
                try bench.home.makeDirectory("logs/evil\(made)")
                try bench.request("logs")
            }
        }
        bench.scanAll()
        let place = try #require(bench.looked.firstIndex(of: "far"))
        #expect(place < 20 && bench.looked.count > 50, "\(bench.looked)")
        #expect(bench.found["far"] == ["0.log"])
    }

    @Test("F6: the first walk takes for ever: what links lead to waits only so long")
    func firstWalk() throws {
        let bench = try Bench("**/*.log") { $0.firstWalk = 0 }
        try bench.home.write("far/0.log", "")
        try bench.link("logs/0.log", to: "far/0.log")
        bench.whenLooked = { _ in bench.tree.advance(.now()) }
        try bench.home.makeDirectory("logs" + String(repeating: "/d", count: 30))
        bench.scanAll()
        let place = try #require(bench.looked.firstIndex(of: "far"))
        #expect(place < 10, "\(bench.looked)")
    }

    @Test("F6: a link that goes before its target was looked for: what is there is found")
    func wentBefore() throws {
        let bench = try Bench("**/*.log")
        try bench.home.write("far/0.log", "one\n")
        try bench.link("logs/0.log", to: "far/0.log")
        try bench.home.makeDirectory("logs/other")
        var looks = 0
        bench.whenLooked = { path in
            guard path == "logs" else { return }
            looks += 1
            guard looks == 1 else { return }
            #expect(throws: Never.self) {
                try remove(bench.home.path("logs/0.log"))
                try bench.request("logs")
            }
        }
        bench.scanAll()
        #expect(bench.found["far"] == ["0.log"])
    }

    @Test("F6: a remote volume is mounted at the root later: no linked directory is touched there")
    func mountedLater() throws {
        let bench = try Bench("*.log")
        try bench.home.write("far/0.log", "")
        try bench.link("logs/0.log", to: "far/0.log")
        bench.scanAll()
        #expect(bench.found["far"] == ["0.log"])
        let mounts =
            "22 1 8:1 / / rw - ext4 r rw\n60 22 0:77 / \(bench.home.path("far")) rw - nfs4 s rw\n"
        _ = bench.map.update(MountTable(text: Array(mounts.utf8)))
        bench.found = [:]
        try bench.request("far")
        bench.scanAll()
        #expect(bench.looked.last == "far" && bench.found.isEmpty)
    }

    /// 1. `x` and `y` lead to a link, and that to a file: that way is `x`'s.
    /// 2. `x` leads to the file itself.
    @Test("F6: a link that takes a shorter way to what it led to is no loop")
    func shorter() throws {
        let bench = try Bench("*.log")
        try bench.home.write("far/2.log", "")
        try bench.link("far/1.log", to: "far/2.log")
        for name in ["x", "y"] { try bench.link("logs/\(name).log", to: "far/1.log") }
        bench.scanAll()
        try remove(bench.home.path("logs/x.log"))
        try bench.link("logs/x.log", to: "far/2.log")
        try bench.request("logs")
        bench.scanAll()
        let links = try bench.node("far").linked?[Array("2.log".utf8)] ?? []
        #expect(links.first?.path == bench.home.path("logs/x.log") && links.first?.depth == 1)
    }

    @Test("F6: two spellings of one character are two origins, in paths and in captures")
    func spellings() {
        func origin(_ path: String, _ pod: String) -> FollowedLink.Origin {
            FollowedLink.Origin(path: path, input: 0, pattern: 0, captures: ["pod": pod])
        }
        let (one, two) = ("\u{E9}", "e\u{301}")
        #expect(origin("/a", one) == origin("/a", one))
        #expect(origin("/a", one) != origin("/a", two))
        #expect(origin("/\(one)", "x") != origin("/\(two)", "x"))
    }
}
