import Model
import Patterns
import Platform

/// All ways in which patterns' prefixes lead to one directory: a prefix may lie beneath another
/// one, be a link, or be mounted at two places. A plain value, made for the mounts of one moment.
///
/// 1. Two inputs read one directory, by prefixes that are not alike.
/// 2. Each finds every file there, and only one may ship it.
/// 3. Were that the one that is scanned first, a file would have another topic after the next
///    start.
///
/// So whoever looks at a directory knows the other ways to it, and leaves a file to the first input
/// that has it by any of them.
struct Routes: Sendable {
    /// A way to a directory.
    struct Route: Hashable, Sendable {
        let prefix: String
        /// Names beneath the prefix.
        let path: [UInt8]
    }

    /// Where each prefix leads.
    private var places: [(prefix: String, place: [UInt8])] = []
    /// The mount on top at each point.
    private var mounts: [[UInt8]: MountTable.Mount] = [:]
    /// Mounts that prefixes lead into or that lie beneath them, of file systems that are mounted
    /// more than once.
    private var copies: [UInt64: [MountTable.Mount]] = [:]

    /// `destination` says where a prefix leads when its links are followed. Without a table of
    /// mounts each thing is at one place.
    init(
        _ inputs: [TailerInput], _ table: MountTable? = nil, destination: (String) -> [UInt8]
    ) {
        for prefix in inputs.flatMap(\.prefixes)
        where !places.contains(where: { $0.prefix.utf8.elementsEqual(prefix.utf8) }) {
            places.append((prefix, destination(prefix)))
        }
        guard let table else { return }
        for mount in table.mounts { mounts[mount.point] = mount }
        for mount in mounts.values {
            let isMet = places.contains { _, place in
                MountTable.holds(mount.point, place) || MountTable.holds(place, mount.point)
            }
            if isMet { copies[mount.device, default: []].append(mount) }
        }
        copies = copies.filter { $0.value.count > 1 }
    }

    /// The other ways to what lies at `path` beneath a prefix, whether anything is there or not.
    func others(than prefix: String, _ path: [UInt8]) -> [Route] {
        guard places.count > 1 || !copies.isEmpty,
            let begin = places.first(where: { $0.prefix.utf8.elementsEqual(prefix.utf8) })
        else { return [] }
        let own = Route(prefix: begin.prefix, path: path)
        var found: [Route] = []
        let place = path.isEmpty ? begin.place : begin.place + [UInt8(ascii: "/")] + path
        for place in [place] + elsewhere(place) {
            for (prefix, destination) in places where MountTable.holds(destination, place) {
                let route = Route(
                    prefix: prefix, path: Array(place.dropFirst(destination.count + 1)))
                if route != own, !found.contains(route) { found.append(route) }
            }
        }
        return found
    }

    /// Where the same directory is mounted besides.
    private func elsewhere(_ place: [UInt8]) -> [[UInt8]] {
        guard !copies.isEmpty, let mount = mount(of: place), let copies = copies[mount.device]
        else { return [] }
        let inside = mount.root + place.dropFirst(mount.point.count)
        return copies.compactMap { copy in
            guard copy.point != mount.point, MountTable.holds(copy.root, inside) else { return nil }
            let other = copy.point + inside.dropFirst(copy.root.count)
            // Something else may be mounted over it.
            return self.mount(of: other)?.point == copy.point ? other : nil
        }
    }

    /// The innermost mount on the way to a place.
    private func mount(of place: [UInt8]) -> MountTable.Mount? {
        var place = place[...]
        while true {
            if let mount = mounts[Array(place)] { return mount }
            guard let above = place.directoryAndName?.directory else { return nil }
            place = above
        }
    }
}

/// Another way to a directory, and what patterns make of it there.
struct Rival {
    /// The path of the directory by that way, for people.
    let text: String
    let places: [PatternPlaces]
}

extension DirectoryTree {
    /// The other ways to a directory that this tree comes by. Each of them was gone now, as the
    /// tree goes it: a file is left to nobody who cannot get there.
    func rivals(of node: DirectoryNode, _ key: InodeKey) -> [Rival] {
        // Where links lead, a pattern may lead by the same way.
        let own =
            node.linked == nil ? [] : [Routes.Route(prefix: node.prefix, path: node.path)]
        let others = territory.map.routes.others(than: node.prefix, node.path)
        return (own + others).compactMap { route in
            var places: [PatternPlaces] = []
            for (input, settings) in inputs.enumerated() {
                for (index, pattern) in settings.paths.enumerated()
                where pattern.prefix.utf8.elementsEqual(route.prefix.utf8) {
                    var here = pattern.below.start
                    for name in route.path.split(separator: UInt8(ascii: "/")) {
                        here = pattern.below.step(from: here, into: Array(name)).below
                    }
                    guard !here.isEmpty else { continue }
                    places.append(PatternPlaces(input: input, pattern: index, places: here))
                }
            }
            guard !places.isEmpty, leads(route, to: key) else { return nil }
            let path = route.path.isEmpty ? [] : [UInt8(ascii: "/")] + route.path
            return Rival(
                text: PathText.text(Array(route.prefix.utf8) + path), places: places)
        }
    }

    /// Whether each directory on a way can be listed, and the last one is this one.
    private func leads(_ route: Routes.Route, to key: InodeKey) -> Bool {
        do throws(SystemError) {
            var path: [UInt8] = []
            guard territory.has(route.prefix, path) else { return false }
            let prefix = try Descriptor.open(route.prefix, O.directory)
            var last = InodeKey(try prefix.status())
            for name in route.path.split(separator: UInt8(ascii: "/")) {
                path += (path.isEmpty ? [] : [UInt8(ascii: "/")]) + name
                guard territory.has(route.prefix, path) else { return false }
                last = InodeKey(try prefix.openDirectory(beneath: path).status())
            }
            return last == key
        } catch {
            // Nobody comes by that way.
            return false
        }
    }
}
