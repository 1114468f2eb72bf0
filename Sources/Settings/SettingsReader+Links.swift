import Platform
import YAML

/// `follow_symlinks` of an input.
extension SettingsReader {
    /// Directories, as in `[/var/log/pods]`; `false`, the default, is none.
    mutating func linkRoots(_ value: Value?) -> [String] {
        guard let value else { return [] }
        let expected = "false, or a list of directories, as in [/var/log/pods]"
        guard case .list(let nodes) = value.node.content else {
            let text: String
            if case .scalar(let scalar) = value.node.content, !scalar.isNull {
                if scalar.text == "false" { return [] }
                text =
                    scalar.text == "true"
                    ? "\"true\" would follow a link to any file of this machine"
                    : found(value.node)
            } else {
                text = found(value.node)
            }
            fault(value.node.mark, value.path, "\(text); expected \(expected)")
            return []
        }
        if nodes.isEmpty {
            fault(value.node.mark, value.path, "an empty list; expected \(expected)")
        }
        let mounts = Self.mounts()
        return (items(value, of: "directories, as in /var/log/pods") ?? []).compactMap {
            linkRoot($0, mounts)
        }
    }

    private mutating func linkRoot(_ value: Value, _ mounts: MountTable?) -> String? {
        let expected = "the absolute path of a directory, as in /var/log/pods"
        guard let text = word(value, expected) else { return nil }
        let names = text.split(separator: "/")
        let root = names.map { "/\($0)" }.joined()
        let problem: String
        if !text.hasPrefix("/") {
            problem = "is relative"
        } else if names.isEmpty {
            problem = "holds every file of this machine"
        } else if text.utf8.contains(0) {
            problem = "holds a NUL byte, which no path can"
        } else if names.contains("..") || names.contains(".") {
            problem = "holds a . or .. segment"
        } else if text.contains(where: { "*?[{".contains($0) }) {
            problem = "is a pattern"
        } else if Self.isNoDirectory(root, mounts) {
            problem = "is no directory"
        } else {
            return root
        }
        fault(value.node.mark, value.path, "\(quoted(text)) \(problem); expected \(expected)")
        return nil
    }

    /// Something else has the path. What is not there may come, and what is mounted from a server
    /// is not touched: it may not answer.
    private static func isNoDirectory(_ root: String, _ mounts: MountTable?) -> Bool {
        let path = Array(root.utf8)
        if let mounts, mounts.remote(mounts.destination(of: path)) != nil { return false }
        do throws(SystemError) {
            return try !FileStatus.glance(at: path + Array("/.".utf8)).isDirectory
        } catch {
            return error.code == .notDirectory
        }
    }

    private static func mounts() -> MountTable? {
        do throws(SystemError) {
            return try MountTable.now()
        } catch {
            return nil
        }
    }
}
