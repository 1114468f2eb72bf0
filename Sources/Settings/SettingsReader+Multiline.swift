import Expressions
import YAML

/// `multiline` of an input.
extension SettingsReader {
    private static let presets =
        MultilinePreset.allCases.map(\.rawValue).joined(separator: ", ")

    mutating func multiline(_ value: Value?, _ kafka: KafkaOutput?) -> Settings.Multiline? {
        guard let value else { return nil }
        if case .scalar(let scalar) = value.node.content {
            if scalar.isNull { return nil }
            let preset: MultilinePreset = choice(value, default: .java)
            checkCodec(value, kafka)
            return multiline(value, nil, preset)
        }
        guard let section = section(value, .multiline) else { return nil }
        checkCodec(value, kafka)
        let preset: MultilinePreset? = section["preset"].map { choice($0, default: .java) }
        return multiline(value, section, preset)
    }

    /// A raw value is the line as it is.
    private mutating func checkCodec(_ value: Value, _ kafka: KafkaOutput?) {
        guard kafka?.settings.codec == .raw else { return }
        fault(
            value.keyMark, value.path,
            "lines cannot be joined with output.kafka.codec raw; expected codec json")
    }

    private mutating func multiline(
        _ value: Value, _ section: Section?, _ preset: MultilinePreset?
    ) -> Settings.Multiline? {
        guard let grouping = grouping(value, section, preset) else { return nil }
        return Settings.Multiline(
            grouping: grouping, preset: preset,
            flush: section?["flush_pattern"].flatMap { expression($0) },
            mostLines: count(section?["max_lines"], .eventLines),
            mostBytes: section?["max_bytes"].map { size($0, .eventBytes) },
            timeout: duration(section?["timeout"], .eventTimeout),
            skipsNewline: boolean(section?["skip_newline"], default: false))
    }

    private mutating func grouping(
        _ value: Value, _ section: Section?, _ preset: MultilinePreset?
    ) -> Settings.Multiline.Grouping? {
        let kind: Settings.Multiline.Kind = choice(section?["type"], default: .pattern)
        switch kind {
        case .count:
            refuse(
                ["pattern", "negate", "match", "preset", "flush_pattern"], section, "type count")
            guard let lines = section?["count_lines"] else {
                fault(
                    value.node.mark, "\(value.path).count_lines",
                    "missing; expected the number of lines of an event")
                return nil
            }
            return .count(count(lines, .countedLines))
        case .pattern:
            refuse(["count_lines"], section, "type pattern")
            if let preset {
                refuse(["pattern", "negate", "match"], section, "a preset")
                return pattern(preset).map { .pattern($0, negate: preset.negate, match: .after) }
            }
            guard let pattern = section?["pattern"] else {
                fault(
                    value.node.mark, "\(value.path).pattern",
                    "missing; expected a regular expression, or preset: one of \(Self.presets)")
                return nil
            }
            let negate = boolean(section?["negate"], default: false)
            let match: Settings.Multiline.Match = choice(section?["match"], default: .after)
            return expression(pattern).map { .pattern($0, negate: negate, match: match) }
        }
    }

    private mutating func refuse(_ keys: [String], _ section: Section?, _ other: String) {
        for key in keys {
            guard let value = section?[key] else { continue }
            fault(value.keyMark, value.path, "has no meaning with \(other); leave it out")
        }
    }

    private func pattern(_ preset: MultilinePreset) -> Expression? {
        do throws(ExpressionError) {
            return try Expression(preset.pattern)
        } catch {
            preconditionFailure("the pattern of \(preset) is wrong: \(error)")
        }
    }
}
