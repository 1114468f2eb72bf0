import Patterns
package import Platform
import Settings
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
        let (comments, faults) = try matches(settings)
        try StandardStream.output.write(settings.described() + comments)
        for fault in faults { try StandardStream.error.write("\(config): \(fault)\n") }
        return faults.isEmpty ? .done : .fault
    }

    /// The files that the inputs match now, as comments behind the configuration, so that all of
    /// the output is YAML; and the faults that only the directories show.
    private static func matches(
        _ settings: Settings
    ) throws(SystemError) -> (comments: String, faults: [String]) {
        var troubles: [String] = []
        var faults: [String] = []
        var silent: [String] = []
        let tailing = settings.inputs.map { InputPlan($0, settings.output.kafka).tailing }
        let mounts = SilentMounts.table()
        let files = MatchingFiles.now(tailing, mounts: mounts) { event in
            switch event {
            case .unlistable(let path, let error): troubles.append("\(path): \(error)")
            case .excludedDirectory(let path, let exclusion):
                faults.append(
                    "exclude \(LogLine.word(exclusion)) leaves out nothing in \(LogLine.word(path)), "
                        + "which is a directory; expected a glob for files, as in "
                        + LogLine.word(PathPatternError.filesBelow(exclusion)))
            default: break
            }
        } silent: {
            silent.append($0)
        }
        let hung = SilentMounts(silent, mounts)
        for input in settings.inputs {
            faults += input.paths.filter { !hung.hold($0.literalPath ?? []) }.compactMap(fault)
        }
        var text = ""
        for (index, input) in settings.inputs.enumerated() {
            let paths = files.filter { $0.input == index }.map(\.path)
            let count = paths.count == 1 ? "1 file" : "\(paths.count) files"
            text += "\n# Input \(input.name) matches \(count) now.\n"
            for path in paths { text += "#   \(LogLine.word(path))\n" }
        }
        for doubt in settings.kafkaDoubts { text += "\n# in doubt: \(LogLine.word(doubt))\n" }
        for mount in silent { text += "\n# does not answer: \(LogLine.word(mount))\n" }
        for trouble in troubles { text += "\n# cannot be listed: \(LogLine.word(trouble))\n" }
        return (text, faults)
    }

    /// A path without wildcards that leads to a directory matches nothing.
    private static func fault(_ pattern: PathPattern) -> String? {
        guard let path = pattern.literalPath else { return nil }
        do throws(SystemError) {
            // The dot lets a link stand for what it leads to.
            guard try FileStatus.glance(at: path + Array("/.".utf8)).isDirectory else { return nil }
        } catch {
            // What is not there yet, or is a file, is none.
            return nil
        }
        return
            "the path \(LogLine.word(pattern.text)) is a directory, and matches no file; expected "
            + "a glob for files, as in \(LogLine.word(pattern.text + "/*.log"))"
    }
}
