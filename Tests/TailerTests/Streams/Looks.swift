import Platform

@testable import Tailer

extension DirectoryLook {
    /// A look at a directory as it is now, or as `names` have it. A pattern matches each of
    /// `matches`; nil for all that is there.
    init(
        _ node: DirectoryNode, _ names: DirectoryNames? = nil, matches: [[UInt8]]? = nil,
        watching: Int? = nil, now: MonotonicTime
    ) throws {
        let directory = SharedDescriptor(try node.open())
        let names = try names ?? DirectoryNames(directory.descriptor.entries())
        let matched = matches ?? names.entries.map(\.name)
        let scanned = DirectoryTree.Scanned(
            node: node, device: try directory.descriptor.status().device, names: names,
            matches: matched.sorted { $0.lexicographicallyPrecedes($1) }.map {
                DirectoryTree.Match(name: $0, kind: .regular, input: 0, captures: [:])
            },
            watching: watching)
        self.init(scanned: scanned, directory: directory, now: now)
    }
}
