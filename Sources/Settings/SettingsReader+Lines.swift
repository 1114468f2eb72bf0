import Expressions
import YAML

/// `include_lines`, `exclude_lines`, `drop` and `mask` of an input.
extension SettingsReader {
    /// Expressions of one list, and masks, at the most: each of them is asked of each line.
    private static let mostExpressions = 100
    /// Bytes of a mask's replacement.
    private static let longestReplacement = 1000

    mutating func lines(_ section: Section) -> Settings.Lines {
        var age: Duration?
        if let drop = self.section(section["drop"], .drop), let value = drop["older_than"] {
            age = duration(value, .dropped)
        }
        return Settings.Lines(
            include: expressions(section["include_lines"]),
            exclude: expressions(section["exclude_lines"]), dropOlderThan: age,
            masks: masks(section["mask"]))
    }

    private mutating func expressions(_ value: Value?) -> [Expression] {
        guard let items = some(value, of: "regular expressions, as in '^DEBUG'") else { return [] }
        return items.compactMap { expression($0) }
    }

    private mutating func masks(_ value: Value?) -> [Settings.Mask] {
        let what = #"masks, as in {pattern: '\d{16}', with: '****'}"#
        // Whoever writes that means to mask something.
        if let value, case .scalar(let scalar) = value.node.content, scalar.isNull {
            _ = items(value, of: what)
            return []
        }
        guard let items = some(value, of: what) else { return [] }
        return items.compactMap { item in
            guard let section = self.section(item, .mask) else { return nil }
            let pattern = expression(
                section["pattern"], missing: section, expected: "a regular expression")
            let with = replacement(section)
            guard let pattern, let with else { return nil as Settings.Mask? }
            return Settings.Mask(pattern: pattern, with: with)
        }
    }

    private mutating func replacement(_ section: Section) -> String? {
        guard let value = section["with"] else {
            fault(section.mark, section.path("with"), "missing; expected a text, as in '****'")
            return nil
        }
        guard let text = text(value, "a text, as in '****'") else { return nil }
        if text.utf8.count <= Self.longestReplacement { return text }
        fault(
            value.node.mark, value.path,
            "\(text.utf8.count) bytes; expected at most \(Self.longestReplacement)")
        return nil
    }

    /// A list that is there and not too long; nothing is the same as an empty one.
    private mutating func some(_ value: Value?, of what: String) -> [Value]? {
        guard let value else { return nil }
        if case .scalar(let scalar) = value.node.content, scalar.isNull { return nil }
        guard let items = items(value, of: what) else { return nil }
        if items.count > Self.mostExpressions {
            fault(
                value.node.mark, value.path,
                "\(items.count) of them; expected at most \(Self.mostExpressions)")
            return nil
        }
        return items
    }

    private mutating func expression(
        _ value: Value?, missing section: Section, expected: String
    ) -> Expression? {
        guard let value else {
            fault(section.mark, section.path("pattern"), "missing; expected \(expected)")
            return nil
        }
        return expression(value)
    }

    /// `true` or `false`.
    mutating func boolean(_ value: Value?, default standard: Bool) -> Bool {
        let standard: Truth = standard ? .yes : .no
        return choice(value, default: standard) == .yes
    }

    private enum Truth: String, CaseIterable {
        case yes = "true"
        case no = "false"
    }

    /// A regular expression; one that is empty finds something everywhere, which nobody means.
    mutating func expression(_ value: Value) -> Expression? {
        guard let pattern = word(value, "a regular expression") else { return nil }
        do throws(ExpressionError) {
            return try Expression(pattern)
        } catch {
            fault(
                value.node.mark, value.path,
                "\(quoted(pattern)) is no regular expression: \(error)")
            return nil
        }
    }
}
