import YAML

/// A filebeat.yml as Filebeat understands it: a key with dots is one map in another, wherever it
/// stands. What was taken out is accounted for; what is left at the end has no equal here.
struct FilebeatTree {
    /// A value with the whole name of its key.
    struct Value {
        let key: String
        let mark: Mark
        fileprivate(set) var content: Content
    }

    /// The shapes of a value.
    indirect enum Content {
        case scalar(Node.Scalar)
        case list([Value])
        /// In the order of the text.
        case map([Entry])
    }

    /// One name of a map, which has no dot.
    struct Entry {
        let name: String
        fileprivate(set) var value: Value
    }

    private(set) var root: Value

    /// Bounded by the depth of a document and the number of its keys' dots.
    init(_ node: Node) {
        root = Self.value(node, key: "", mark: node.mark)
    }

    /// A tree of one item of a list.
    init(_ value: Value) { root = value }

    private static func value(_ node: Node, key: String, mark: Mark) -> Value {
        switch node.content {
        case .scalar(let scalar): return Value(key: key, mark: mark, content: .scalar(scalar))
        case .list(let nodes):
            let items = nodes.enumerated().map { index, item in
                value(item, key: "\(key)[\(index)]", mark: item.mark)
            }
            return Value(key: key, mark: mark, content: .list(items))
        case .map(let entries):
            var map = Value(key: key, mark: mark, content: .map([]))
            for entry in merged(entries) {
                let names = names(entry.key)
                let path = ([key] + names).filter { !$0.isEmpty }.joined(separator: ".")
                insert(
                    value(entry.value, key: path, mark: entry.keyMark), names[...], into: &map)
            }
            return map
        }
    }

    /// With what `<<` merges into the map, before its own keys, which count more.
    private static func merged(_ entries: [Node.Entry]) -> [Node.Entry] {
        guard entries.contains(where: { $0.key == "<<" }) else { return entries }
        let own = Set(entries.map(\.key))
        var seen = own
        var more: [Node.Entry] = []
        for entry in entries where entry.key == "<<" {
            let maps: [Node] =
                if case .list(let nodes) = entry.value.content { nodes } else { [entry.value] }
            for case .map(let inner) in maps.map(\.content) {
                for entry in merged(inner) where seen.insert(entry.key).inserted {
                    more.append(entry)
                }
            }
        }
        return more + entries.filter { $0.key != "<<" }
    }

    /// More dots than these are no name of Filebeat's.
    static let mostNames = 16

    private static func names(_ key: String) -> [String] {
        let names = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        return names.contains("") || names.count > mostNames ? [key] : names
    }

    /// Of a key that stands twice the last one counts, but for maps, which are one.
    private static func insert(
        _ value: Value, _ names: ArraySlice<String>, into map: inout Value
    ) {
        guard case .map(var entries) = map.content, let first = names.first else { return }
        // Nobody else has the entries now, or each key would copy all of them.
        map.content = .map([])
        let rest = names.dropFirst()
        let index = entries.firstIndex { $0.name == first }
        if rest.isEmpty {
            guard let index else {
                entries.append(Entry(name: first, value: value))
                map.content = .map(entries)
                return
            }
            if case .map(let more) = value.content, case .map = entries[index].value.content {
                for entry in more { insert(entry.value, [entry.name], into: &entries[index].value) }
            } else {
                entries[index].value = value
            }
        } else {
            let path = map.key.isEmpty ? first : "\(map.key).\(first)"
            var child = Value(key: path, mark: value.mark, content: .map([]))
            if let index, case .map = entries[index].value.content { child = entries[index].value }
            insert(value, rest, into: &child)
            if let index {
                entries[index].value = child
            } else {
                entries.append(Entry(name: first, value: child))
            }
        }
        map.content = .map(entries)
    }

    // MARK: Taking

    /// The value at a dotted name, which is not there any more then.
    mutating func take(_ name: String) -> Value? {
        Self.take(Self.names(name)[...], from: &root)
    }

