/// A condition of a processor or a topic, held against what is the same for all events of an input.
indirect enum FilebeatCondition {
    case yes
    case no
    /// It asks for the message alone; each of these expressions finds what it is true of.
    case message([String])
    /// `message` turned round.
    case notMessage([String])
    /// It asks for what only an event tells.
    case unknown

    /// What is the same for all events of an input.
    struct Constants {
        /// By whole names, as `fields.app`.
        let fields: [String: String]
        /// Names whose values only the environment tells.
        let open: Set<String>
        let tags: [String]
        /// Lines, or what is done to them, may bring more fields and tags than are known.
        let mayHaveMore: Bool
    }

    init(_ value: FilebeatTree.Value?, _ constants: Constants) {
        guard let entries = value?.entries, entries.count == 1, let first = entries.first else {
            self = value == nil ? .yes : .unknown
            return
        }
        self = Self.condition(first.name, first.value, constants)
    }

    private static func condition(
        _ name: String, _ value: FilebeatTree.Value, _ constants: Constants
    ) -> FilebeatCondition {
        switch name {
        case "not":
            switch FilebeatCondition(value, constants) {
            case .yes: return .no
            case .no: return .yes
            case .message(let expressions): return .notMessage(expressions)
            case .notMessage(let expressions): return .message(expressions)
            case .unknown: return .unknown
            }
        case "or", "and":
            guard let items = value.items else { return .unknown }
            let all = items.map { FilebeatCondition($0, constants) }
            return name == "or" ? any(all) : every(all)
        case "equals", "contains", "regexp": return compare(name, value, constants)
        case "has_fields":
            guard let names = value.texts else { return .unknown }
            return names.allSatisfy { constants.fields[$0] != nil } ? .yes : .unknown
        default: return .unknown
        }
    }

    private static func any(_ all: [FilebeatCondition]) -> FilebeatCondition {
        var expressions: [String] = []
        for condition in all {
            switch condition {
            case .yes: return .yes
            case .no: continue
            case .message(let more): expressions += more
            case .notMessage, .unknown: return .unknown
            }
        }
        return expressions.isEmpty ? .no : .message(expressions)
    }

    private static func every(_ all: [FilebeatCondition]) -> FilebeatCondition {
        var left: FilebeatCondition?
        for condition in all {
            switch condition {
            case .yes: continue
            case .no: return .no
            case .message, .notMessage, .unknown: left = left == nil ? condition : .unknown
            }
        }
        return left ?? .yes
    }

    private static func compare(
        _ name: String, _ value: FilebeatTree.Value, _ constants: Constants
    ) -> FilebeatCondition {
        // Names with dots are maps within one another.
        let leaves = value.leaves
        guard leaves.count == 1, let leaf = leaves.first, let items = leaf.items, items.count == 1,
            let text = items[0].text, !EnvironmentReferences.stand(in: text)
        else { return .unknown }
        let field = String(leaf.key.dropFirst(value.key.count + 1))
        if field == "message" {
            switch name {
            case "contains": return .message([FilebeatText.quoted(text)])
            case "equals": return .message([#"\A"# + FilebeatText.quoted(text) + #"\z"#])
            default: return .message([text])
            }
        }
        if field == "tags" {
            guard name == "contains" else { return .unknown }
            // Of a part of one of them it is true as well.
            if constants.tags.contains(where: { $0.contains(text) }) { return .yes }
            return constants.mayHaveMore ? .unknown : .no
        }
        guard let known = constants.fields[field] else {
            if constants.open.contains(field) || constants.mayHaveMore { return .unknown }
            // Of the input's own fields all others are known.
            return field.hasPrefix("fields.") ? .no : .unknown
        }
        switch name {
        case "equals": return known == text ? .yes : .no
        case "contains": return known.contains(text) ? .yes : .no
        default: return .unknown
        }
    }
}
