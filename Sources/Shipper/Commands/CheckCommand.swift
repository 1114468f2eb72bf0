import Encoding
import Kafka
import Patterns
package import Platform
import Registry
import Settings
import Tailer

/// `shipper check`: says whether a configuration can be run, and what it means.
package enum CheckCommand {
    /// Prints the resolved configuration to standard output, or everything that is wrong with it to
    /// standard error.
    /// With `connect` it asks the brokers, too; with `all` it lists each file.
    package static func run(
        config: String, connect: Bool = false, all: Bool = false
    ) throws(SystemError) -> ExitCode {
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.validated(path: config)
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .fault
        }
        var (comments, faults, topics) = matches(settings, all: all)
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
        _ settings: Settings, all: Bool
    ) -> (comments: String, faults: [String], topics: [String]) {
        let checked = CheckedFiles(settings)
        let (data, fault) = data(settings.data)
        var text = "\n# Data directory \(LogLine.word(settings.data)): \(data)\n"
        text += checked.text(all: all)
        text += rotations(settings, checked.files)
        for (index, input) in settings.inputs.enumerated() where input.topic.isDated {
            let files = checked.files.filter { $0.input == index }
            let names = Self.topics(settings, files, of: index)
            let more = names.count > mostShown ? " and \(names.count - mostShown) more" : ""
            let shown = names.sorted().prefix(mostShown).map(LogLine.word).joined(separator: ", ")
            if names.isEmpty { continue }
            text += "\n# Topics of input \(input.name) today: \(shown)\(more)\n"
        }
        for doubt in settings.kafkaDoubts { text += "\n# in doubt: \(LogLine.word(doubt))\n" }
        for fault in Settings.libraryFaults { text += "\n# known: \(LogLine.word(fault))\n" }
        for mount in checked.silent { text += "\n# does not answer: \(LogLine.word(mount))\n" }
        for link in checked.links { text += "\n# not followed: \(LogLine.word(link))\n" }
        for trouble in checked.troubles {
            text += "\n# cannot be listed: \(LogLine.word(trouble))\n"
        }
        let paths = settings.inputs.flatMap { input in
            input.paths.filter { !checked.isHung($0.literalPath ?? []) }.compactMap(Self.fault)
        }
        return (
            text, checked.faults + paths + [fault].compactMap(\.self),
            topics(settings, checked.files)
        )
    }

    /// What an agent would find in the place of its data directory, and why it would not start.
    private static func data(_ path: String) -> (words: String, fault: String?) {
        var mounts = SilentMounts([], SilentMounts.table())
        let look: DataDirectory.Look?
        do throws(SystemError) {
            look = try mounts.patiently(Array(path.utf8)) { DataDirectory.look(at: path) }
        } catch {
            // Without a thread there is no telling whether it answers.
            look = nil
        }
        guard let look else { return ("its file system does not answer", nil) }
        return switch look {
        case .absent(isAboveThere: true): ("not there yet; the agent makes it", nil)
        case .absent(isAboveThere: false):
            (
                "not there, nor the directory above it, which has to be",
                "data: the directory above \(LogLine.word(path)) is not there; make it"
            )
        case .refused(let error): ("not usable", "data: \(LogLine.word(error.description))")
        case .unwritable: ("there; this user cannot write to it", nil)
        case .held(let pid):
            ("there, held by a running agent\(pid.map { ", process \($0)" } ?? "")", nil)
        case .free: ("there; no agent is seen with it", nil)
        }
    }

    /// How the logs of each input that asks for rotation can be rotated.
    private static func rotations(
        _ settings: Settings, _ files: [MatchingFile]
    ) -> String {
        let territories = Readers.territories(
            settings.inputs.map { InputPlan($0, settings.output.kafka).tailing })
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
