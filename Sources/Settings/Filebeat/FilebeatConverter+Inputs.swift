import Platform
import YAML

/// `filebeat.inputs`, and what else makes inputs.
extension FilebeatConverter {
    /// What stands at the top and goes for every input.
    struct Tops {
        var fields: [Field] = []
        var isUnderRoot = false
        var tags: [String] = []
        var processors: FilebeatTree.Value?
    }

    mutating func top() {
        tops.isUnderRoot = tree.take("fields_under_root")?.bool ?? false
        if let fields = tree.take("fields") { tops.fields = self.fields(fields) }
        tops.tags = tree.take("tags").flatMap { texts($0) } ?? []
        tops.processors = tree.take("processors")
    }

    /// A new input, with what goes for all of them.
    func begin(_ name: String, type: String) -> FilebeatInput {
        var input = FilebeatInput(name: name, type: type)
        for field in tops.fields { input.add(field, underRoot: tops.isUnderRoot) }
        input.tags = tops.tags
        // What a topic takes as a rule: a line that Filebeat ships whole comes whole.
        input.maxLine = 1 << 20
        return input
    }

    /// References as they are written here; those that are none stay out, and are told.
    mutating func texts(_ value: FilebeatTree.Value) -> [String]? {
        guard let items = value.items else { return nil }
        return items.compactMap { item in text(item) }
    }

    mutating func text(_ value: FilebeatTree.Value) -> String? {
        guard let text = value.text else { return nil }
        guard let known = FilebeatText.references(text) else {
            loose.append(
                note(
                    value,
                    "it refers to another setting or provider, which is not done here; write "
                        + "the value"
                ))
            return nil
        }
        return known
    }

    mutating func fields(_ value: FilebeatTree.Value) -> [Field] {
        for leaf in value.leaves {
            guard case .scalar(let scalar) = leaf.content, scalar.isPlain else { continue }
            let digits = scalar.text.drop { $0 == "-" || $0 == "+" }
            if digits.count > 1, digits.first == "0", digits.allSatisfy(\.isNumber) {
                loose.append(
                    note(leaf, "octal in Filebeat and decimal here; write it in quotes, or as 0o7"))
            } else if EnvironmentReferences.stand(in: scalar.text) {
                loose.append(note(leaf, "a text here, whatever the variable holds", hand: false))
            }
        }
        return (value.entries ?? []).compactMap { entry in
            guard let field = entry.value.fieldValue else {
                loose.append(note(entry.value, "a value that JSON cannot carry; put it in quotes"))
                return nil
            }
            return Field(name: entry.name, value: field)
        }
    }

    mutating func makeInputs(_ before: inout ConvertedMap) {
        for key in ["filebeat.inputs", "filebeat.prospectors"] {
            guard let value = tree.take(key) else { continue }
            for (index, item) in some(value).enumerated() { input(item, index, &before) }
        }
        if let modules = tree.take("filebeat.modules") {
            for item in some(modules) { module(item, &before) }
        }
        if let value = tree.take("filebeat.autodiscover") { autodiscover(value, &before) }
        for key in ["filebeat.config.inputs", "filebeat.config.modules", "filebeat.config_dir"] {
            guard let value = tree.take(key) else { continue }
            let isOff =
                FilebeatTree(value).look("enabled").flatMap(\.bool) == false
                || value.bool == false
            guard !isOff else { continue }
            before.comment(
                note(
                    value,
                    "files beside this one are not read; convert each, and put their inputs "
                        + "in one file"
                ))
        }
    }

    /// Items of a list that is not without end: each input is held against each processor.
    mutating func some(_ value: FilebeatTree.Value) -> [FilebeatTree.Value] {
        let items = value.items ?? []
        if items.count > Self.mostItems {
            loose.append(
                note(value, "more than \(Self.mostItems) of them; the others are left out"))
        }
        return Array(items.prefix(Self.mostItems))
    }

    private static let mostItems = 500

    /// A name that no input has yet.
    mutating func name(_ wish: String) -> String {
        var name = String(
            wish.map { character in
                let isPlain =
                    character.isASCII && (character.isLetter || character.isNumber)
                    || "_-.".contains(character)
                return isPlain ? character : "-"
            }.prefix(90))
        if name.isEmpty { name = "input" }
        var unique = name
        var number = 2
        while inputs.contains(where: { $0.name == unique }) {
            unique = "\(name)-\(number)"
            number += 1
        }
        return unique
    }

    private static let kinds = ["filestream", "log", "container", "docker"]

    private mutating func input(
        _ value: FilebeatTree.Value, _ index: Int, _ before: inout ConvertedMap
    ) {
        var tree = FilebeatTree(value)
        let type = (tree.take("type") ?? tree.take("input_type"))?.text ?? "log"
        if let enabled = tree.take("enabled") {
            if enabled.bool == false {
                before.comment(note(value, "an input that is not enabled; left out", hand: false))
                return
            }
            if enabled.bool == nil {
                before.comment(
                    note(
                        enabled,
                        "whether it is enabled hangs on the environment; it is taken for enabled"))
            }
        }
        guard Self.kinds.contains(type) else {
            before.comment(
                note(
                    value,
                    "an input of type \(type), which reads no files; leave it with another agent"))
            return
        }
        let id = tree.take("id")?.text
        var input = begin(name(id ?? "\(type)-\(index + 1)"), type: type)
        read(&tree, &input)
        guard !input.paths.isEmpty else {
            before.comment(note(value, "no path is left of this input; write it anew"))
            return
        }
        inputs.append(input)
    }

