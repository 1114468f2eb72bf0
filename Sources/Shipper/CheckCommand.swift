package import Platform
import Tailer

/// `shipper check`: says whether a configuration can be run, and what it means.
package enum CheckCommand {
    /// Prints the resolved configuration to standard output, or everything that is wrong with it to
    /// standard error.
    package static func run(config: String) throws(SystemError) -> ExitCode {
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.validated(path: config)
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .fault
        }
        try StandardStream.output.write(settings.described() + matches(settings))
        return .done
    }

    /// What the inputs match now, as comments behind the configuration, so that all of the output
    /// is YAML.
    private static func matches(_ settings: Settings) throws(SystemError) -> String {
        var troubles: [String] = []
        let files = try MatchingFiles.now(
            settings.inputs.map { InputPlan($0, settings.output.kafka).tailing }
        ) { event in
            if case .unlistable(let path, let error) = event {
                troubles.append("\(path): \(error)")
            }
        }
        var text = ""
        for (index, input) in settings.inputs.enumerated() {
            let paths = files.filter { $0.input == index }.map(\.path)
            let count = paths.count == 1 ? "1 file" : "\(paths.count) files"
            text += "\n# Input \(input.name) matches \(count) now.\n"
            for path in paths { text += "#   \(LogLine.word(path))\n" }
        }
        for trouble in troubles { text += "\n# cannot be listed: \(LogLine.word(trouble))\n" }
        return text
    }
}
