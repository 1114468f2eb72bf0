import Model
package import Platform
import Registry
import Settings
import Synchronization
import Tailer

/// `shipper registry import filebeat`: goes on where Filebeat stopped.
package enum RegistryImportCommand {
    /// The arguments on the command line, checked.
    package struct Arguments: Hashable, Sendable {
        /// Filebeat's data directory, or its registry's.
        package let directory: String
        /// Nil: the standard configuration.
        package let config: String
        /// Nil: the one that the configuration names.
        package let data: String?
        /// Only says what would be done.
        package let isDry: Bool
        /// Takes a file for the same by its path alone, where Filebeat noted no more.
        package let trustsPaths: Bool
        /// Ships archives of s6-log that are older than the file that Filebeat was reading.
        package let rereadsArchives: Bool

        package init(
            directory: String, config: String, data: String? = nil, isDry: Bool = false,
            trustsPaths: Bool = false, rereadsArchives: Bool = false
        ) {
            self.directory = directory
            self.config = config
            self.data = data
            self.isDry = isDry
            self.trustsPaths = trustsPaths
            self.rereadsArchives = rereadsArchives
        }
    }

    /// Prints what becomes of each of Filebeat's positions and, unless it is a dry run, enters
    /// those that are taken over, all at once.
    package static func run(_ arguments: Arguments) throws(SystemError) -> ExitCode {
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.load(
                path: arguments.config, environment: ProcessContext.environment())
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .badConfiguration
        }
        let data = arguments.data ?? settings.data
        do {
            // Before anything of ours is opened: a refusal leaves no trace.
            let filebeat = try FilebeatDirectory(arguments.directory)
            if filebeat.isInUse, !arguments.isDry {
                return try complain(
                    "\(filebeat.path): a Filebeat that uses this registry is running: stop it first, "
                        + "or what it ships from now on comes twice", .dataHeld)
            }
            if arguments.isDry { return try preview(filebeat, settings, data, arguments) }
            return try enter(filebeat, settings, data, arguments)
        } catch let error as RegistryError {
            if case .held = error { return try complain("\(error)", .dataHeld) }
            return try complain("\(error)", .fault)
        } catch let error as SystemError {
            throw error
        } catch {
            return try complain("\(error)", .fault)
        }
    }

    private static func complain(
        _ text: String, _ code: ExitCode
    ) throws(SystemError) -> ExitCode {
        try StandardStream.error.write("shipper: \(PrintableText.of(text))\n")
        return code
    }

    private static func preview(
        _ filebeat: FilebeatDirectory, _ settings: Settings, _ data: String, _ arguments: Arguments
    ) throws -> ExitCode {
        var entries: [FileEntry] = []
        do throws(RegistryError) {
            entries = try RegistryReader.read(directory: data).entries
        } catch {
            // A directory that the import would make.
            guard case .unreadable(_, let cause) = error, cause.code == .notFound else {
                throw error
            }
        }
        let takeover = try takeover(filebeat, settings, entries, arguments)
        try say(takeover, filebeat, isDry: true)
        if filebeat.isInUse {
            try StandardStream.error.write(
                "shipper: a Filebeat that uses this registry is running: its positions still move\n"
            )
        }
        return .done
    }

    private static func enter(
        _ filebeat: FilebeatDirectory, _ settings: Settings, _ data: String, _ arguments: Arguments
    ) throws -> ExitCode {
        let observer = Listener()
        let registry = try Registry.open(directory: data, observer: observer)
        let takeover = try takeover(filebeat, settings, registry.entries(), arguments)
        guard registry.adopt(takeover.adopted) else {
            // Without `close`, which would try to save it once more after it was called a failure.
            let reason = observer.failure.map { "\($0)" } ?? "\(data): cannot be written"
            return try complain(
                "\(reason); import again, and what is entered already is listed as known", .fault)
        }
        registry.close()
        try say(takeover, filebeat, isDry: false)
        return .done
    }

    private static func takeover(
        _ filebeat: FilebeatDirectory, _ settings: Settings, _ entries: [FileEntry],
        _ arguments: Arguments
    ) throws(SystemError) -> Takeover {
        var troubles: [String] = []
        var silent: [String] = []
        let mounts = SilentMounts.table()
        let files = StreamFiles.now(
            settings.inputs.map { InputPlan($0, settings.output.kafka).tailing }, mounts: mounts
        ) { event in
            if case .unlistable(let path, let error) = event {
                troubles.append("\(path): cannot be listed: \(error)")
            }
        } silent: {
            silent.append($0)
            troubles.append("\($0): does not answer; no position of a file there is taken over")
        }
        for trouble in troubles {
            try StandardStream.error.write("shipper: \(PrintableText.of(trouble))\n")
        }
        return Takeover(
            filebeat, files, names: settings.inputs.map(\.name), known: RegisteredFiles(entries),
            mounts: SilentMounts(silent, mounts),
            options: Takeover.Options(
                trustsPaths: arguments.trustsPaths, rereadsArchives: arguments.rereadsArchives))
    }

    private static func say(
        _ takeover: Takeover, _ filebeat: FilebeatDirectory, isDry: Bool
    ) throws(SystemError) {
        let text = TakeoverText(
            takeover: takeover, cut: filebeat.store.cut?.description, isDry: isDry)
        try StandardStream.output.write(text.lines().map { $0 + "\n" }.joined())
    }

    /// Remembers why something could not be written.
    private final class Listener: RegistryObserver {
        private let first = Mutex<RegistryError?>(nil)

        var failure: RegistryError? { first.withLock { $0 } }

        func report(_ event: RegistryEvent) {
            switch event {
            case .writeFailed(let error), .cannotSetAside(let error):
                first.withLock { $0 = $0 ?? error }
            case .opened, .writeRecovered, .synced, .compacted: break
            }
        }
    }
}