    /// All keys of an input, and of what else has them.
    mutating func read(_ tree: inout FilebeatTree, _ input: inout FilebeatInput) {
        input.format =
            input.type == "container" ? "auto" : input.type == "docker" ? "docker" : "plain"
        container(&tree, &input)
        let wantsKubernetes = wantsKubernetes(tree)
        paths(&tree, &input, wantsKubernetes: wantsKubernetes)
        lines(&tree, &input)
        if input.format == "plain", input.paths.contains(where: { $0.hasSuffix("/current") }) {
            input.notes.append(
                FilebeatNote(
                    mark: nil, key: "format",
                    advice:
                        "s6-log's time stays in the message, as with Filebeat; format: s6 makes "
                        + "it the document's time", needsHand: false))
        }
        let isUnderRoot = tree.take("fields_under_root")?.bool ?? false
        if let fields = tree.take("fields") {
            for field in self.fields(fields) { input.add(field, underRoot: isUnderRoot) }
        }
        if let tags = tree.take("tags"), let texts = texts(tags) {
            input.tags += texts.filter { !input.tags.contains($0) }
        }
        if let value = tree.take("tail_files"), value.bool == true { input.start = "end" }
        if let value = tree.take("encoding") { encoding(value, &input) }
        for key in ["message_max_bytes", "max_bytes"] {
            if let value = tree.take(key) { maxLine(value, &input) }
        }
        if let value = tree.take("processors") { processors(value, &input) }
        if let value = tree.look("recursive_glob.enabled"), value.bool == false,
            input.paths.contains(where: { $0.contains("**") })
        {
            note(value, "** always stands for any directories; write * for one", in: &input)
            _ = tree.take("recursive_glob.enabled")
        }
        for (value, advice) in tree.told(
            behind: tree.root.key + ".", by: FilebeatAdvice.ofInput)
        {
            note(value, advice.text, hand: advice.needsHand, in: &input)
        }
    }

    private mutating func encoding(_ value: FilebeatTree.Value, _ input: inout FilebeatInput) {
        guard let name = value.text, !["", "plain", "utf-8"].contains(name) else { return }
        do throws(TextEncodingError) {
            _ = try TextEncoding.load(name)
            input.encoding = name
        } catch {
            note(value, "an encoding that is \(error)", in: &input)
        }
    }

    /// The longest line that `limits.in_flight` carries.
    private static let longestLine = 32 << 20

    private mutating func maxLine(_ value: FilebeatTree.Value, _ input: inout FilebeatInput) {
        guard let size = value.text.flatMap({ FilebeatText.size($0) }), size > 0 else {
            note(value, "no number of bytes; set max_line", in: &input)
            return
        }
        input.maxLine = min(size, Self.longestLine)
        note(
            value, "what is longer than max_line comes in parts, and is not cut off", hand: false,
            in: &input)
    }

    // MARK: Others

    /// Where modules read when nobody says otherwise, on Linux.
    private static let modulePaths: [String: [String]] = [
        "nginx.access": ["/var/log/nginx/access.log*"],
        "nginx.error": ["/var/log/nginx/error.log*"],
        "apache.access": ["/var/log/apache2/access.log*", "/var/log/httpd/access_log*"],
        "apache.error": ["/var/log/apache2/error.log*", "/var/log/httpd/error_log*"],
        "system.syslog": ["/var/log/messages*", "/var/log/syslog*"],
        "system.auth": ["/var/log/auth.log*", "/var/log/secure*"],
    ]

    private mutating func module(_ value: FilebeatTree.Value, _ before: inout ConvertedMap) {
        var tree = FilebeatTree(value)
        let module = tree.take("module")?.text ?? "module"
        before.comment(
            note(
                value,
                "the module \(module) parses lines in Elasticsearch; here its lines are shipped as "
                    + "they are, to be parsed behind Kafka"))
        for entry in tree.root.entries ?? [] {
            let (name, fileset) = (entry.name, entry.value)
            var keys = FilebeatTree(fileset)
            if let enabled = keys.take("enabled"), enabled.bool == false { continue }
            guard fileset.entries != nil else { continue }
            var input = begin(self.name("\(module)-\(name)"), type: "log")
            let given = keys.take("var.paths").flatMap { texts($0) }
            input.format = "plain"
            for path in given ?? Self.modulePaths["\(module).\(name)"] ?? [] {
                if isPath(path) { input.paths.append(path) }
            }
            let dataset = Field(name: "dataset", value: .string("\(module).\(name)"))
            let event = FieldValue.map([Field(name: "module", value: .string(module)), dataset])
            input.add(Field(name: "event", value: event), underRoot: true)
            for leaf in keys.leaves {
                note(leaf, "a setting of the module's, which is not here", in: &input)
            }
            guard !input.paths.isEmpty else {
                before.comment(
                    note(fileset, "where the module reads is not known; write its paths"))
                continue
            }
            inputs.append(input)
        }
    }

    private mutating func autodiscover(
        _ value: FilebeatTree.Value, _ before: inout ConvertedMap
    ) {
        let providers = FilebeatTree(value).look("providers")?.items ?? []
        let types = providers.compactMap { FilebeatTree($0).look("type")?.text }
        let isDocker = types.contains("docker") && !types.contains("kubernetes")
        before.comment(
            note(
                value,
                "patterns find containers by themselves, and the input "
                    + "\(isDocker ? "docker" : "pods") has them all; hints and templates for "
                    + "some of them become inputs with narrower paths"))
        var input = begin(name(isDocker ? "docker" : "pods"), type: "container")
        if isDocker {
            input.paths = ["/var/lib/docker/containers/{container_id}/*.log"]
            input.format = "docker"
        } else {
            input.paths = ["/var/log/pods/{namespace}_{pod}_{uid}/{container}/*.log"]
            input.linkRoots = ["/var/lib/docker/containers"]
            input.format = "auto"
        }
        inputs.append(input)
    }
}
