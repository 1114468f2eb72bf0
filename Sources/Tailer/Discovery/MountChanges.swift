import Model
import Platform

/// Places at which mounts came or went, and what is to be looked at for them.
///
/// 1. A volume is mounted over a directory while it is watched.
/// 2. The watch stays with what lies beneath, and so does every watch further down: of what is
///    written to the volume no event tells, and only the clock would find it.
/// 3. A volume that is away again before the clock comes round would never have been seen.
///
/// So the directories there are scanned when the table of mounts has changed. Nobody but who may
/// mount can ask for that, and what is looked at is what is another thing now: nothing beside it,
/// however large the tree.
package struct MountChanges: Hashable, Sendable {
    /// Absolute, without links.
    private(set) var places: Set<[UInt8]> = []
    /// There were more of them than are kept: all that a reader has may be another thing.
    private(set) var isAll = false

    /// Places that wait for a reader. One that hangs takes none, and a node has a few thousand
    /// mounts at the most that logs are on; past that, all is looked at once.
    static let most = 4_096

    package init() {}

    init(_ places: some Sequence<[UInt8]>) { add(places) }

    /// Whether there is nothing to be looked at for them.
    package var isEmpty: Bool { places.isEmpty && !isAll }

    /// Later changes are looked at together with these, each place once.
    package mutating func add(_ other: MountChanges) {
        isAll = isAll || other.isAll
        add(other.places)
    }

    private mutating func add(_ more: some Sequence<[UInt8]>) {
        if !isAll { places.formUnion(more) }
        guard isAll || places.count > Self.most else { return }
        isAll = true
        places = []
    }

    /// Without those that lie beneath another one, which are looked at with that.
    var outermost: [[UInt8]] {
        places.filter { place in !Self.above(place).contains { places.contains($0) } }
    }

    /// All that a place lies beneath, the root, which has no name, as the last.
    private static func above(_ place: [UInt8]) -> some Sequence<[UInt8]> {
        sequence(first: place) { place in
            place.directoryAndName.map { Array($0.directory) }
        }.dropFirst()
    }
}

extension MountTable {
    /// Where something else is mounted now than in an earlier table, or nothing, or something once
    /// more.
    func places(changedSince earlier: MountTable) -> Set<[UInt8]> {
        var more: [Mount: Int] = [:]
        for mount in mounts { more[mount, default: 0] += 1 }
        for mount in earlier.mounts { more[mount, default: 0] -= 1 }
        return Set(more.lazy.filter { $0.value != 0 }.map(\.key.point))
    }
}

extension DirectoryTree {
    /// Mounts came and went: what patterns lead to there is scanned, with all of its files. Of a
    /// place that is not in the tree, a single file or a directory that another reader had, the
    /// directory that it is in.
    func remounted(_ changes: MountChanges, _ now: MonotonicTime) {
        if changes.isAll {
            forEachNode { lookAnew($0, now) }
            return
        }
        let places = changes.outermost
        for root in roots + linkedDirectories.values {
            let start = territory.map.place(root.prefix, root.path)
            for place in places {
                if MountTable.holds(place, start) {
                    lookAnew(beneath: root, now)
                } else if MountTable.holds(start, place) {
                    lookAnew(at: place.dropFirst(start.count), from: root, now)
                }
            }
        }
    }

    /// Scans what is found at `path`, names after slashes, beneath a directory.
    private func lookAnew(
        at path: ArraySlice<UInt8>, from root: DirectoryNode, _ now: MonotonicTime
    ) {
        let names = path.split(separator: UInt8(ascii: "/")).map(Array.init)
        var node = root
        for (index, name) in names.enumerated() {
            guard let child = node.children[name] else {
                if index == names.count - 1 { lookAnew(node, now) }
                return
            }
            node = child
        }
        lookAnew(beneath: node, now)
    }

    private func lookAnew(beneath top: DirectoryNode, _ now: MonotonicTime) {
        var rest = [top]
        while let node = rest.popLast() {
            lookAnew(node, now)
            rest.append(contentsOf: node.children.values)
        }
    }

    private func lookAnew(_ node: DirectoryNode, _ now: MonotonicTime) {
        node.isByClock = true
        request(node, now)
    }
}
