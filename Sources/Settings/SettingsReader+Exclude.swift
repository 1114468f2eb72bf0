package import Patterns
import YAML

/// `exclude` of an input, and what in patterns would do nothing without a word: Filebeat's
/// `exclude_files` takes regular expressions, which are globs as well but for what they leave out.
extension SettingsReader {
    /// Exclusions of every input: compressed archives, whose bytes are no lines.
    fileprivate static let excludedAlways: [PathGlob] = {
        do throws(PathPatternError) {
            return [try PathGlob("**/*.gz")]
        } catch {
            preconditionFailure("what is always excluded is wrong: \(error)")
        }
    }()

    /// The exclusions of every input, and those that `value` adds. `paths` are those of the input,
    /// nil where one could not be read.
    mutating func exclude(_ value: Value?, _ paths: [PathPattern?]) -> [PathGlob] {
        var exclusions = Self.excludedAlways
        guard let value else { return exclusions }
        for item in items(value, of: "patterns, as in **/*.tmp") ?? [] {
            guard let text = word(item, "a pattern, as in **/*.tmp") else { continue }
            if let exclusion = exclusion(text, item, paths),
                !Self.excludedAlways.contains(where: { $0.isSame(as: exclusion) })
            {
                exclusions.append(exclusion)
            }
        }
        return exclusions
    }

    private mutating func exclusion(
        _ text: String, _ value: Value, _ paths: [PathPattern?]
    ) -> PathGlob? {
        if let sign = RegularExpressionText.sign(in: text, escapes: true) {
            let globs = Self.usable(RegularExpressionText(text: text).globs ?? [])
            fault(
                value.node.mark, value.path,
                "\(quoted(text)) is a regular expression (\(quoted(sign)) is nothing special in a "
                    + "glob); expected a glob\(Self.advice(globs))")
            return nil
        }
        let exclusion: PathGlob
        do throws(PathPatternError) {
            exclusion = try PathGlob(text)
        } catch {
            fault(value.node.mark, value.path, error.description)
            return nil
        }
        let known = paths.compactMap(\.self)
        let isKnown = !known.isEmpty && known.count == paths.count
        if isKnown, !known.contains(where: { exclusion.canMeet($0) }),
            !Self.excludedAlways.contains(where: { $0.isSame(as: exclusion) })
        {
            let globs = Self.usable(Self.meant(text)).filter { glob in
                known.contains { glob.canMeet($0) }
            }
            let expected =
                globs.isEmpty
                ? "leave it out" : "expected a glob for files\(Self.advice(globs))"
            fault(
                value.node.mark, value.path,
                "\(quoted(text)) leaves out nothing: no file that the input's paths match is "
                    + "called so; \(expected)")
        }
        return exclusion
    }

    /// Patterns that the author of one that leaves out nothing may have meant: all beneath a
    /// directory, a part of a name, or a regular expression that does not look like one.
    private static func meant(_ text: String) -> [String] {
        let expression = RegularExpressionText(text: text).globs ?? []
        if text.contains(".*") { return expression }
        if text.contains(where: { "*?[".contains($0) }) { return [] }
        let below = [PathPatternError.filesBelow(text)]
        return text.hasPrefix("/") ? below : below + expression
    }

    private static func usable(_ globs: [String]) -> [PathGlob] {
        globs.compactMap { glob in
            do throws(PathPatternError) {
                return try PathGlob(glob)
            } catch {
                // An advice that would be refused is none.
                return nil
            }
        }
    }

    private static func advice(_ globs: [PathGlob]) -> String {
        let texts = globs.map(\.text)
        return texts.isEmpty ? ", as in **/*.tmp" : ", as in " + texts.joined(separator: " or ")
    }

    /// Notes a pattern that no file will match, though it could.
    mutating func doubt(_ pattern: PathPattern, _ value: Value) {
        if let sign = RegularExpressionText.sign(in: pattern.text, escapes: false) {
            fault(
                value.node.mark, value.path,
                "\(quoted(pattern.text)) is a regular expression (\(quoted(sign)) is nothing special in "
                    + "a glob); expected a glob, as in /data/logs/{app}/*.log")
        } else if pattern.text.hasSuffix(".gz") {
            fault(
                value.node.mark, value.path,
                "\(quoted(pattern.text)) matches compressed archives only, which are always left out; "
                    + "expected the path of the log, beside which they are found")
        }
    }
}

extension Settings {
    /// Whether every input leaves out what the pattern matches: `exclude` adds to that.
    package static func isExcludedAlways(_ exclusion: PathGlob) -> Bool {
        SettingsReader.excludedAlways.contains { $0.isSame(as: exclusion) }
    }
}
