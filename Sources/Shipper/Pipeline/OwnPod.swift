import Patterns
import Platform

/// The pod that the agent runs in, as far as its environment tells: `POD_NAME` and `POD_NAMESPACE`,
/// which the DaemonSet sets.
struct OwnPod: Hashable, Sendable {
    let name: String
    /// Any, where it is not told.
    let namespace: String?

    /// Nil where the agent runs in no pod that has told its name.
    static let current = OwnPod(ProcessContext.environment())

    init?(_ environment: [String: String]) {
        guard let name = environment["POD_NAME"], !name.isEmpty else { return nil }
        self.name = name
        namespace = environment["POD_NAMESPACE"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Globs of its own logs, among the files that these patterns match: of those that have `{pod}`
    /// in them, with its name there, and its namespace.
    func logs(of patterns: [PathPattern]) -> [PathGlob] {
        patterns.compactMap { pattern in
            guard pattern.captures.contains("pod") else { return nil }
            let segments = pattern.text.split(separator: "/").map { segment in
                segment == "**" ? "**" : glob(segment, pattern.captures)
            }
            do throws(PathPatternError) {
                return try PathGlob("/" + segments.joined(separator: "/"))
            } catch {
                preconditionFailure("\(pattern.text) with names for its captures: \(error)")
            }
        }
    }

    private func glob(_ segment: Substring, _ captures: [String]) -> String {
        var text = String(segment)
        for capture in captures {
            let value: String
            switch capture {
            case "pod": value = Self.escaped(name)
            case "namespace": value = namespace.map(Self.escaped) ?? "*"
            default: value = "*"
            }
            text = text.split(separator: "{\(capture)}", omittingEmptySubsequences: false)
                .joined(separator: value)
        }
        // What stood beside a star is one with it.
        while text.contains("**") {
            text = text.split(separator: "**", omittingEmptySubsequences: false)
                .joined(separator: "*")
        }
        return text
    }

    /// A name as a glob that matches it alone.
    private static func escaped(_ name: String) -> String {
        var text = ""
        for character in name {
            if "*?[]{}\\".contains(character) { text += "\\" }
            text.append(character)
        }
        return text
    }
}
