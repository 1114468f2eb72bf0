import Patterns
import Platform
import YAML

/// `inputs`.
extension SettingsReader {
    mutating func inputs(
        _ root: Section, kafka: KafkaOutput?, limits: Settings.Limits
    ) -> [Settings.Input] {
        let expected = "a list of inputs, each with name and paths"
        guard let value = root["inputs"] else {
            fault(root.mark, "inputs", "missing; expected \(expected)")
            return []
        }
        guard let items = items(value, of: "inputs, each with name and paths") else { return [] }
        if items.isEmpty {
            fault(value.node.mark, value.path, "an empty list; expected \(expected)")
        }
        var names: [String: Value] = [:]
        var inputs: [Settings.Input] = []
        for item in items {
            guard let section = section(item, .input) else { continue }
            let name = self.name(section, &names)
            if let input = input(section, name, kafka, limits) { inputs.append(input) }
        }
        return inputs
    }

    private mutating func name(_ section: Section, _ names: inout [String: Value]) -> String {
        let expected = "1 to 100 letters, digits, '_', '-' and '.'"
        guard let value = section["name"] else {
            fault(section.mark, section.path("name"), "missing; expected a unique name")
            return ""
        }
        guard let name = word(value, expected) else { return "" }
        let fits = name.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
            default: false
            }
        }
        if !fits || name.utf8.count > 100 {
            fault(value.node.mark, value.path, "\(quoted(name)) is no name; expected \(expected)")
        } else if let first = names[name] {
            fault(
                value.node.mark, value.path,
                "\(quoted(name)) is the name of \(first.path.dropLast(".name".count)) too "
                    + "(line \(first.node.mark.line)); expected a unique name")
        } else {
            names[name] = value
        }
        return name
    }

    private mutating func input(
        _ section: Section, _ name: String, _ kafka: KafkaOutput?, _ limits: Settings.Limits
    ) -> Settings.Input? {
        let paths = self.paths(section)
        let fields = self.fields(section["fields"])
        let isUnderRoot = boolean(section["fields_under_root"], default: false)
        let input = Settings.Input(
            name: name, paths: paths.compactMap(\.pattern),
            exclude: exclude(section["exclude"], paths.map(\.pattern)),
            archives: archives(section["archives"], paths),
            linkRoots: linkRoots(section["follow_symlinks"]),
            start: choice(section["start"], default: .beginning),
            latency: LatencyBudget(most: duration(section["latency"], .latency)),
            fields: fields,
            fieldsUnderRoot: isUnderRoot,
            tags: tags(section["tags"]),
            topic: topic(section, kafka) ?? .unread,
            maxLine: maxLine(section["max_line"], limits),
            emptyLines: choice(section["empty_lines"], default: .skip),
            stream: choice(section["stream"], default: .all),
            encoding: encoding(section["encoding"]),
            json: json(
                section["json"], kafka, fields, rootFields: isUnderRoot ? fields.map(\.name) : []),
            multiline: multiline(section["multiline"], kafka),
            lines: lines(section),
            rotation: rotation(section["rotation"]),
            format: choice(section["format"], default: .auto),
            timezone: timezone(section["timezone"]),
            tai64n: choice(section["tai64n"], default: .skalibs))
        check(
            stream: section["stream"], input.stream,
            isContainer: input.format != .plain && input.format != .s6, kafka)
        if let value = section["rotation"], input.rotation != nil, input.encoding.isWide {
            fault(
                value.keyMark, value.path,
                "not supported yet with encoding \(input.encoding.name), whose byte order its first "
                    + "bytes tell; leave the key out")
        }
        if kafka?.settings.codec == .raw, input.lines.hasAny, let format = section["format"],
            input.format == .cri || input.format == .docker
        {
            fault(
                format.node.mark, format.path,
                "\(quoted(input.format.rawValue)) joins nothing with output.kafka.codec raw, so "
                    + "include_lines, exclude_lines, drop and mask would see pieces; expected codec "
                    + "json, or none of them")
        }
        // A template cannot be held against patterns and fields that could not be read.
        let isComplete = !paths.isEmpty && paths.allSatisfy { $0.pattern != nil }
        if isComplete {
            if let value = section["topic"] ?? kafka?.topic {
                check(input.topic, value, paths, input)
            }
            if let value = kafka?.key, let key = kafka?.settings.key {
                check(key, value, paths, input)
            }
            if let kafka, kafka.headers.count == kafka.settings.headers.count {
                for (value, header) in zip(kafka.headers, kafka.settings.headers) {
                    check(header.value, value, paths, input, Settings.Header.ownNames)
                }
            }
        }
        return input
    }

    mutating func timezone(_ value: Value?) -> ZoneRules {
        let expected = "UTC, or a name of the tz database, as in Europe/Berlin"
        guard let value, let name = word(value, expected) else { return .utc }
        do throws(ZoneError) {
            return try ZoneRules.load(name)
        } catch {
            fault(
                value.node.mark, value.path,
                "\(quoted(name)) is no known time zone: \(error); expected \(expected)")
            return .utc
        }
    }

    // MARK: Paths

    private struct Path {
        let value: Value
        /// Nil where it is wrong.
        let pattern: PathPattern?
    }

    private mutating func paths(_ section: Section) -> [Path] {
        let expected = "a list of path patterns, as in /data/logs/{app}/*.log"
        guard let value = section["paths"] else {
            fault(section.mark, section.path("paths"), "missing; expected \(expected)")
            return []
        }
        guard let items = items(value, of: "path patterns, as in /data/logs/{app}/*.log") else {
            return []
        }
        if items.isEmpty {
            fault(value.node.mark, value.path, "an empty list; expected \(expected)")
        }
        return items.map { item in
            let pattern = pattern(item, "a path pattern, as in /data/logs/{app}/*.log")
            if let pattern { doubt(pattern, item) }
            return Path(value: item, pattern: pattern)
        }
    }

    private mutating func pattern(_ item: Value, _ expected: String) -> PathPattern? {
        guard let text = word(item, expected) else { return nil }
        do throws(PathPatternError) {
            return try PathPattern(text)
        } catch {
            fault(item.node.mark, item.path, error.description)
            return nil
        }
    }

    /// Reads patterns of archives. They have to capture whatever the path of the log captures.
    private mutating func archives(_ value: Value?, _ paths: [Path]) -> [PathPattern] {
        guard let value else { return [] }
        let expected = "path patterns of rotated files, as in /data/old/{app}/*.log*"
        var patterns: [PathPattern] = []
        for item in items(value, of: expected) ?? [] {
            guard let pattern = pattern(item, "a path pattern, as in /data/old/{app}/*.log*") else {
                continue
            }
            let without = paths.lazy.compactMap { path in
                path.pattern.flatMap { known in
                    pattern.captures.first { !known.captures.contains($0) }.map { (path, $0) }
                }
            }.first
            if let (path, capture) = without {
                fault(
                    item.node.mark, item.path,
                    "{\(capture)} stands for nothing in \(path.value.path); expected captures that "
                        + "every path of the input has, or * instead")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    private mutating func maxLine(_ value: Value?, _ limits: Settings.Limits) -> Int {
        let size = size(value, .maxLine)
        if let value, size > limits.inFlight {
            fault(
                value.node.mark, value.path,
                "\(Quantity.text(bytes: size)) is more than limits.in_flight can carry; "
                    + "expected at most \(Quantity.text(bytes: limits.inFlight))")
        }
        return size
    }

    // MARK: Topic

    private mutating func topic(_ section: Section, _ kafka: KafkaOutput?) -> Template? {
        if let value = section["topic"] { return template(value, takesDates: true) }
        if let kafka, kafka.topic == nil {
            fault(
                section.mark, section.path("topic"),
                "missing; expected a topic here or in output.kafka")
        }
        return kafka?.settings.topic
    }

    /// Whether each name of `template`, written at `value`, stands for something in every path.
    private mutating func check(
        _ template: Template, _ value: Value, _ paths: [Path], _ input: Settings.Input,
        _ more: [String] = []
    ) {
        for name in template.names where !more.contains(name) {
            if input.value(of: name, captures: [:]) != nil { continue }
            let without = paths.first { $0.pattern?.captures.contains(name) == false }
            guard let without else { continue }
            fault(
                value.node.mark, value.path,
                "{\(name)} stands for nothing in \(without.value.path); expected a name that every "
                    + "path of the input captures, a scalar of its fields, or input"
                    + more.map { ", or \($0)" }.joined())
        }
    }

    // MARK: Fields and tags

    private mutating func tags(_ value: Value?) -> [String] {
        guard let value else { return [] }
        return (items(value, of: "texts") ?? []).compactMap { word($0, "a text") }
    }

    private mutating func fields(_ value: Value?) -> [Field] {
        guard let value else { return [] }
        guard case .map(let entries) = value.node.content else {
            fault(
                value.node.mark, value.path,
                "\(found(value.node)); expected a map of names to values")
            return []
        }
        return fields(entries, value.path)
    }

    private mutating func fields(_ entries: [Node.Entry], _ path: String) -> [Field] {
        entries.compactMap { entry in
            let item = Value(
                path: "\(path).\(shown(entry.key))", keyMark: entry.keyMark, node: entry.value)
            return fieldValue(item).map { Field(name: entry.key, value: $0) }
        }
    }

    /// Recursion is bounded by the depth that a document may have.
    private mutating func fieldValue(_ value: Value) -> FieldValue? {
        switch value.node.content {
        case .map(let entries):
            return .map(fields(entries, value.path))
        case .list:
            return .list((items(value, of: "values") ?? []).compactMap { fieldValue($0) })
        case .scalar(let scalar) where EnvironmentReferences.stand(in: scalar.text):
            // Always a string: a type must not change with the environment of one host.
            return expanded(scalar.text, value).map(FieldValue.string)
        case .scalar(let scalar):
            do throws(FieldValue.Refusal) {
                return try FieldValue(scalar)
            } catch {
                let problem =
                    switch error {
                    case .integerTooLarge: "an integer beyond 64 bits"
                    case .notFinite: "a number that JSON does not have"
                    }
                fault(
                    value.node.mark, value.path,
                    "\(quoted(scalar.text)) is \(problem); expected quotes around it to ship it "
                        + "as a text")
                return nil
            }
        }
    }
}
