import Model
import Patterns
package import Platform
import Synchronization

/// Which reader has which directory: each remote file system (NFS, FUSE and their like) that
/// patterns lead into has one of its own, and the first one, number 0, has everything else.
///
/// 1. A server is gone, and every call on its mount hangs, as long as it is gone. No time limit can
///    be put on it.
/// 2. Whoever makes one does nothing else meanwhile: so it is a thread that has nothing else to do.
///
/// A file system and not a mount is what has a reader, because pods that share a volume mount it
/// once for each of them, and a file must not be read twice. Sendable; any thread.
package final class Territories: Sendable {
    private struct State {
        var table: MountTable?
        /// Readers by st_dev.
        var readers: [UInt64: Int] = [:]
        /// Where the patterns' prefixes lead.
        var destinations: [String: [UInt8]] = [:]
        var routes: Routes

        func reader(of place: [UInt8]) -> Int {
            table?.remote(place).flatMap { readers[$0.device] } ?? 0
        }

        func place(_ prefix: String, _ path: [UInt8]) -> [UInt8] {
            let place = destinations[prefix] ?? Array(prefix.utf8)
            return path.isEmpty ? place : place + [UInt8(ascii: "/")] + path
        }
    }
    private let state: Mutex<State>
    /// Mostly there is but the first, and asking costs one load then.
    private let areShared = Atomic(false)
    private let inputs: [TailerInput]

    /// Readers beside the first one: each costs a thread, its buffers, and an inotify instance.
    /// File systems past that are the first one's.
    package static let most = 32

    /// Everything is the first reader's until a table of mounts is given.
    package init(_ inputs: [TailerInput]) {
        self.inputs = inputs
        state = Mutex(State(routes: Routes(inputs) { Array($0.utf8) }))
    }

    /// One reader has everything, whatever is mounted where.
    package static func undivided(_ inputs: [TailerInput]) -> Territories {
        let all = Territories(inputs)
        do throws(SystemError) {
            let table = try MountTable.now()
            let routes = Routes(inputs, table) { table.destination(of: Array($0.utf8)) }
            all.state.withLock { $0.routes = routes }
        } catch {
            // Without /proc each thing is at one place.
        }
        return all
    }

    /// All ways to a directory.
    var routes: Routes { state.withLock(\.routes) }

    /// Takes the mounts as they are now. `isFree` says whether a reader that has nothing may be
    /// given something else. Whether anybody has something else now. `tooMany` hears of mounts that
    /// the first one has to take, and `changed`, where they were taken before, of those that came
    /// or went.
    package func update(
        _ table: MountTable, isFree: (Int) -> Bool = { _ in true },
        tooMany: (String) -> Void = { _ in }, changed: (MountChanges) -> Void = { _ in }
    ) -> Bool {
        // Links are looked up outside of the lock.
        var destinations: [String: [UInt8]] = [:]
        for prefix in inputs.flatMap(\.prefixes) where destinations[prefix] == nil {
            destinations[prefix] = table.destination(of: Array(prefix.utf8))
        }
        changed(changes(table, destinations))
        let routes = Routes(inputs, table) { destinations[$0] ?? Array($0.utf8) }
        let wanted = table.remote.filter { mount in
            inputs.contains { input in
                input.paths.contains {
                    Self.root(of: $0, destinations[$0.prefix] ?? [], at: mount.point) != nil
                }
            }
        }
        return state.withLock { state in
            let devices = Set(wanted.map(\.device))
            var readers = state.readers.filter { devices.contains($0.key) }
            var taken = Set(readers.values)
            for mount in wanted where readers[mount.device] == nil {
                let free = (1...Self.most).first { !taken.contains($0) && isFree($0) }
                guard let free else {
                    tooMany(PathText.text(mount.point))
                    continue
                }
                readers[mount.device] = free
                taken.insert(free)
            }
            let hasChanged =
                readers != state.readers || destinations != state.destinations
                || table.remote != state.table?.remote
            state.table = table
            state.readers = readers
            state.destinations = destinations
            state.routes = routes
            areShared.store(!readers.isEmpty, ordering: .releasing)
            return hasChanged
        }
    }

    /// Of the mounts that came or went, those that patterns lead to or through: of what a node
    /// mounts for its pods all the time, mostly none.
    private func changes(_ table: MountTable, _ destinations: [String: [UInt8]]) -> MountChanges {
        let (earlier, former) = state.withLock { ($0.table, $0.destinations) }
        guard let earlier else { return MountChanges() }
        let places = table.places(changedSince: earlier).filter { point in
            destinations.values.contains {
                MountTable.holds(point, $0) || MountTable.holds($0, point)
            }
        }
        // What was mounted may have been a link on a prefix's way, or have covered one.
        let moved = destinations.filter { $0.value != former[$0.key] }
        return MountChanges(places.union(moved.values))
    }

    /// Readers beside the first one that have something.
    package var readers: [Int] { state.withLock { Set($0.readers.values).sorted() } }

    /// The reader could not be started: the first one has what it would have had.
    package func withdraw(_ reader: Int) {
        state.withLock { state in
            state.readers = state.readers.filter { $0.value != reader }
            areShared.store(!state.readers.isEmpty, ordering: .releasing)
        }
    }

    /// The reader of a path, as the registry has it: its prefix as in the patterns.
    package func reader(of path: String) -> Int {
        guard areShared.load(ordering: .acquiring) else { return 0 }
        let bytes = PathText.bytes(of: path)
        return state.withLock { state in
            let prefix = state.destinations.keys
                .filter { MountTable.holds(Array($0.utf8), bytes) }
                .max { $0.utf8.count < $1.utf8.count }
            guard let prefix else { return state.reader(of: bytes) }
            return state.reader(
                of: (state.destinations[prefix] ?? []) + bytes[prefix.utf8.count...])
        }
    }

    /// The reader of what lies at `path` beneath a pattern's prefix.
    func reader(beneath prefix: String, _ path: [UInt8]) -> Int {
        guard areShared.load(ordering: .acquiring) else { return 0 }
        return state.withLock { state in
            state.reader(of: state.place(prefix, path))
        }
    }

    /// The reader of what lies at `path` beneath a root of links; nil where it is on a remote file
    /// system that none has for itself.
    func reader(ofLinked path: [UInt8], beneath root: String) -> Int? {
        state.withLock { state in
            guard let remote = state.table?.remote(state.place(root, path)) else { return 0 }
            return state.readers[remote.device]
        }
    }

    /// Where `path` beneath a pattern's prefix is when links are followed.
    func place(_ prefix: String, _ path: [UInt8]) -> [UInt8] {
        state.withLock { $0.place(prefix, path) }
    }

    /// The table was read before the file system of this number was mounted.
    func isOutdated(_ device: UInt64) -> Bool {
        state.withLock { state in state.table.map { !$0.devices.contains(device) } ?? false }
    }

    /// Mount points of a reader, for people.
    package func points(of reader: Int) -> [String] {
        state.withLock { state in
            (state.table?.remote ?? []).filter { state.readers[$0.device] == reader }
                .map { PathText.text($0.point) }
        }
    }

    /// Where a reader begins to look: a directory beneath a prefix, and where patterns stand there.
    struct Root {
        let prefix: String
        let path: [UInt8]
        var places: [PatternPlaces]
    }

    func roots(of reader: Int) -> [Root] {
        let points: [[UInt8]]
        let destinations: [String: [UInt8]]
        (points, destinations) = state.withLock { state in
            (
                (state.table?.remote ?? []).filter { state.readers[$0.device] == reader }
                    .map(\.point), state.destinations
            )
        }
        var roots: [Root] = []
        for (input, settings) in inputs.enumerated() {
            for (index, pattern) in settings.paths.enumerated() {
                let destination = destinations[pattern.prefix] ?? []
                let begins =
                    reader == 0
                    ? [(path: [], places: pattern.below.start)]
                    : points.compactMap { Self.root(of: pattern, destination, at: $0) }
                for begin in begins {
                    let places = PatternPlaces(
                        input: input, pattern: index, places: begin.places)
                    if let known = roots.firstIndex(where: {
                        $0.prefix.utf8.elementsEqual(pattern.prefix.utf8) && $0.path == begin.path
                    }) {
                        if !roots[known].places.contains(where: {
                            $0.input == input && $0.pattern == index
                        }) {
                            roots[known].places.append(places)
                        }
                    } else {
                        roots.append(
                            Root(prefix: pattern.prefix, path: begin.path, places: [places]))
                    }
                }
            }
        }
        return roots
    }

    /// Where a pattern, whose prefix leads to `destination`, meets a mount; nil where it does not.
    private static func root(
        of pattern: PathPattern, _ destination: [UInt8], at point: [UInt8]
    ) -> (path: [UInt8], places: [PatternSegments.WalkPoint])? {
        if MountTable.holds(point, destination) { return ([], pattern.below.start) }
        guard MountTable.holds(destination, point) else { return nil }
        let path = Array(point[(destination.count + 1)...])
        var places = pattern.below.start
        for name in path.split(separator: UInt8(ascii: "/")) {
            places = pattern.below.step(from: places, into: Array(name)).below
        }
        return places.isEmpty ? nil : (path, places)
    }
}

