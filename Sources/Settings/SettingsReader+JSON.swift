import Platform
import YAML

/// `json` of an input.
extension SettingsReader {
    /// Names of a document's own keys, which members of a line cannot be beneath.
    static let documentNames = [
        "@timestamp", "@metadata", "message", "stream", "docker", "log", "input", "kubernetes",
        "container", "fields", "tags", "host", "agent", "ecs", "error",
    ]

    mutating func json(
        _ value: Value?, _ kafka: KafkaOutput?, _ fields: [Field], rootFields: [String]
    ) -> Settings.JSON? {
        guard let value else { return nil }
        guard let section = section(value, .json) else { return nil }
        if kafka?.settings.codec == .raw {
            fault(
                value.keyMark, value.path,
                "lines are not read with output.kafka.codec raw; expected codec json")
        }
        let size = Self.size(of: fields)
        if size.depth > Self.deepestFields || size.count > Self.mostFields {
            fault(
                value.keyMark, value.path,
                "the input's fields are \(size.depth) deep and \(size.count); expected at most"
                    + " \(Self.deepestFields) deep and \(Self.mostFields) where lines are JSON")
        }
        return Settings.JSON(
            target: target(section, rootFields),
            messageKey: section["message_key"].flatMap { name($0) },
            overwritesKeys: boolean(section["overwrite_keys"], default: false),
            expandsKeys: boolean(section["expand_keys"], default: false),
            addsErrorKey: boolean(section["add_error_key"], default: false),
            ignoresDecodingError: boolean(section["ignore_decoding_error"], default: false),
            timestamp: timestamp(section["timestamp"]))
    }

    /// A document has its own keys beside those of `fields`, and is as deep and as large as a line
    /// of JSON may be, which is 32 and 4,096.
    private static let deepestFields = 24
    private static let mostFields = 3_072

    private static func size(of fields: [Field]) -> (depth: Int, count: Int) {
        size(of: .map(fields))
    }

    private static func size(of value: FieldValue) -> (depth: Int, count: Int) {
        let below: [FieldValue]
        switch value {
        case .list(let items): below = items
        case .map(let fields): below = fields.map(\.value)
        case .string, .int, .double, .bool, .null: return (0, 0)
        }
        return below.reduce((1, below.count)) { sum, item in
            let size = size(of: item)
            return (max(sum.0, size.depth + 1), sum.1 + size.count)
        }
    }

    /// How many layouts a text may be held against.
    private static let mostLayouts = 20

    private mutating func timestamp(_ value: Value?) -> Settings.FieldTimestamp? {
        guard let section = section(value, .timestamp) else { return nil }
        let expected = "a list of layouts, as in RFC3339 or '2006-01-02 15:04:05'"
        guard let field = section["field"] else {
            fault(section.mark, section.path("field"), "missing; expected the name of a member")
            return nil
        }
        guard let list = section["layouts"] else {
            fault(section.mark, section.path("layouts"), "missing; expected \(expected)")
            return nil
        }
        let items = items(list, of: "layouts, as in RFC3339 or '2006-01-02 15:04:05'") ?? []
        if items.isEmpty || items.count > Self.mostLayouts {
            fault(
                list.node.mark, list.path,
                "\(items.count) of them; expected 1 to \(Self.mostLayouts)")
        }
        let layouts = items.compactMap { layout($0) }
        let zone = timezone(section["timezone"])
        if layouts.count == items.count { test(section["test"], layouts, zone) }
        guard let name = word(field, "the name of a member, as in time") else { return nil }
        return Settings.FieldTimestamp(field: name, layouts: layouts, timezone: zone)
    }

    private mutating func layout(_ value: Value) -> TimeLayout? {
        guard let text = word(value, "a layout, as in RFC3339") else { return nil }
        do throws(TimeLayoutError) {
            return try TimeLayout(text)
        } catch {
            fault(
                value.node.mark, value.path, "\(quoted(text)) is no layout of times: \(error)")
            return nil
        }
    }

    /// Times that have to be of one of the layouts.
    private mutating func test(_ value: Value?, _ layouts: [TimeLayout], _ zone: ZoneRules) {
        guard let value else { return }
        var clock = LocalClock(zone)
        let now = Timestamp.now().milliseconds
        for item in items(value, of: "times") ?? [] {
            guard let text = word(item, "a time") else { continue }
            let bytes = Array(text.utf8)
            if layouts.contains(where: { $0.time(bytes.span, &clock, now: now) != nil }) {
                continue
            }
            fault(item.node.mark, item.path, "\(quoted(text)) is of none of the layouts")
        }
    }

    /// `encoding` of an input.
    mutating func encoding(_ value: Value?) -> TextEncoding {
        guard let value, let name = word(value, "the name of an encoding, as in latin-1") else {
            return .utf8
        }
        do throws(TextEncodingError) {
            return try TextEncoding.load(name)
        } catch {
            fault(value.node.mark, value.path, "encoding \(quoted(name)) is \(error)")
            return .utf8
        }
    }

    /// Says that a stream of a container is asked for where there is none.
    mutating func check(
        stream value: Value?, _ stream: Settings.ContainerStream, isContainer: Bool,
        _ kafka: KafkaOutput?
    ) {
        guard let value, stream != .all else { return }
        if !isContainer {
            fault(
                value.node.mark, value.path,
                "\(quoted(stream.rawValue)) has no meaning with this format; expected format cri, "
                    + "docker or auto")
        } else if kafka?.settings.codec == .raw {
            fault(
                value.node.mark, value.path,
                "\(quoted(stream.rawValue)) is not told with output.kafka.codec raw; expected "
                    + "codec json")
        }
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
        } else if Self.documentNames.contains(names[0]) || rootFields.contains(names[0]) {
            fault(
                value.node.mark, value.path,
                "\(quoted(names[0])) is a key of the document's own; expected another name")
        }
        return names
    }
}
