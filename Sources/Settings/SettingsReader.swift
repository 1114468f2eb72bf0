import YAML

/// Reads values out of nodes and notes what is wrong. A reading function that has noted a fault
/// returns nil or the default, so that the rest of the file is looked at too; nobody uses the
/// result of a reader that has faults.
struct SettingsReader {
    let environment: [String: String]
    private(set) var faults: [SettingsFault] = []

    /// A key that stands in the file.
    struct Value {
        /// Full dotted path.
        let path: String
        let keyMark: Mark
        let node: Node
    }

    /// A map with its known keys.
    struct Section {
        let path: String
        let mark: Mark
        fileprivate(set) var values: [String: Value] = [:]

        subscript(key: String) -> Value? { values[key] }

        func path(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    }

    init(environment: [String: String]) { self.environment = environment }

    mutating func fault(_ mark: Mark, _ path: String, _ problem: String) {
        faults.append(SettingsFault(mark: mark, key: path, problem: problem))
    }

    // MARK: Maps

    /// The map at `node`; keys that are not in `keys`, and those that are for later, are noted.
    mutating func section(_ node: Node, _ path: String, _ keys: SettingsKeys) -> Section? {
        guard case .map(let entries) = node.content else {
            fault(node.mark, path, "\(found(node)); expected a map with \(Self.list(keys))")
            return nil
        }
        var section = Section(path: path, mark: node.mark)
        for entry in entries {
            let value = Value(
                path: section.path(shown(entry.key)), keyMark: entry.keyMark, node: entry.value)
            switch keys[entry.key] {
            case nil: unknown(value, entry.key, keys)
            case let key? where key.isLater: refuse(value)
            case _?: section.values[entry.key] = value
            }
        }
        return section
    }

    mutating func section(_ value: Value?, _ keys: SettingsKeys) -> Section? {
        guard let value else { return nil }
        return section(value.node, value.path, keys)
    }

    /// A key that is for later.
    private mutating func refuse(_ value: Value) {
        // Nothing is what leaving the key out means.
        if case .scalar(let scalar) = value.node.content, scalar.isNull { return }
        fault(value.keyMark, value.path, "not supported yet; leave the key out")
    }

    private mutating func unknown(_ value: Value, _ key: String, _ keys: SettingsKeys) {
        if let instead = keys.filebeat[key] {
            fault(value.keyMark, value.path, "a key of Filebeat's; \(instead)")
        } else if let near = NearMiss.of(key, in: keys.keys.map(\.name)) {
            fault(value.keyMark, value.path, "unknown key; did you mean \(near)?")
        } else if let homes = SettingsKeys.homes(of: key) {
            fault(value.keyMark, value.path, "unknown key here; it belongs in \(homes)")
        } else {
            fault(value.keyMark, value.path, "unknown key; expected \(Self.list(keys))")
        }
    }

    private static func list(_ keys: SettingsKeys) -> String {
        let names = keys.keys.map(\.name)
        return names.count == 1 ? names[0] : "any of " + names.joined(separator: ", ")
    }

    // MARK: Lists

    /// The items of a list, with the path of each.
    mutating func items(_ value: Value, of what: String) -> [Value]? {
        guard case .list(let items) = value.node.content else {
            fault(value.node.mark, value.path, "\(found(value.node)); expected a list of \(what)")
            return nil
        }
        return items.enumerated().map { index, item in
            Value(path: "\(value.path)[\(index)]", keyMark: item.mark, node: item)
        }
    }

    // MARK: Scalars

    /// A scalar that is not null, the environment filled in.
    mutating func text(_ value: Value, _ expected: String) -> String? {
        guard case .scalar(let scalar) = value.node.content, !scalar.isNull else {
            fault(value.node.mark, value.path, "\(found(value.node)); expected \(expected)")
            return nil
        }
        return expanded(scalar.text, value)
    }

    /// As `text`, and not empty.
    mutating func word(_ value: Value, _ expected: String) -> String? {
        guard let text = text(value, expected) else { return nil }
        if !text.isEmpty { return text }
        fault(value.node.mark, value.path, "empty; expected \(expected)")
        return nil
    }

    mutating func expanded(_ text: String, _ value: Value) -> String? {
        do throws(EnvironmentReferences.Refusal) {
            return try EnvironmentReferences.expand(text, environment)
        } catch {
            fault(value.node.mark, value.path, error.description)
            return nil
        }
    }

