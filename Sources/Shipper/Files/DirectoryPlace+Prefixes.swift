import Model
import Platform
import Tailer

extension DirectoryPlace {
    /// As the reader comes there: through no link beneath one of `prefixes`, where patterns begin,
    /// the longest first. A directory behind one is gone for it.
    ///
    /// 1. A log's directory is moved to another disk, and a link has its name.
    /// 2. No pattern leads there any more, though its path does.
    static func of(_ directory: ExactText, beneath prefixes: [String]) -> DirectoryPlace {
        let place = of(directory)
        guard case .there = place else { return place }
        guard !prefixes.contains(where: { ExactText($0) == directory }) else { return place }
        let bytes = PathText.bytes(of: directory.text)
        for prefix in prefixes where bytes.starts(with: Array("\(prefix)/".utf8)) {
            do throws(SystemError) {
                let above = try Descriptor.open(prefix, O.path)
                let below = Array(bytes.dropFirst(prefix.utf8.count + 1))
                guard try isBehindLink(above, below) else { return place }
                let nearest = Array("\(prefix)/.".utf8)
                return .gone(nearest: nearest, device: try above.status().device)
            } catch {
                // It cannot be told now.
                return place
            }
        }
        return place
    }

    private static func isBehindLink(
        _ prefix: borrowing Descriptor, _ path: [UInt8]
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try prefix.openDirectory(beneath: path)
            return false
        } catch {
            guard error.code == .tooManyLinks else { throw error }
            return true
        }
    }
}
