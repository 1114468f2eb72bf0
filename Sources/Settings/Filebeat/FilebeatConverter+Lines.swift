import Expressions

/// What a line is: container formats, `multiline`, JSON and rules for lines.
extension FilebeatConverter {
    /// `format` and `stream` of a container's input.
    mutating func container(_ tree: inout FilebeatTree, _ input: inout FilebeatInput) {
        guard input.type == "container" || input.type == "docker" else { return }
        let format = tree.take("format") ?? tree.take("containers.format")
        if let text = format?.text, ["auto", "cri", "docker"].contains(text) {
            input.format = text
        }
        stream(tree.take("stream") ?? tree.take("containers.stream"), &input)
    }

    private mutating func stream(_ value: FilebeatTree.Value?, _ input: inout FilebeatInput) {
        guard let text = value?.text, text != "all" else { return }
        if text == "stdout" || text == "stderr" { input.stream = text }
    }

    mutating func lines(_ tree: inout FilebeatTree, _ input: inout FilebeatInput) {
        for (key, isInclude) in [("include_lines", true), ("exclude_lines", false)] {
            for item in tree.take(key)?.items ?? [] {
                guard let expression = expression(item, &input) else { continue }
                if isInclude {
                    input.include.append(expression)
                } else {
                    input.excludeLines.append(expression)
                }
            }
        }
        if let value = tree.take("multiline") { multiline(value, &input) }
        if let value = tree.take("json") {
            if input.multiline != nil {
                note(
                    value,
                    "here lines are joined first, and then read as JSON; with Filebeat the other "
                        + "way round", in: &input)
            }
            json(value, &input, isParser: false)
        }
        if let value = tree.take("parsers") { parsers(value, &input) }
    }

    private mutating func parsers(
        _ value: FilebeatTree.Value, _ input: inout FilebeatInput
    ) {
        for item in value.items ?? [] {
            guard let entry = item.entries?.first else {
                note(item, "no parser", in: &input)
                continue
            }
            let settings = entry.value
            switch entry.name {
            case "container":
                if input.json != nil || input.multiline != nil {
                    note(
                        settings,
                        "here a container's format comes off first; with Filebeat after others",
                        in: &input)
                }
                var tree = FilebeatTree(settings)
                let format = tree.take("format")?.text ?? "auto"
                input.format = ["auto", "cri", "docker"].contains(format) ? format : "auto"
                stream(tree.take("stream"), &input)
            case "multiline":
                if input.json != nil {
                    note(
                        settings,
                        "here lines are joined first, and then read as JSON; with Filebeat the "
                            + "other way round", in: &input)
                }
                multiline(settings, &input)
            case "ndjson": json(settings, &input, isParser: true)
            case "include_message":
                for item in FilebeatTree(settings).look("patterns")?.items ?? [] {
                    if let expression = expression(item, &input) {
                        input.include.append(expression)
                    }
                }
            case "syslog":
                note(
                    settings,
                    "the line is the message as it stands; read syslog's fields behind Kafka, in "
                        + "Logstash or an ingest pipeline", in: &input)
            default: note(settings, "there is no such parser here", in: &input)
            }
        }
    }

    /// A regular expression that PCRE2 understands as RE2 does.
    mutating func expression(
        _ value: FilebeatTree.Value, _ input: inout FilebeatInput
    ) -> String? {
        guard let text = text(value), !text.isEmpty else { return nil }
        guard Self.isExpression(text) else {
            note(
                value, "no regular expression that is understood here; write another one",
                in: &input)
            return nil
        }
        return text
    }

    static func isExpression(_ text: String) -> Bool {
        do throws(ExpressionError) {
            _ = try Expression(text)
            return true
        } catch {
            return false
        }
    }

    // MARK: Multiline

