import Platform

/// `processors` of an input, and those that go for all inputs.
extension FilebeatConverter {
    /// The processors that go for every input, after its own.
    mutating func finishInputs(_ before: inout ConvertedMap) {
        if let processors = tops.processors {
            var told: [FilebeatNote] = []
            for index in inputs.indices {
                var input = inputs[index]
                let count = input.notes.count
                self.processors(processors, &input)
                told += input.notes[count...].filter { !told.contains($0) }
                input.notes.removeLast(input.notes.count - count)
                inputs[index] = input
            }
            for note in told { before.comment(note) }
        }
        for index in inputs.indices {
            guard !inputs[index].fields.isEmpty, !inputs[index].rootFields.isEmpty else { continue }
            let names = inputs[index].rootFields.map(\.name).joined(separator: ", ")
            let note = note(
                missing: "fields_under_root",
                "an input's fields stand in fields or all beside the message; these would "
                    + "stand beside it and are left out: \(names)")
            inputs[index].rootFields = []
            inputs[index].notes.append(note)
        }
    }

    mutating func processors(_ value: FilebeatTree.Value, _ input: inout FilebeatInput) {
        for item in some(value) {
            guard let entries = item.entries, let entry = entries.first, entries.count == 1 else {
                note(
                    item, "if, then and else are not here; write an input for each case", in: &input
                )
                input.isOpen = true
                continue
            }
            let (name, settings) = (entry.name, entry.value)
            var tree = FilebeatTree(settings)
            let when = tree.take("when")
            let condition = FilebeatCondition(when, input.constants)
            if name == "drop_event" {
                drop(settings, condition, &input)
                continue
            }
            switch condition {
            case .no: continue
            case .yes: processor(name, settings, &tree, &input)
            case .message, .notMessage, .unknown:
                // What would do nothing here does nothing under a condition either.
                let isCarried = ["add_fields", "add_tags", "add_labels"].contains(name)
                if !FilebeatAdvice.addsNothing(name) { input.isOpen = true }
                note(
                    settings,
                    isCarried
                        ? "its condition is asked of each event; do it behind Kafka"
                        : FilebeatAdvice.of(processor: name), in: &input)
            }
        }
    }

    private mutating func processor(
        _ name: String, _ value: FilebeatTree.Value, _ tree: inout FilebeatTree,
        _ input: inout FilebeatInput
    ) {
        switch name {
        case "add_fields":
            // Without a name it stands in the document itself.
            let target = tree.take("target").map { $0.text ?? "" } ?? "fields"
            let fields = tree.take("fields").map { self.fields($0) } ?? []
            add(fields, target: target, &input)
        case "add_labels":
            let labels = tree.take("labels").map { self.fields($0) } ?? []
            add(labels, target: "labels", &input)
        case "add_tags":
            let target = tree.take("target")?.text ?? "tags"
            guard target == "tags", let tags = tree.take("tags"), let texts = texts(tags) else {
                note(value, "tags go into tags alone; do it behind Kafka", in: &input)
                return
            }
            input.tags += texts.filter { !input.tags.contains($0) }
        case "dissect": dissect(value, &tree, &input)
        case "decode_json_fields": decode(value, &tree, &input)
        case "timestamp": timestamp(value, &tree, &input)
        case "add_kubernetes_metadata":
            let hasCaptures =
                !input.paths.isEmpty
                && input.paths.allSatisfy { $0.contains("{pod}") || $0.contains("{container_id}") }
            note(
                value,
                hasCaptures
                    ? "namespace, pod and container come from the path; labels and "
                        + "annotations are not there"
                    : "write captures into paths, as in {namespace}; labels and annotations "
                        + "are not there",
                in: &input)
        default:
            note(value, FilebeatAdvice.of(processor: name), in: &input)
            if !FilebeatAdvice.addsNothing(name) { input.isOpen = true }
        }
    }

    private mutating func add(_ fields: [Field], target: String, _ input: inout FilebeatInput) {
        switch target {
        case "fields": for field in fields { input.add(field, underRoot: false) }
        case "": for field in fields { input.add(field, underRoot: true) }
        default:
            // Targets with dots are maps within one another.
            let names = target.split(separator: ".").map(String.init)
            guard let first = names.first, names.count <= FilebeatTree.mostNames else {
                input.isOpen = true
                loose.append(
                    note(
                        missing: "add_fields.target",
                        "no name, or one of too many parts; do it behind Kafka"))
                return
            }
            let inner = names.dropFirst().reversed().reduce(FieldValue.map(fields)) { value, name in
                .map([Field(name: name, value: value)])
            }
            input.add(Field(name: first, value: inner), underRoot: true)
        }
    }

    private mutating func drop(
        _ value: FilebeatTree.Value, _ condition: FilebeatCondition, _ input: inout FilebeatInput
    ) {
        // What is left to do may change the message first.
        let isText = input.json == nil && !input.isOpen
        switch condition {
        case .no: return
        case .message(let expressions) where isText && expressions.allSatisfy(Self.isExpression):
            input.excludeLines += expressions.filter { !input.excludeLines.contains($0) }
        case .notMessage(let expressions)
        where isText && input.include.isEmpty && expressions.allSatisfy(Self.isExpression):
            input.include = expressions
        case .yes:
            note(value, "all lines of this input would be dropped; leave it out", in: &input)
        case .message, .notMessage, .unknown:
            note(
                value,
                "events are dropped by their message alone, with exclude_lines and include_lines; "
                    + "do it behind Kafka", in: &input)
        }
    }

