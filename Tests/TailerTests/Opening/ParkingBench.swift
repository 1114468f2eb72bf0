import Model
import Patterns
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Tailer

/// One directory of ordinary files, with the reader's parts in the test's own hands, so that it decides
/// what happens between a parking and the next turn.
final class ParkingBench {
    let home: TemporaryDirectory
    let output: RecordingOutput
    let opener: FileOpener
    let table: StreamTable
    let node: DirectoryNode
    let buffer = ChunkBuffer(maxLine: 1024)
    /// Events tell of something in the directory that was not looked at.
    var hasNews = false
    var now = MonotonicTime.zero
    static let patience: Int64 = 1000

    /// `inMemory`: where files may be of any size. `earlier`: the run before this one, which has ended; its
    /// directory, and what it has saved. `archives`: rotated files may go to `old`.
    init(
        mostOpen: Int, heldBytes: Int = 1 << 30, inMemory: Bool = false,
        archives: Bool = false, once: Bool = false, after earlier: ParkingBench? = nil
    ) throws {
        output = earlier?.output ?? RecordingOutput()
        home = try earlier?.home ?? TemporaryDirectory(inMemory: inMemory)
        try home.makeDirectory("log")
        opener = FileOpener(output: output, mostOpen: mostOpen, heldBytes: heldBytes, once: once)
        opener.isFirstScan = false
        let old = try PathPattern(home.path("old/*"))
        table = StreamTable(
            output: output, opener: opener,
            archives: archives ? [ArchiveSearch(patterns: [old])] : [])
        node = DirectoryNode(root: 0, path: [], text: home.path("log"), places: [])
    }

    var cache: DescriptorCache { opener.cache }
    var streams: [LogStream] {
        node.streams.values.sorted { $0.liveName.lexicographicallyPrecedes($1.liveName) }
    }
    var files: [TailedFile] { streams.flatMap(\.files) }

    func open() -> [TailedFile] { files.filter(\.isOpen) }

    func file(_ name: String) throws -> TailedFile {
        try #require(files.first { $0.name == Array(name.utf8) }, "\(name) is not followed")
    }

    func write(_ name: String, _ text: String) throws { try home.write("log/\(name)", text) }

    /// A look at the directory. Names that end in a digit or a tilde match no pattern.
    func look(expecting expected: LookEnd = .fine) throws {
        let (end, _) = try lookInSlices(.endless)
        #expect(end == expected)
    }

    /// A look in slices, what came of it, and how many it took.
    func lookInSlices(
        _ slice: Slice = Slice(until: 0), between: () throws -> Void = {}
    ) throws -> (LookEnd, Int) {
        node.listings += 1
        defer { node.listingsDone = node.listings }
        let directory = SharedDescriptor(try node.open())
        let names = DirectoryNames(try directory.descriptor.entries())
        let matches = names.entries.filter {
            !(0x30...0x39).contains($0.name.last ?? 0) && $0.name.last != 0x7E
        }.map {
            DirectoryTree.Match(name: $0.name, kind: $0.kind, input: 0, captures: [:])
        }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        let scanned = DirectoryTree.Scanned(
            node: node, device: try directory.descriptor.status().device, names: names,
            matches: matches)
        let look = DirectoryLook(scanned: scanned, directory: directory, now: now)
        let work = StreamTable.LookWork()
        var slices = 1
        while true {
            var slice = slice
            if table.go(on: work, look, &slice) { return (work.end, slices) }
            slices += 1
            try between()
        }
    }

    /// A look at one stream, by a listing of its directory as it is now.
    func look(at stream: LogStream) throws -> StreamLook {
        try DirectoryLook(node, matches: [], now: now).at(stream)
    }

    /// Looks and turns until there is nothing more to do.
    func settle() throws {
        for _ in 0..<1_000 {
            now += 1_000_000
            let (end, _) = try lookInSlices(.endless)
            for stream in streams {
                while turn(stream) == .moved {}
            }
            if case .fine = end, table.agenda.take().changed.isEmpty { return }
        }
        Issue.record("there is more to do after a thousand looks")
    }

    /// One turn of a stream.
    func turn(_ stream: LogStream, once: Bool = false) -> StreamTurn.TurnEnd {
        var frames: [Frame] = []
        let turn = StreamTurn(
            stream: stream, output: output, opener: opener, table: table,
            buffer: buffer, framer: LineFramer(maxLine: 1024), drain: 1000,
            patience: Self.patience, once: once, hasNews: { [self] in hasNews })
        return turn.run(now, &frames)
    }

    /// Turns until nothing moves.
    func readAll() {
        while streams.contains(where: { turn($0) == .moved }) {}
    }

    /// Parks everything that may be parked.
    func parkAll() {
        while cache.parkOne() {}
    }

    /// As if time had passed.
    func forgetUses() {
        for file in files { file.ringState.wasUsed = false }
    }

    /// Runs `body`; how many files beneath a directory of the home were open at most, whoever opened them, as every
    /// hundredth question to the output found it.
    func watchOpenFiles(beneath directory: String, during body: () throws -> Void) rethrows -> Int {
        let path = home.path(directory)
        let seen = Mutex((calls: 0, most: 0))
        output.state.withLock { state in
            state.asked = {
                seen.withLock { seen in
                    seen.calls += 1
                    guard seen.calls % 100 == 0 else { return }
                    let names = (try? directoryNames("/proc/self/fd")) ?? []
                    seen.most = max(
                        seen.most,
                        names.count { linkTarget("/proc/self/fd/\($0)")?.hasPrefix(path) ?? false })
                }
            }
        }
        defer { output.state.withLock { $0.asked = {} } }
        try body()
        return seen.withLock { $0.most }
    }

    /// Bytes reported as lost, with their reasons.
    var lost: [String] {
        output.state.withLock { state in
            state.events.compactMap {
                guard case .lost(let path, let range, let reason) = $0 else { return nil }
                return "\(path) \(range.start)..<\(range.end) \(reason)"
            }
        }
    }

    var gone: Int { output.state.withLock { $0.gone } }
}

extension Agenda {
    /// Takes all of it off, and gives what was to have its turn and what was known to have changed.
    func take() -> (woken: [LogStream], changed: [DirectoryNode]) {
        var (woken, changed): ([LogStream], [DirectoryNode]) = ([], [])
        takeAll(
            wake: { stream, _ in woken.append(stream) }, look: { changed.append($0) },
            retry: { _ in })
        return (woken, changed)
    }
}
