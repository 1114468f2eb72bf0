import YAML

/// `json` of an input.
extension SettingsReader {
    /// Names of a document's own keys, which members of a line cannot be beneath.
    private static let own = [
        "@timestamp", "@metadata", "message", "stream", "docker", "log", "input", "kubernetes",
        "container", "fields", "tags", "host", "agent", "ecs", "error",
    ]

    mutating func json(
        _ value: Value?, _ kafka: KafkaOutput?, rootFields: [String]
    ) -> Settings.JSON? {
        guard let value else { return nil }
        if case .scalar(let scalar) = value.node.content, scalar.isNull { return nil }
        guard let section = section(value, .json) else { return nil }
        if kafka?.settings.codec == .raw {
            fault(
                value.keyMark, value.path,
                "lines are not read with output.kafka.codec raw; expected codec json")
        }
        return Settings.JSON(
            target: target(section, rootFields),
            messageKey: section["message_key"].flatMap { name($0) },
            overwritesKeys: boolean(section["overwrite_keys"], default: false),
            expandsKeys: boolean(section["expand_keys"], default: false),
            addsErrorKey: boolean(section["add_error_key"], default: false),
            ignoresDecodingError: boolean(section["ignore_decoding_error"], default: false))
    }

    /// The name of a member; none is the same as an empty one.
    private mutating func name(_ value: Value) -> String? {
        guard let text = text(value, "the name of a member, as in message") else { return nil }
        return text.isEmpty ? nil : text
    }

    private mutating func target(_ section: Section, _ rootFields: [String]) -> [String] {
        let underRoot = section["keys_under_root"].map { boolean($0, default: true) }
        guard let value = section["target"] else { return underRoot == false ? ["json"] : [] }
        let expected = "a name, as in app, or \"\" for the document itself"
        guard let text = text(value, expected) else { return [] }
        if let key = section["keys_under_root"], underRoot != text.isEmpty {
            fault(
                key.keyMark, key.path,
                "says something else than target \(quoted(text)); leave one of them out")
        }
        if text.isEmpty { return [] }
        let names = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if names.contains("") || names.count > 8 {
            fault(
                value.node.mark, value.path,
                "\(quoted(text)) is no name; expected \(expected), with dots between the names of "
                    + "at most 8 objects")
        } else if Self.own.contains(names[0]) || rootFields.contains(names[0]) {
            fault(
                value.node.mark, value.path,
                "\(quoted(names[0])) is a key of the document's own; expected another name")
        }
        return names
    }
}