    // MARK: What a path says

    /// Pieces of `log.file.path` are captures of the path's pattern.
    private mutating func dissect(
        _ value: FilebeatTree.Value, _ tree: inout FilebeatTree, _ input: inout FilebeatInput
    ) {
        let prefix = tree.take("target_prefix")?.text ?? "dissect"
        let field = tree.take("field")?.text ?? "message"
        guard field == "log.file.path", let tokenizer = tree.take("tokenizer")?.text else {
            note(value, "what stands in a message is taken apart behind Kafka", in: &input)
            input.isOpen = true
            return
        }
        let tokens = tokenizer.split(separator: "/", omittingEmptySubsequences: false)
            .map(String.init)
        var captured: [String: String] = [:]
        var paths: [String] = []
        for path in input.paths {
            guard let (text, names) = Self.capture(path, tokens) else {
                note(
                    value,
                    "its pieces are no whole names of \(path); write captures into paths, as in "
                        + "{app}", in: &input)
                input.isOpen = true
                return
            }
            paths.append(text)
            for name in names { captured[prefix.isEmpty ? name : "\(prefix).\(name)"] = name }
        }
        guard paths.allSatisfy({ isPath($0) }) else {
            note(value, "write captures into paths, as in {app}", in: &input)
            input.isOpen = true
            return
        }
        input.paths = paths
        input.captured.merge(captured) { $1 }
        let before = prefix.isEmpty ? "fields" : "\(prefix).…"
        let renamed = prefix == "kubernetes" ? "" : " and not as \(before)"
        note(
            value,
            "pieces of the path are captures now, for topics and keys; documents have them as "
                + "kubernetes.…\(renamed)", in: &input)
    }

    /// The path with `*` named as the tokens do, segment by segment.
    private static func capture(_ path: String, _ tokens: [String]) -> (String, [String])? {
        var segments = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var names: [String] = []
        // Behind the last token there may be more of the path.
        guard tokens.count <= segments.count else { return nil }
        for (index, token) in tokens.enumerated() {
            if token == segments[index] || token == "%{}" || token == "%{?}" { continue }
            if token.hasPrefix("%{"), token.hasSuffix("}"), segments[index] == "*" {
                let name = String(token.dropFirst(2).dropLast())
                guard Template.isName(name), !names.contains(name) else { return nil }
                segments[index] = "{\(name)}"
                names.append(name)
            } else if index == tokens.count - 1, token.hasPrefix("%{") {
                // The last one takes what is left.
                continue
            } else {
                return nil
            }
        }
        return (segments.joined(separator: "/"), names)
    }

    // MARK: JSON

    private mutating func decode(
        _ value: FilebeatTree.Value, _ tree: inout FilebeatTree, _ input: inout FilebeatInput
    ) {
        let fields = tree.take("fields")?.texts ?? []
        let hasTarget = tree.look("target") != nil
        let target = tree.take("target")?.text ?? ""
        guard fields == ["message"], hasTarget, input.json == nil,
            target.isEmpty || !SettingsReader.documentNames.contains(target),
            !target.contains(".")
        else {
            note(
                value, "only a whole line is read as JSON, with json; do it behind Kafka",
                in: &input)
            input.isOpen = true
            return
        }
        var map = ConvertedMap()
        if !target.isEmpty { map.pair("target", target) }
        for key in ["overwrite_keys", "expand_keys", "add_error_key"]
        where tree.take(key)?.bool == true {
            map.pair(key, .bool(true))
        }
        input.json = map
        note(value, "the members are there, and the line's text as message is not", in: &input)
    }

    private mutating func timestamp(
        _ value: FilebeatTree.Value, _ tree: inout FilebeatTree, _ input: inout FilebeatInput
    ) {
        let layouts = tree.take("layouts")?.texts ?? []
        let isOther = tree.take("target_field")?.text ?? "@timestamp" != "@timestamp"
        let zone = tree.take("timezone")?.text ?? "UTC"
        guard let field = tree.take("field")?.text, !layouts.isEmpty, var json = input.json,
            layouts.allSatisfy(Self.isLayout), Self.isZone(zone), layouts.count <= 20,
            !json.has("timestamp"), !isOther
        else {
            note(
                value,
                "the time of a line is that of a logger's or a container's label, or of a member "
                    + "of JSON (json.timestamp); else set it behind Kafka", in: &input)
            return
        }
        // Filebeat has members that do not stand in the document itself by their whole names.
        let target = json.text("target").map { $0 + "." } ?? ""
        guard field.hasPrefix(target) else {
            note(value, "the member is not of the line", in: &input)
            return
        }
        var map = ConvertedMap()
        map.pair("field", String(field.dropFirst(target.count)))
        map.list("layouts", layouts)
        if zone != "UTC" { map.pair("timezone", zone) }
        json.map("timestamp", map)
        input.json = json
    }

    private static func isLayout(_ text: String) -> Bool {
        do throws(TimeLayoutError) {
            _ = try TimeLayout(text)
            return true
        } catch {
            return false
        }
    }

    private static func isZone(_ name: String) -> Bool {
        do throws(ZoneError) {
            _ = try ZoneRules.load(name)
            return true
        } catch {
            return false
        }
    }
}
