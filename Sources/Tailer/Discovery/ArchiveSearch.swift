import Model
import Patterns
import Platform

/// The places beside the logs' own directories where an input's rotated files may go (logrotate's
/// `olddir`). They are not watched: a stream looks there when one of its files has left its
/// directory.
struct ArchiveSearch {
    struct Found {
        /// That was listed.
        let directory: SharedDescriptor
        /// The directory's path, for people.
        let place: String
        let name: [UInt8]
        let inode: UInt64

        /// For people.
        var path: String { place + "/" + PathText.text(name) }
    }

    let patterns: [PathPattern]

    /// Directories that one search lists. Whoever has more of them beneath a pattern is told, and
    /// names the place more closely.
    private static let mostDirectories = 4096

    /// The findings of a search.
    struct Findings {
        var files: [Found] = []
        /// Nothing is left out: what is not among `files` is not there.
        var isComplete = true
        /// Devices of the directories that were listed.
        var devices: Set<UInt64> = []

        /// Tells one result from another.
        var keys: Set<Key> { Set(files.map { Key(path: Array($0.path.utf8), inode: $0.inode) }) }
    }

    struct Key: Hashable {
        let path: [UInt8]
        let inode: UInt64
    }

    /// Files that the patterns match, with what they capture as the stream's own path has it. What
    /// cannot be listed is handed to `report`.
    func files(
        _ captures: [String: String], report: (TailerEvent) -> Void
    ) -> Findings {
        var found = Findings()
        var directories = 0
        for pattern in patterns {
            var stack: [(path: [UInt8], places: [PatternSegments.WalkPoint])] = [
                ([], pattern.below.start)
            ]
            while let (path, places) = stack.popLast() {
                let text = PathText.text(
                    path.isEmpty
                        ? Array(pattern.prefix.utf8) : Array("\(pattern.prefix)/".utf8) + path)
                directories += 1
                guard directories <= Self.mostDirectories else {
                    report(.unlistable(path: text, error: "too many directories of archives"))
                    found.isComplete = false
                    return found
                }
                do throws(SystemError) {
                    let prefix = try Descriptor.open(pattern.prefix, O.path)
                    let opened = try prefix.openDirectory(beneath: path)
                    found.devices.insert(try opened.status().device)
                    let directory = SharedDescriptor(opened)
                    for entry in try directory.descriptor.entries() {
                        let step = pattern.below.step(from: places, into: entry.name)
                        if entry.kind == .regular || entry.kind == .unknown,
                            let match = step.match, Self.agree(match, captures)
                        {
                            found.files.append(
                                Found(
                                    directory: directory, place: text, name: entry.name,
                                    inode: entry.inode))
                        }
                        guard entry.kind == .directory || entry.kind == .unknown else { continue }
                        let below = step.below.filter { Self.agree($0.captured, captures) }
                        guard !below.isEmpty else { continue }
                        stack.append(
                            (path.isEmpty ? entry.name : path + [0x2F] + entry.name, below))
                    }
                } catch {
                    // Nothing was rotated to where there is nothing yet.
                    if error.isAbsence { continue }
                    found.isComplete = false
                    report(.unlistable(path: text, error: error.code.description))
                }
            }
        }
        return found
    }

    private static func agree(_ some: [String: String], _ captures: [String: String]) -> Bool {
        some.allSatisfy { captures[$0.key] == $0.value }
    }
}
