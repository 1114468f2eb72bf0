package import YAML

/// What was not carried over from a filebeat.yml as it stands there, and what to do about it.
package struct FilebeatNote: Hashable, Sendable {
    /// The place of the key in the file; nil for what is missing there.
    package let mark: Mark?
    /// Its whole dotted name.
    package let key: String
    /// One sentence without a full stop. No value of the file is repeated in it that may be a
    /// secret.
    package let advice: String
    /// The result does not do what Filebeat did until somebody has seen to it.
    package let needsHand: Bool

    /// `FILE:LINE: KEY: ADVICE` in one printable line, with `to do: ` where it needs a hand.
    package func line(_ file: String) -> String {
        let place = mark.map { ":\($0.line)" } ?? ""
        let toDo = needsHand ? "to do: " : ""
        return Excerpt.of("\(file)\(place): \(toDo)\(key): \(advice)", longest: 1_000)
    }

    /// As a comment: `KEY (line N): ADVICE`.
    var comment: String {
        let line = mark.map { " (line \($0.line))" } ?? ""
        return Excerpt.of("\(key)\(line): \(advice)", longest: 1_000)
    }
}

/// A map of the configuration that is being written, with comments in their places.
struct ConvertedMap {
    enum Entry {
        case comment(String)
        case pair(String, FieldValue)
        case map(String, ConvertedMap)
        case items(String, [ConvertedMap])
    }

    private(set) var entries: [Entry] = []

    mutating func comment(_ note: FilebeatNote) {
        entries.append(.comment((note.needsHand ? "TO DO: " : "") + note.comment))
    }

    mutating func comment(_ text: String) { entries.append(.comment(text)) }

    mutating func pair(_ name: String, _ value: FieldValue?) {
        if let value { entries.append(.pair(name, value)) }
    }

    mutating func pair(_ name: String, _ text: String?) { pair(name, text.map(FieldValue.string)) }

    mutating func list(_ name: String, _ texts: [String]) {
        if !texts.isEmpty { pair(name, .list(texts.map(FieldValue.string))) }
    }

    /// A map that stands there also when it is empty.
    mutating func map(_ name: String, _ map: ConvertedMap?) {
        guard let map else { return }
        entries.append(map.isEmpty ? .pair(name, .map([])) : .map(name, map))
        if map.isEmpty { entries += map.entries }
    }

    mutating func items(_ name: String, _ items: [ConvertedMap]) {
        entries.append(.items(name, items))
    }

    /// Whether a key stands there.
    func has(_ name: String) -> Bool {
        entries.contains { entry in
            switch entry {
            case .comment: false
            case .pair(let key, _), .map(let key, _), .items(let key, _): key == name
            }
        }
    }

    /// The text of a key.
    func text(_ name: String) -> String? {
        for case .pair(name, .string(let text)) in entries { return text }
        return nil
    }

    mutating func append(_ other: ConvertedMap) { entries += other.entries }

    /// It has nothing but comments.
    var isEmpty: Bool {
        entries.allSatisfy { entry in
            if case .comment = entry { return true }
            return false
        }
    }

    func write(to text: inout YAMLText) {
        for entry in entries {
            switch entry {
            case .comment(let comment): text.comment(comment)
            case .pair(let name, let value): text.pair(name, value)
            case .map(let name, let map):
                text.key(name)
                text.indented { map.write(to: &$0) }
            case .items(let name, let items):
                text.key(name)
                for item in items { text.item { item.write(to: &$0) } }
            }
        }
    }
}
