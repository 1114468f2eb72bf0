import Encoding
import Model
import Patterns
import Platform
import Settings
import Tailer

/// The files that inputs match at this moment, and those that they could match and do not, with the
/// reason, as `check` tells of them.
struct CheckedFiles {
    /// Of an input, files that are named unless all are asked for.
    static let mostShown = 50
    /// Of what is told beside that, names that stand for the rest.
    private static let mostExamples = 3

    private let settings: Settings
    private let hung: SilentMounts
    /// In the order of the inputs.
    let files: [MatchingFile]
    /// Remote file systems that do not answer.
    let silent: [String]
    /// Links that are not followed, with the reason.
    private(set) var links: [String] = []
    /// Directories that cannot be listed, with the reason.
    private(set) var troubles: [String] = []
    /// What is wrong with an exclusion, as only the directories show it.
    private(set) var faults: [String] = []
    /// By input, what its patterns match and something keeps from it; nothing where a file system
    /// does not answer.
    private var kept: [[Kept]] = []

    /// Why a file that a pattern matches is not its input's.
    private enum Reason: Hashable {
        /// The index of the exclusion.
        case excluded(Int)
        /// The agent's own pod wrote it.
        case own
        /// The index of the input.
        case others(Int)
    }

    private struct Kept {
        let reason: Reason
        let path: String
    }

    init(_ settings: Settings) {
        self.settings = settings
        let plans = settings.inputs.map { InputPlan($0, settings.output.kafka) }
        let tailing = plans.map(\.tailing)
        let mounts = SilentMounts.table()
        var links: [String] = []
        var troubles: [String] = []
        var faults: [String] = []
        var silent: [String] = []
        files = MatchingFiles.now(tailing, mounts: mounts) { event in
            switch event {
            case .unlistable(let path, let error): troubles.append("\(path): \(error)")
            case .linkNotFollowed(let path, let reason): links.append("\(path): \(reason)")
            case .linkDangles(let path, let target):
                links.append("\(path): it leads to \(target), which is not there")
            case .excludedDirectory(let path, let exclusion):
                faults.append(
                    "exclude \(LogLine.word(exclusion)) leaves out nothing in "
                        + "\(LogLine.word(path)), which is a directory; expected a glob for files, as in "
                        + LogLine.word(PathPatternError.filesBelow(exclusion)))
            default: break
            }
        } silent: {
            silent.append($0)
        }
        self.links = links
        self.troubles = troubles
        self.faults = faults
        self.silent = silent
        hung = SilentMounts(silent, mounts)
        // Each walk would wait for it once more.
        guard silent.isEmpty else { return }
        var owners: [String: Int] = [:]
        for file in files { owners[file.path] = file.input }
        for (index, input) in tailing.enumerated() {
            let excluded = settings.inputs[index].exclude.count
            // Each input by itself: what it has not, another one has, or nobody.
            var hanging: [String] = []
            let all = MatchingFiles.now([input.withoutExclusions], mounts: mounts) { _ in
            } silent: {
                hanging.append($0)
            }
            guard hanging.isEmpty else { return }
            kept.append(
                all.compactMap { file in
                    Self.reason(file, input, excluded, owners[file.path]).flatMap { reason in
                        reason == .others(index) ? nil : Kept(reason: reason, path: file.path)
                    }
                })
        }
    }

    /// `excluded` is how many of the exclusions are the configuration's, `owner` the input that has
    /// the file. Nil where no reason is known.
    private static func reason(
        _ file: MatchingFile, _ input: TailerInput, _ excluded: Int, _ owner: Int?
    ) -> Reason? {
        let names = [file.path, file.link].compactMap(\.self)
        let exclusion = input.exclude.firstIndex { glob in names.contains { glob.matches($0) } }
        if let exclusion {
            return exclusion < excluded ? .excluded(exclusion) : .own
        }
        return owner.map { .others($0) }
    }

    /// Whether a call on the path would wait for a file system that does not answer.
    func isHung(_ path: [UInt8]) -> Bool { hung.hold(path) }

    // MARK: Text

    /// Of each input its files and what is left out, as comments of YAML.
    func text(all: Bool) -> String {
        var text = ""
        for (index, input) in settings.inputs.enumerated() {
            text += "\n" + own(input, index, all: all) + keptText(input, index) + absent(input)
        }
        return text
    }