    /// As `take`, for a value that stays.
    func look(_ name: String) -> Value? {
        var copy = self
        return copy.take(name)
    }

    private static func take(_ names: ArraySlice<String>, from map: inout Value) -> Value? {
        guard case .map(var entries) = map.content, let first = names.first,
            let index = entries.firstIndex(where: { $0.name == first })
        else { return nil }
        let rest = names.dropFirst()
        if rest.isEmpty {
            let value = entries.remove(at: index).value
            map.content = .map(entries)
            return value
        }
        let found = take(rest, from: &entries[index].value)
        if case .map(let below) = entries[index].value.content, below.isEmpty, found != nil {
            entries.remove(at: index)
        }
        map.content = .map(entries)
        return found
    }

    /// All that was not taken and says something: scalars and lists, and maps that are empty.
    var leaves: [Value] {
        guard case .map(let entries) = root.content else { return [] }
        return entries.flatMap(\.value.leaves).filter { !$0.isNull }
    }

    /// The leaves by what the table has of them, one for each, with the name that it has there.
    /// `prefix` is in front of the names in keys, and not in the table.
    func told(
        behind prefix: String, by table: FilebeatAdvice.Table
    ) -> [(value: Value, advice: FilebeatAdvice.Advice)] {
        var told: [(value: Value, advice: FilebeatAdvice.Advice)] = []
        for leaf in leaves {
            let (name, advice) = table.find(String(leaf.key.dropFirst(prefix.count)))
            let key = prefix + name
            if told.contains(where: { $0.value.key == key }) { continue }
            told.append((Value(key: key, mark: leaf.mark, content: leaf.content), advice))
        }
        return told
    }
}

extension FilebeatTree.Value {
    var leaves: [FilebeatTree.Value] {
        guard case .map(let entries) = content, !entries.isEmpty else { return [self] }
        return entries.flatMap(\.value.leaves)
    }

    /// Nil for null, lists and maps.
    var text: String? {
        guard case .scalar(let scalar) = content, !scalar.isNull else { return nil }
        return scalar.text
    }

    var isNull: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.isNull
    }

    /// One value counts as a list of it, as in Filebeat. Nil for null and maps.
    var items: [FilebeatTree.Value]? {
        switch content {
        case .list(let items): items
        case .scalar: isNull ? nil : [self]
        case .map: nil
        }
    }

    /// The texts of a list; nil where one of them is none.
    var texts: [String]? {
        guard let items else { return nil }
        let texts = items.compactMap(\.text)
        return texts.count == items.count ? texts : nil
    }

    var entries: [FilebeatTree.Entry]? {
        guard case .map(let entries) = content else { return nil }
        return entries
    }

    /// As YAML 1.1 and Go write it.
    var bool: Bool? {
        guard let text else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on", "y", "1", "t": return true
        case "false", "no", "off", "n", "0", "f": return false
        default: return nil
        }
    }

    /// As a record has it. A number that JSON cannot carry is nil.
    var fieldValue: FieldValue? {
        switch content {
        case .list(let items):
            let values = items.compactMap(\.fieldValue)
            return values.count == items.count ? .list(values) : nil
        case .map(let entries):
            let fields = entries.compactMap { entry in
                entry.value.fieldValue.map { Field(name: entry.name, value: $0) }
            }
            return fields.count == entries.count ? .map(fields) : nil
        case .scalar(let scalar):
            if scalar.isPlain,
                ["yes", "on", "y", "no", "off", "n"].contains(scalar.text.lowercased()),
                let bool
            {
                return .bool(bool)
            }
            if EnvironmentReferences.stand(in: scalar.text) {
                return .string(FilebeatText.references(scalar.text) ?? scalar.text)
            }
            do throws(FieldValue.Refusal) {
                return try FieldValue(scalar)
            } catch {
                return nil
            }
        }
    }
}
