import Model
import Platform

/// Where a symbolic link leads, by one step: a name in a directory beneath a root. A plain value,
/// made of the link's own text alone; whether anything is there, a scan of that directory tells.
///
/// 1. A pod may swap a link, or any directory on its way, between two calls.
/// 2. So nothing is ever opened by the link. What it says is taken apart here, and the directory is
///    opened from its root with no link taken on the way, as beneath a pattern's prefix.
///
/// Whatever is swapped when, what is read lies beneath a root.
struct LinkTarget: Hashable {
    /// As the configuration has it.
    let root: String
    /// Names of the directory beneath the root, joined by `/`; empty for the root itself.
    let path: [UInt8]
    let name: [UInt8]

    /// A root, and where it lies when links on the way to it are followed.
    struct Root {
        let text: String
        let place: [UInt8]
    }

    /// Nil where `text`, of a link that lies in `directory`, leads beneath none of the roots. Of
    /// several it is the innermost. `directory` is absolute, links followed.
    init?(_ text: [UInt8], in directory: [UInt8], roots: [Root]) {
        let whole = Self.absolute(text, in: directory)
        var innermost: (root: Root, length: Int)?
        for root in roots {
            for way in [Array(root.text.utf8), root.place]
            where MountTable.holds(way, whole) && whole.count > way.count {
                if way.count > innermost?.length ?? -1 { innermost = (root, way.count) }
            }
        }
        guard let innermost, let slash = whole.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        root = innermost.root.text
        path = Array(whole[innermost.length..<slash].dropFirst())
        name = Array(whole[(slash + 1)...])
    }

    /// The path of the directory, for people.
    var directory: String {
        let below = path.isEmpty ? [] : [UInt8(ascii: "/")] + path
        return PathText.text(Array(root.utf8) + below)
    }

    /// The whole path, for people.
    var text: String { "\(directory)/\(PathText.text(name))" }

    /// With each name once: `..` takes the name before it away, which is what it means where no
    /// link is on the way.
    private static func absolute(_ text: [UInt8], in directory: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var names: [ArraySlice<UInt8>] = []
        let begin = text.first == slash ? [] : directory.split(separator: slash)
        for name in begin + text.split(separator: slash) where name != [UInt8(ascii: ".")] {
            if name.elementsEqual("..".utf8) { _ = names.popLast() } else { names.append(name) }
        }
        return names.flatMap { [slash] + $0 }
    }
}
