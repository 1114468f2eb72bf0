import Model
package import Platform
import Registry
import Tailer

/// `shipper registry show`: every file that is known, and how far it is delivered.
package enum RegistryShowCommand {
    /// Reads the registry in `data`, or where the standard configuration keeps it. `pattern` is a
    /// glob over whole paths, or over any tail of them where it does not start with `/`.
    package static func run(
        json: Bool, data: String?, pattern: String?
    ) throws(SystemError) -> ExitCode {
        let contents: RegistryContents
        var wanted: PathExclusion?
        do {
            if let pattern { wanted = try PathExclusion(pattern) }
            contents = try RegistryReader.read(directory: data ?? standardDirectory())
        } catch {
            try StandardStream.error.write("shipper: \(error)\n")
            return .fault
        }
        let entries = contents.entries.filter { entry in
            wanted.map { $0.matches(entry.path) || $0.matches(entry.stream) } ?? true
        }
        let table = RegistryTable(entries: entries, sizes: sizes(entries), now: .now())
        let lines = json ? table.json() : table.text()
        try StandardStream.output.write(lines.map { $0 + "\n" }.joined())
        guard contents.summary.damagedCount > 0 else { return .done }
        for fault in contents.summary.damaged {
            try StandardStream.error.write("shipper: \(fault)\n")
        }
        return .fault
    }

    private static func standardDirectory() throws(SettingsError) -> String {
        try Settings.dataDirectory(
            path: Settings.standardPath, environment: ProcessContext.environment())
    }

    /// The sizes of those files that still are what the registry knows under their path.
    private static func sizes(_ entries: [FileEntry]) -> [FileID: Int] {
        var sizes: [FileID: Int] = [:]
        for entry in entries {
            do throws(SystemError) {
                let status = try FileStatus.glance(at: PathText.bytes(of: entry.path))
                if status.inode == entry.identity.inode, status.device == entry.identity.device {
                    sizes[entry.file] = status.size
                }
            } catch {
                // Gone or out of reach: the saved size is what is known.
                continue
            }
        }
        return sizes
    }
}
