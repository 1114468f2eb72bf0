import Encoding
import Kafka
import Patterns
package import Platform
import Settings
import Tailer

/// `shipper check`: says whether a configuration can be run, and what it means.
package enum CheckCommand {
    /// Prints the resolved configuration to standard output, or everything that is wrong with it to
    /// standard error.
    /// With `connect` it asks the brokers, too.
    package static func run(
        config: String, connect: Bool = false
    ) throws(SystemError) -> ExitCode {
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.validated(path: config)
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .fault
        }
        var (comments, faults, topics) = try matches(settings)
        try StandardStream.output.write(settings.described() + comments)
        if connect {
            let answers = settings.look(at: topics)
            comments = answers.filter { !$0.isFault }.map { "# \(LogLine.word($0.text))\n" }
                .joined()
            try StandardStream.output.write("\n" + comments)
            faults += answers.filter(\.isFault).map(\.text)
        }
        for fault in faults { try StandardStream.error.write("\(config): \(fault)\n") }
        return faults.isEmpty ? .done : .fault
    }

    /// The files that the inputs match now, as comments behind the configuration, so that all of
    /// the output is YAML; and the faults that only the directories show.
    private static func matches(
        _ settings: Settings
    ) throws(SystemError) -> (comments: String, faults: [String], topics: [String]) {
        var troubles: [String] = []
        var links: [String] = []
        var faults: [String] = []
        var silent: [String] = []
        let tailing = settings.inputs.map { InputPlan($0, settings.output.kafka).tailing }
        let mounts = SilentMounts.table()
        let files = MatchingFiles.now(tailing, mounts: mounts) { event in
            switch event {
            case .unlistable(let path, let error): troubles.append("\(path): \(error)")
            case .linkNotFollowed(let path, let reason): links.append("\(path): \(reason)")
            case .linkDangles(let path, let target):
                links.append("\(path): it leads to \(target), which is not there")
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
            let files = files.filter { $0.input == index }
            let count = files.count == 1 ? "1 file" : "\(files.count) files"
            text += "\n# Input \(input.name) matches \(count) now.\n"
            for file in files {
                let format = FormatLook.container(at: file.path, of: input)
                    .map { " (\($0.rawValue))" }
                let link = file.link.map { "\(LogLine.word($0)) -> " }
                text += "#   \(link ?? "")\(LogLine.word(file.path))\(format ?? "")\n"
            }
        }
        text += rotations(settings, files, Readers.territories(tailing))
        for (index, input) in settings.inputs.enumerated() where input.topic.isDated {
            let names = Self.topics(settings, files.filter { $0.input == index }, of: index)
            let more = names.count > mostShown ? " and \(names.count - mostShown) more" : ""
            let shown = names.sorted().prefix(mostShown).map(LogLine.word).joined(separator: ", ")
            if names.isEmpty { continue }
            text += "\n# Topics of input \(input.name) today: \(shown)\(more)\n"
        }
        for doubt in settings.kafkaDoubts { text += "\n# in doubt: \(LogLine.word(doubt))\n" }
        for fault in Settings.libraryFaults { text += "\n# known: \(LogLine.word(fault))\n" }
        for mount in silent { text += "\n# does not answer: \(LogLine.word(mount))\n" }
        for link in links { text += "\n# not followed: \(LogLine.word(link))\n" }
        for trouble in troubles { text += "\n# cannot be listed: \(LogLine.word(trouble))\n" }
        return (text, faults, topics(settings, files))
    }

    /// How the logs of each input that asks for rotation can be rotated.
    private static func rotations(
        _ settings: Settings, _ files: [MatchingFile], _ territories: Territories
    ) -> String {
        var text = ""
        for (index, input) in settings.inputs.enumerated() where input.rotation != nil {
            let paths = files.filter { $0.input == index }.map(\.path)
            let methods = RotationMethods(input, paths) { territories.reader(of: $0) == 0 }
            if methods.lines.isEmpty { continue }
            text += "\n# Input \(input.name) rotates its logs:\n"
            for line in methods.lines { text += "#   \(PrintableText.of(line))\n" }
        }
        return text
    }

    /// Of an input, topics that are named.
    private static let mostShown = 10

    /// Where the lines of these files go, if they are today's: each topic once, in order.
    private static func topics(_ settings: Settings, _ files: [MatchingFile]) -> [String] {
        let kafka = settings.output.kafka
        var topics = Set([kafka.deadLetterTopic, kafka.fallbackTopic].compactMap(\.self))
        for index in settings.inputs.indices {
            topics.formUnion(Self.topics(settings, files, of: index))
        }
        return topics.sorted()
    }

    private static func topics(
        _ settings: Settings, _ files: [MatchingFile], of index: Int
    ) -> Set<String> {
        let input = settings.inputs[index]
        let plan = InputPlan(input, settings.output.kafka)
        let today = Timestamp.now().day
        // One name for all of its files.
        if input.topic.names.allSatisfy({ input.value(of: $0, captures: [:]) != nil }) {
            return [plan.names([:], stream: "", day: today).topic.topic]
        }
        var topics: Set<String> = []
        for file in files where file.input == index {
            for pattern in input.paths {
                guard let captures = pattern.match(file.link ?? file.path) else { continue }
                topics.insert(
                    plan.names(captures, stream: file.path, day: today).topic.topic)
                break
            }
        }
        return topics
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
