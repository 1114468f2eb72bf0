import YAML

/// A filebeat.yml as our configuration, and what of it somebody has to see to.
///
/// What is written is accepted by our own reader. A setting without an equal stands as a comment
/// in its place, with what to do; one that means something else here is never carried over without
/// a word.
package struct FilebeatConversion: Sendable {
    /// The configuration as YAML.
    package let text: String
    /// In the order of the file.
    package let notes: [FilebeatNote]

    /// Nothing is left for anybody to do.
    package var isComplete: Bool { !notes.contains(where: \.needsHand) }

    /// Converts the file at `path`.
    package init(path: String, environment: [String: String]) throws(SettingsError) {
        try self.init(try Settings.read(path), file: path, environment: environment)
    }

    /// Converts the file's `bytes`; `file` only names them in errors. Throws what is no YAML, and
    /// what holds none of Filebeat's settings.
    package init(
        _ bytes: [UInt8], file: String, environment: [String: String] = [:]
    ) throws(SettingsError) {
        guard bytes.count <= Self.longest else {
            throw SettingsError(
                file: file,
                faults: [
                    SettingsFault(
                        mark: nil, key: "",
                        problem: "more than \(Self.longest) bytes; expected at most that")
                ])
        }
        let document: Document
        do throws(YAMLError) {
            document = try Document(bytes, file: file)
        } catch {
            throw SettingsError(
                file: file,
                faults: [SettingsFault(mark: error.mark, key: "", problem: error.problem)])
        }
        if !document.faults.isEmpty {
            throw SettingsError(
                file: file,
                faults: document.faults.map {
                    SettingsFault(mark: $0.mark, key: "", problem: $0.problem)
                })
        }
        guard let root = document.root, SettingsReader.isFilebeats(root) else {
            throw SettingsError(
                file: file,
                faults: [
                    SettingsFault(
                        mark: document.root?.mark, key: "",
                        problem: "no configuration of Filebeat's; expected filebeat.inputs and "
                            + "output.kafka, say")
                ])
        }
        var converter = FilebeatConverter(FilebeatTree(root))
        let map = converter.convert()
        var notes = converter.notes
        var text = Self.text(map)
        let faults = Self.faults(text, file, environment)
        for fault in faults {
            // Our own mistake, or a value that nobody could see to be wrong: said, not printed as
            // if it were right.
            let note = FilebeatNote(
                mark: nil, key: fault.key,
                advice: "what was made of it is refused: \(fault.problem)", needsHand: true)
            notes.append(note)
            text += "# TO DO: \(note.comment)\n"
        }
        self.text = text
        self.notes = notes
    }

    /// Bytes of a file: keys are looked for one by one.
    private static let longest = 256 << 10

    private static func text(_ map: ConvertedMap) -> String {
        var text = YAMLText()
        map.write(to: &text)
        return text.text
    }

    /// What our reader says of the result. A variable that is not set here may be set elsewhere.
    private static func faults(
        _ text: String, _ file: String, _ environment: [String: String]
    ) -> [SettingsFault] {
        var environment = environment
        for name in FilebeatText.variables(text) where environment[name] == nil {
            environment[name] = standIn(name, text)
        }
        do throws(SettingsError) {
            _ = try Settings.parse(Array(text.utf8), file: file, environment: environment)
            return []
        } catch {
            return error.faults
        }
    }

    /// A value that fits where the variable stands.
    private static func standIn(_ name: String, _ text: String) -> String {
        var key: Substring = ""
        for line in text.split(separator: "\n") {
            let words = line.drop { $0 == " " }
            if words.hasSuffix(":") { key = words }
            guard words.contains("\"${\(name)}") else { continue }
            let isPath =
                words.hasPrefix("- ")
                ? key == "paths:"
                : ["ca: ", "certificate: ", "key: "].contains { words.hasPrefix($0) }
            if isPath { return "/x/x" }
        }
        return "x:9092"
    }
}