    private func own(_ input: Settings.Input, _ index: Int, all: Bool) -> String {
        let files = files.filter { $0.input == index }
        let count = Self.count(files.count)
        let isCut = !all && files.count > Self.mostShown
        let rest = isCut ? " The first \(Self.mostShown) (--all lists them all):" : ""
        var text = "# Input \(input.name) matches \(count) now.\(rest)\n"
        let plan = InputPlan(input, settings.output.kafka)
        for file in isCut ? files.prefix(Self.mostShown) : files[...] {
            let link = file.link.map { "\(LogLine.word($0)) -> " } ?? ""
            text += "#   \(link)\(LogLine.word(file.path)) (\(fate(file, input, plan)))\n"
        }
        let unreadable = files.filter { !FileStatus.isReadable(at: PathText.bytes(of: $0.path)) }
        if !unreadable.isEmpty {
            text += "#   cannot be read by this user: \(examples(unreadable.map(\.path)))\n"
        }
        return text
    }

    /// The format, topic and key of what it holds.
    private func fate(
        _ file: MatchingFile, _ input: Settings.Input, _ plan: InputPlan
    ) -> String {
        let captures = input.paths.lazy.compactMap { $0.match(file.link ?? file.path) }.first ?? [:]
        let names = plan.names(captures, stream: file.path, day: Timestamp.now().day)
        let key =
            settings.output.kafka.key == nil
            ? "the stream's path" : LogLine.word(String(decoding: names.key, as: UTF8.self))
        return "\(format(file, input)), topic \(LogLine.word(names.topic.topic)), key \(key)"
    }

    private func format(_ file: MatchingFile, _ input: Settings.Input) -> String {
        guard input.format == .auto else { return input.format.rawValue }
        // In an s6 log directory nothing is guessed.
        if file.path.hasSuffix("/current") { return Settings.LineFormat.s6.rawValue }
        let container = FormatLook.container(at: file.path, of: input)
        return container?.rawValue ?? Settings.LineFormat.plain.rawValue
    }

    private func keptText(_ input: Settings.Input, _ index: Int) -> String {
        guard kept.indices.contains(index) else { return "" }
        var text = ""
        for (number, exclusion) in input.exclude.enumerated() {
            let paths = paths(index, .excluded(number))
            let always = Settings.isExcludedAlways(exclusion) ? ", as of every input" : ""
            let glob = LogLine.word(exclusion.text)
            if !paths.isEmpty {
                text += "#   left out by exclude \(glob)\(always): \(examples(paths))\n"
            } else if always.isEmpty {
                text += "#   exclude \(glob) leaves out nothing now\n"
            }
        }
        let own = paths(index, .own)
        if !own.isEmpty { text += "#   left out, for it is the agent's own: \(examples(own))\n" }
        for (owner, other) in settings.inputs.enumerated() where owner != index {
            let paths = paths(index, .others(owner))
            if !paths.isEmpty { text += "#   left to input \(other.name): \(examples(paths))\n" }
        }
        return text
    }

    private func paths(_ index: Int, _ reason: Reason) -> [String] {
        kept[index].filter { $0.reason == reason }.map(\.path)
    }

    /// Beginnings of patterns that are not there.
    private func absent(_ input: Settings.Input) -> String {
        var text = ""
        for pattern in input.paths where !hung.hold(Array(pattern.prefix.utf8)) {
            do throws(SystemError) {
                guard try !FileStatus.glance(at: Array((pattern.prefix + "/.").utf8)).isDirectory
                else { continue }
            } catch {
                guard error.code == .notFound || error.code == .notDirectory else { continue }
            }
            text +=
                "#   not there: \(LogLine.word(pattern.prefix)), in which "
                + "\(LogLine.word(pattern.text)) looks for files\n"
        }
        return text
    }

    private func examples(_ paths: [String]) -> String {
        let shown = paths.prefix(Self.mostExamples).map(LogLine.word).joined(separator: ", ")
        let rest = paths.count - Self.mostExamples
        return rest > 0 ? "\(Self.count(paths.count)), as \(shown)" : shown
    }

    private static func count(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }
}