    /// One of the cases of `Choice`; `later` are words that will be taken one day.
    mutating func choice<Choice>(
        _ value: Value?, default standard: Choice, later: [String] = []
    ) -> Choice
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let value else { return standard }
        let expected = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        guard let text = text(value, expected) else { return standard }
        if let choice = Choice(rawValue: text) { return choice }
        if later.contains(text) {
            fault(
                value.node.mark, value.path,
                "\(quoted(text)) is not supported yet; expected \(expected)")
        } else {
            let near = NearMiss.of(text, in: Choice.allCases.map(\.rawValue))
            let hint = near.map { "; did you mean \($0)?" } ?? "; expected \(expected)"
            fault(value.node.mark, value.path, "unknown value \(quoted(text))\(hint)")
        }
        return standard
    }

    /// A key that has only one meaning so far: `only` is what the program does anyway.
    mutating func fixed(_ value: Value?, only: String, later: [String]) {
        guard let value, let text = text(value, only), text != only else { return }
        let problem = later.contains(text) ? "is not supported yet" : "is unknown"
        fault(value.node.mark, value.path, "\(quoted(text)) \(problem); expected \(only)")
    }

    /// A list or map that must be empty so far.
    mutating func empty(_ value: Value?) {
        guard let value else { return }
        switch value.node.content {
        case .list(let items) where items.isEmpty: return
        case .map(let entries) where entries.isEmpty: return
        case .scalar(let scalar) where scalar.isNull: return
        case .scalar, .list, .map:
            fault(value.keyMark, value.path, "not supported yet; leave the key out")
        }
    }

    /// Bytes within `range`.
    mutating func size(_ value: Value?, in range: ClosedRange<Int>, default standard: Int) -> Int {
        guard let value else { return standard }
        let least = Quantity.text(bytes: range.lowerBound)
        let most = Quantity.text(bytes: range.upperBound)
        let expected = "a size from \(least) to \(most), as in \(Quantity.text(bytes: standard))"
        guard let text = text(value, expected) else { return standard }
        let problem: String
        do throws(Quantity.Refusal) {
            let size = try Quantity.size(text)
            if range.contains(size) { return size }
            problem = size < range.lowerBound ? "too small" : "too large"
        } catch {
            problem =
                switch error {
                case .malformed, .unitMissing:
                    "no size (B, KiB, MiB, GiB, KB, MB, GB after a whole number)"
                case .tooLarge: "too large"
                }
        }
        fault(value.node.mark, value.path, "\(quoted(text)) is \(problem); expected \(expected)")
        return standard
    }

    /// A whole number within `range`.
    mutating func count(_ value: Value?, in range: ClosedRange<Int>, default standard: Int) -> Int {
        guard let value else { return standard }
        let expected =
            "a whole number from \(range.lowerBound) to \(range.upperBound), as in \(standard)"
        guard let text = text(value, expected) else { return standard }
        let isNumber =
            !text.isEmpty
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if isNumber, let count = Int(text), range.contains(count) { return count }
        // Digits that are no Int are too many of them.
        let isSmall = Int(text).map { $0 < range.lowerBound } ?? false
        let problem = !isNumber ? "no whole number" : isSmall ? "too small" : "too large"
        fault(value.node.mark, value.path, "\(quoted(text)) is \(problem); expected \(expected)")
        return standard
    }

    mutating func duration(
        _ value: Value?, in range: ClosedRange<Duration>, default standard: Duration
    ) -> Duration {
        guard let value else { return standard }
        let least = Quantity.text(range.lowerBound)
        let most = Quantity.text(range.upperBound)
        let expected = "a duration from \(least) to \(most), as in \(Quantity.text(standard))"
        guard let text = text(value, expected) else { return standard }
        let problem: String
        do throws(Quantity.Refusal) {
            let duration = try Quantity.duration(text)
            if range.contains(duration) { return duration }
            problem = duration < range.lowerBound ? "too small" : "too large"
        } catch {
            problem =
                switch error {
                case .malformed: "no duration (ms, s, m, h, d after a whole number)"
                case .unitMissing: "without a unit (ms, s, m, h, d)"
                case .tooLarge: "too large"
                }
        }
        fault(value.node.mark, value.path, "\(quoted(text)) is \(problem); expected \(expected)")
        return standard
    }

    // MARK: Words for messages

    /// The value that stands there, in words for "…; expected …".
    func found(_ node: Node) -> String {
        switch node.content {
        case .list: "a list"
        case .map: "a map"
        case .scalar(let scalar): scalar.isNull ? "nothing" : "the text \(quoted(scalar.text))"
        }
    }

    func quoted(_ text: String) -> String { "\"\(shown(text))\"" }

    func shown(_ text: String) -> String { Excerpt.of(text) }
}
