import Model
import Patterns
package import Platform
import Registry
import Settings

/// `shipper registry show`: every file that is known, and how far it is delivered.
package enum RegistryShowCommand {
    /// The arguments on the command line, checked.
    package struct Arguments: Hashable, Sendable {
        /// One JSON object a line in place of a table.
        package let isJSON: Bool
        /// Whose files.
        package let place: RegistryPlace
        /// `path`, `lag` or `age`.
        package let order: String
        /// Draws anew each second until SIGINT or SIGTERM.
        package let isWatching: Bool
        /// A glob over whole paths, or over any tail of them where it does not start with `/`.
        package let pattern: String?

        package init(
            isJSON: Bool = false, place: RegistryPlace = RegistryPlace(), order: String = "path",
            isWatching: Bool = false, pattern: String? = nil
        ) {
            self.isJSON = isJSON
            self.place = place
            self.order = order
            self.isWatching = isWatching
            self.pattern = pattern
        }
    }

    /// Values of `--sort`.
    package static let orders = FileTable.Order.allCases.map(\.rawValue)

    private static let pauseNanoseconds: Int64 = 1_000_000_000

    /// Reads the registry of a live or dead agent, or of a copied directory, without a lock.
    package static func run(_ arguments: Arguments) throws(SystemError) -> ExitCode {
        let wanted: PathGlob?
        let directory: String
        do {
            wanted = try arguments.pattern.map { try PathGlob($0) }
            directory = try arguments.place.directory()
        } catch {
            return try complain("\(error)")
        }
        let order = FileTable.Order(rawValue: arguments.order) ?? .path
        let shown = Shown(
            directory: directory, wanted: wanted, order: order, glances: RemoteGlances())
        guard arguments.isWatching else {
            return try print(shown, isJSON: arguments.isJSON)
        }
        return try watch(shown)
    }

    private struct Shown {
        let directory: String
        let wanted: PathGlob?
        let order: FileTable.Order

        let glances: RemoteGlances

        func read() throws(RegistryError) -> (files: [ShownFile], faults: [RegistryFault]) {
            let contents = try RegistryReader.read(directory: directory)
            let entries = contents.entries.filter { entry in
                wanted.map { $0.matches(entry.path) || $0.matches(entry.stream) } ?? true
            }
            return (glances.look(at: entries), contents.summary.damaged)
        }
    }

    private static func print(
        _ shown: Shown, isJSON: Bool
    ) throws(SystemError) -> ExitCode {
        let (files, faults): ([ShownFile], [RegistryFault])
        do throws(RegistryError) {
            (files, faults) = try shown.read()
        } catch {
            return try complain("\(error)")
        }
        let lines =
            isJSON
            ? FileTable.sorted(files, shown.order).map { EntryJSON(file: $0).line }
            : FileTable(files, order: shown.order, now: .now(), look: look(isScrolled: true))
                .lines()
        try StandardStream.output.write(lines.map { $0 + "\n" }.joined())
        for mount in shown.glances.silent {
            _ = try complain("\(mount): does not answer; files there are as they were saved")
        }
        return try complain(faults)
    }

    // MARK: --watch

    private static func watch(_ shown: Shown) throws(SystemError) -> ExitCode {
        Signals.prepare()
        let screen = StandardStream.output.isTerminal ? TerminalScreen() : nil
        try screen?.enter()
        var faults: [RegistryFault] = []
        repeat {
            var lines: [String]
            do throws(RegistryError) {
                let (files, found) = try shown.read()
                faults = found
                lines = FileTable(
                    files, order: shown.order, now: .now(), look: look(isScrolled: false)
                ).lines()
            } catch {
                // An agent that was never started may be started yet.
                lines = [PrintableText.of("shipper: \(error)")]
            }
            if let screen {
                try screen.draw(lines)
            } else {
                try StandardStream.output.write(lines.joined(separator: "\n") + "\n\n")
            }
        } while !Signals.waitForEnd(nanoseconds: pauseNanoseconds)
        try screen?.leave()
        return try complain(faults)
    }

    // MARK: What is told

    static func look(isScrolled: Bool) -> TerminalLook {
        let environment = ProcessContext.environment()
        guard StandardStream.output.isTerminal, environment["TERM"] != "dumb" else {
            return .plain
        }
        let window = StandardStream.output.windowSize()
        let columns = environment["COLUMNS"].flatMap { Int($0) } ?? window?.columns ?? 80
        return TerminalLook(
            screen: TerminalSize(
                columns: max(40, columns), rows: window?.rows ?? 24, isScrolled: isScrolled),
            hasColour: (environment["NO_COLOR"] ?? "").isEmpty)
    }

    private static func complain(_ text: String) throws(SystemError) -> ExitCode {
        try StandardStream.error.write("shipper: \(PrintableText.of(text))\n")
        return .fault
    }

    private static func complain(_ faults: [RegistryFault]) throws(SystemError) -> ExitCode {
        for fault in faults { _ = try complain("\(fault)") }
        return faults.isEmpty ? .done : .fault
    }
}