/// Goes through a filebeat.yml once, from the inputs to what is left.
struct FilebeatConverter {
    var tree: FilebeatTree
    /// All of them, those of inputs too.
    private(set) var notes: [FilebeatNote] = []
    var inputs: [FilebeatInput] = []
    var tops = Tops()
    /// Notes that have no place of their own.
    var loose: [FilebeatNote] = []

    init(_ tree: FilebeatTree) { self.tree = tree }

    /// Notes something about the whole file, and gives it back for its place.
    @discardableResult
    mutating func note(
        _ value: FilebeatTree.Value, _ advice: String, hand: Bool = true
    ) -> FilebeatNote {
        let note = FilebeatNote(
            mark: value.mark, key: value.key, advice: advice, needsHand: hand)
        tell(note)
        return note
    }

    /// Each once: what goes for all inputs is met at each of them.
    private mutating func tell(_ note: FilebeatNote) {
        if !notes.contains(note) { notes.append(note) }
    }

    @discardableResult
    mutating func note(missing key: String, _ advice: String) -> FilebeatNote {
        let note = FilebeatNote(mark: nil, key: key, advice: advice, needsHand: true)
        tell(note)
        return note
    }

    mutating func note(
        _ value: FilebeatTree.Value, _ advice: String, hand: Bool = true,
        in input: inout FilebeatInput
    ) {
        input.notes.append(note(value, advice, hand: hand))
    }

    /// The whole configuration.
    mutating func convert() -> ConvertedMap {
        var root = ConvertedMap()
        root.comment(
            "Made of a filebeat.yml by shipper convert. A comment names what has no equal here.")
        var before = ConvertedMap()
        tellVariables(tree.root)
        top()
        makeInputs(&before)
        finishInputs(&before)
        let kafka = kafka()
        let rest = rest()
        if inputs.isEmpty {
            before.comment(
                note(
                    missing: "filebeat.inputs",
                    "no input that reads files is left; name the files under paths"))
            var input = FilebeatInput(name: "files", type: "filestream")
            input.paths = ["/var/log/*.log"]
            inputs = [input]
        }
        for note in loose { before.comment(note) }
        for entry in before.entries { if case .comment(let text) = entry { root.comment(text) } }
        root.items("inputs", inputs.map(\.map))
        var output = ConvertedMap()
        output.map("kafka", kafka)
        root.map("output", output)
        root.append(rest)
        notes.sort { ($0.mark ?? Self.end) < ($1.mark ?? Self.end) }
        return root
    }

    /// Settings by whose values others are chosen: one that a variable holds is not known here.
    private static let chosen: Set<String> = [
        "enabled", "stream", "format", "type", "tail_files", "fields_under_root", "symlinks",
        "negate", "match", "max_lines", "count_lines", "skip_newline", "timeout", "max_bytes",
        "message_max_bytes", "keys_under_root", "overwrite_keys", "expand_keys", "add_error_key",
        "ignore_decoding_error", "encoding", "shutdown_timeout", "flush", "level", "json", "port",
        "host", "compression", "compression_level", "max_message_bytes", "mechanism",
        "verification_mode", "layouts", "timezone",
    ]

    private mutating func tellVariables(_ value: FilebeatTree.Value) {
        switch value.content {
        case .map(let entries):
            // Of what is not carried over it is told anyway.
            for entry in entries where !["add_kubernetes_metadata"].contains(entry.name) {
                tellVariables(entry.value)
            }
        case .list(let items): for item in items { tellVariables(item) }
        case .scalar(let scalar):
            let name = value.key.split(separator: ".").last.map { $0.prefix { $0 != "[" } } ?? ""
            if Self.chosen.contains(String(name)), EnvironmentReferences.stand(in: scalar.text) {
                loose.append(
                    note(value, "it hangs on the environment, which is not asked; write its value"))
            }
        }
    }

    private static let end = Mark(line: .max, column: 0)
}