extension DirectoryNode {
    func isRoot(_ root: Territories.Root) -> Bool {
        prefix.utf8.elementsEqual(root.prefix.utf8) && path == root.path
    }
}

/// One reader's part of all directories.
package struct Territory: Sendable {
    let map: Territories
    /// The reader's number; 0 is the one that has everything that is nobody else's.
    package let reader: Int

    package init(_ map: Territories, reader: Int) {
        self.map = map
        self.reader = reader
    }

    var roots: [Territories.Root] { map.roots(of: reader) }

    /// Whether it has a path, as the registry has it.
    package func has(_ path: String) -> Bool { map.reader(of: path) == reader }

    func has(_ node: DirectoryNode) -> Bool { has(node.prefix, node.path) }

    /// Whether it has what lies at `path` beneath a prefix.
    func has(_ prefix: String, _ path: [UInt8]) -> Bool {
        map.reader(beneath: prefix, path) == reader
    }

    /// Whether it may touch what lies at `path` beneath a root of links: what another one has may
    /// hang, and so may what none has.
    func mayFollow(_ root: String, _ path: [UInt8]) -> Bool {
        map.reader(ofLinked: path, beneath: root) == reader
    }

    /// Whether it has what a directory's entry leads to.
    func has(_ name: [UInt8], in node: DirectoryNode) -> Bool {
        let path = node.path.isEmpty ? name : node.path + [UInt8(ascii: "/")] + name
        return map.reader(beneath: node.prefix, path) == reader
    }
}
