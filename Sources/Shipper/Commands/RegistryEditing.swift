import Patterns
import Platform
import Registry
import Settings
import Synchronization

/// Shared by the commands that look at a registry or change it while no agent runs.
enum RegistryEditing {
    /// Runs `body` with the data directory; what it throws is told.
    static func run(
        _ place: RegistryPlace, _ body: (String) throws -> ExitCode
    ) throws(SystemError) -> ExitCode {
        do {
            return try body(try place.directory())
        } catch let error as RegistryError {
            if case .held = error { return try complain("\(error)", .dataHeld) }
            return try complain("\(error)", .fault)
        } catch let error as SystemError {
            throw error
        } catch {
            return try complain("\(error)", .fault)
        }
    }

    static func complain(_ text: String, _ code: ExitCode) throws(SystemError) -> ExitCode {
        try StandardStream.error.write("shipper: \(PrintableText.of(text))\n")
        return code
    }

    /// Lines on standard output.
    static func say(_ lines: [String]) throws(SystemError) {
        try StandardStream.output.write(lines.map { $0 + "\n" }.joined())
    }

    /// Opens the registry with its lock. One that is not there is not made, and faults that an
    /// agent would tell at its start are told.
    static func open(_ directory: String) throws -> (Registry, Listener) {
        _ = try RegistryReader.read(directory: directory)
        let listener = Listener()
        let registry = try Registry.open(directory: directory, observer: listener)
        for fault in registry.recovery.damaged {
            try StandardStream.error.write("shipper: \(PrintableText.of("\(fault)"))\n")
        }
        for name in registry.recovery.setAside {
            try StandardStream.error.write("shipper: the damaged file is kept as \(name)\n")
        }
        return (registry, listener)
    }

    /// The entries that an agent would start with, without its lock and without changing anything.
    static func preview(_ directory: String) throws -> [FileEntry] {
        let contents = try RegistryReader.read(directory: directory)
        for fault in contents.summary.damaged {
            try StandardStream.error.write("shipper: \(PrintableText.of("\(fault)"))\n")
        }
        return contents.entries
    }

    /// Those whose path or stream the glob `pattern` matches, as `registry show` picks them.
    static func matching(
        _ pattern: String, _ entries: [FileEntry]
    ) throws(PathPatternError) -> [FileEntry] {
        let wanted = try PathGlob(pattern)
        return entries.filter { wanted.matches($0.path) || wanted.matches($0.stream) }
    }

    static func files(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }

    /// The end of a dry run's summary.
    static let dry = " -- nothing was changed (--dry-run)"

    /// Hears what a registry tells while a command has it.
    final class Listener: RegistryObserver {
        private let bytes = Mutex(0)

        /// Of the last snapshot that was written.
        var snapshotBytes: Int { bytes.withLock { $0 } }

        func report(_ event: RegistryEvent) {
            switch event {
            case .compacted(_, let bytes, _): self.bytes.withLock { $0 = bytes }
            case .cannotSetAside(let error): complain(error)
            case .opened, .writeFailed, .writeRecovered, .synced: break
            }
        }

        private func complain(_ error: RegistryError) {
            do throws(SystemError) {
                _ = try RegistryEditing.complain("\(error)", .fault)
            } catch {
                // Standard error is where it would be told.
            }
        }
    }
}