    private mutating func multiline(
        _ value: FilebeatTree.Value, _ input: inout FilebeatInput
    ) {
        var tree = FilebeatTree(value)
        var map = ConvertedMap()
        let type = tree.take("type")?.text ?? "pattern"
        switch type {
        case "count":
            guard let lines = tree.take("count_lines")?.text.flatMap({ Int($0) }), lines > 0 else {
                note(value, "without count_lines there is nothing to count", in: &input)
                return
            }
            map.pair("type", "count")
            map.pair("count_lines", .int(lines))
        case "pattern":
            guard let pattern = tree.take("pattern") else {
                note(value, "without a pattern it joins nothing", in: &input)
                return
            }
            guard let text = expression(pattern, &input) else { return }
            map.pair("pattern", text)
            map.pair("negate", .bool(tree.take("negate")?.bool ?? false))
            map.pair("match", tree.take("match")?.text == "before" ? "before" : "after")
            if let flush = tree.take("flush_pattern"), let text = expression(flush, &input) {
                map.pair("flush_pattern", text)
            }
        default:
            note(
                value,
                "type \(type) is not there; write a pattern that lines of one event match, or the "
                    + "first of them", in: &input)
            return
        }
        if let value = tree.take("max_lines") {
            if let lines = value.text.flatMap({ Int($0) }), lines > 0 {
                map.pair("max_lines", .int(min(lines, 1_000_000)))
            } else {
                note(value, "not carried over; it is 500", in: &input)
            }
        }
        if let value = tree.take("timeout"), let time = value.text {
            let duration = FilebeatText.duration(time)
            let range = Duration.milliseconds(100)...(.seconds(600))
            if let duration, duration > .zero {
                let bound = min(max(duration, range.lowerBound), range.upperBound)
                map.pair("timeout", Quantity.text(bound))
            } else {
                note(value, "not carried over; it is 5s", in: &input)
            }
        }
        if tree.take("skip_newline")?.bool == true { map.pair("skip_newline", .bool(true)) }
        for leaf in tree.leaves {
            note(leaf, "there is no such key here", in: &input)
        }
        input.multiline = map
    }

    // MARK: JSON

    /// `json` of an input of type log, or the parser `ndjson`.
    private mutating func json(
        _ value: FilebeatTree.Value, _ input: inout FilebeatInput, isParser: Bool
    ) {
        var tree = FilebeatTree(value)
        var map = ConvertedMap()
        let target = tree.take("target")
        let underRoot = tree.take("keys_under_root")?.bool
        if isParser {
            if let text = target?.text, !text.isEmpty { map.pair("target", text) }
        } else if underRoot != true {
            map.pair("target", "json")
        }
        let messageKey = tree.take("message_key")?.text
        if let messageKey { map.pair("message_key", messageKey) }
        for key in ["overwrite_keys", "expand_keys", "add_error_key", "ignore_decoding_error"]
        where tree.take(key)?.bool == true {
            map.pair(key, .bool(true))
        }
        if let id = tree.take("document_id") {
            note(
                id,
                "each document has an id of its place in the file; take another one behind Kafka",
                in: &input)
        }
        for leaf in tree.leaves {
            note(leaf, "there is no such key here", in: &input)
        }
        if target?.text?.contains("{") == true || !isTarget(target?.text ?? "", input) {
            note(value, "its target is a key of the document's own; take another name", in: &input)
            return
        }
        if messageKey == nil, !input.include.isEmpty || !input.excludeLines.isEmpty {
            note(
                value,
                "without a message_key include_lines and exclude_lines look at the whole line here; "
                    + "with Filebeat at an empty text", in: &input)
        }
        input.json = map
    }

    private func isTarget(_ text: String, _ input: FilebeatInput) -> Bool {
        let first = text.split(separator: ".", omittingEmptySubsequences: false).first.map(
            String.init)
        return text.isEmpty
            || !SettingsReader.documentNames.contains(first ?? "")
                && !input.rootFields.contains { $0.name == first }
    }
}
