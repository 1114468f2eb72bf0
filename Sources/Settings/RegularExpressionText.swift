/// A pattern of paths that was written as a regular expression, which is what Filebeat's
/// `exclude_files` takes: read as a glob it matches nothing, and what it was to leave out would be
/// shipped.
struct RegularExpressionText: Sendable {
    /// More ways than these through alternatives are no advice any more.
    private static let mostGlobs = 8
    /// Bytes of an expression that is translated, which bounds the depth of groups.
    private static let longest = 200
    /// Bytes of a glob that is still advice: repeated groups in repeated groups grow to gigabytes.
    private static let longestGlob = 1000

    let text: String

    /// A part of `text` that has a meaning in regular expressions and would be plain characters in
    /// a glob; nil where `text` may well be a glob. `escapes`: a backslash before what needs none
    /// is such a part.
    static func sign(in text: String, escapes: Bool) -> String? {
        let characters = Array(text)
        var index = 0
        while index < characters.count {
            let character = characters[index]
            let next = index + 1 < characters.count ? characters[index + 1] : nil
            switch character {
            case "\\":
                guard let next else { return "\\" }
                if next.isLetter || next.isNumber || escapes && !"*?[]{}\\".contains(next) {
                    return "\\\(next)"
                }
                index += 1
            case "[":
                if let end = closingBracket(characters, index) { index = end }
                if index + 1 < characters.count, characters[index] == "]",
                    characters[index + 1] == "+"
                {
                    return "]+"
                }
            case "^" where index == 0: return "^"
            case "$" where next == nil: return "$"
            case "|": return "|"
            case "." where next == "+", ")" where next == "+", "(" where next == "?":
                return String([character, next ?? character])
            default: break
            }
            index += 1
        }
        return nil
    }

    private static func closingBracket(_ characters: [Character], _ start: Int) -> Int? {
        var index = start + 1
        if index < characters.count, "^!".contains(characters[index]) { index += 1 }
        // A bracket that comes first is one of the set.
        index += 1
        while index < characters.count, characters[index] != "]" { index += 1 }
        return index < characters.count ? index : nil
    }

    /// Globs for what the expression finds, wider than it where a glob cannot be as narrow; nil
    /// where it says what no glob can.
    var globs: [String]? {
        guard text.utf8.count <= Self.longest else { return nil }
        var rest = Array(text)[...]
        guard let ways = Self.alternatives(&rest), rest.isEmpty else { return nil }
        let globs = ways.map(Self.anywhere)
        // Twice the same, where a part was made of no importance.
        return globs.enumerated().filter { !globs[..<$0.offset].contains($0.element) }
            .map(\.element)
    }

    // MARK: Translation

    /// Ways through `a|b|c`, up to the end or a closing parenthesis. An anchor stays, as "^" or
    /// "$".
    private static func alternatives(_ rest: inout ArraySlice<Character>) -> [String]? {
        var ways: [String] = []
        while true {
            guard let more = sequence(&rest) else { return nil }
            ways += more
            guard ways.count <= mostGlobs else { return nil }
            guard rest.first == "|" else { return ways }
            rest.removeFirst()
        }
    }

    private static func sequence(_ rest: inout ArraySlice<Character>) -> [String]? {
        var ways = [""]
        while let character = rest.first, character != "|", character != ")" {
            guard let atoms = atom(&rest), let repeated = quantified(atoms, &rest) else {
                return nil
            }
            ways = ways.flatMap { way in repeated.map { way + $0 } }
            guard ways.count <= mostGlobs else { return nil }
        }
        return ways
    }

    /// One character, set or group, in the spelling of globs; `.` stays as it is, for it is nearly
    /// always meant as a dot where no quantifier follows.
    private static func atom(_ rest: inout ArraySlice<Character>) -> [String]? {
        let character = rest.removeFirst()
        switch character {
        case "\\":
            guard let escaped = rest.popFirst() else { return nil }
            switch escaped {
            case "d": return ["[0-9]"]
            case "w": return ["[A-Za-z0-9_]"]
            case "*", "?", "[", "]", "{", "}", "\\": return ["\\\(escaped)"]
            default:
                let isPlain = !escaped.isLetter && !escaped.isNumber
                return isPlain ? ["\(escaped)"] : nil
            }
        case "[":
            let all = ["["] + Array(rest)
            guard let end = closingBracket(all, 0) else { return nil }
            rest = rest.dropFirst(end)
            let set = String(all[...end])
            // A slash ends a segment, in a set as elsewhere.
            if set == "[^/]" { return ["?"] }
            return set.contains("/") || set.contains("\\") ? nil : [set]
        case "(":
            if rest.starts(with: ["?", ":"]) { rest = rest.dropFirst(2) }
            guard rest.first != "?", let ways = alternatives(&rest), rest.popFirst() == ")" else {
                return nil
            }
            return ways
        case "*", "+", "?", "{": return nil
        default: return ["\(character)"]
        }
    }

    private static func quantified(
        _ atoms: [String], _ rest: inout ArraySlice<Character>
    ) -> [String]? {
        let isAny = atoms == ["."]
        switch rest.first {
        case "*":
            rest.removeFirst()
            return ["*"]
        case "+":
            rest.removeFirst()
            return isAny ? ["*"] : atoms.map { $0 + "*" }
        case "?":
            rest.removeFirst()
            return atoms + [""]
        case "{":
            guard let end = rest.firstIndex(of: "}") else { return nil }
            let bounds = String(rest[rest.index(after: rest.startIndex)..<end])
                .split(separator: ",", omittingEmptySubsequences: false)
            guard let least = bounds.first.flatMap({ Int($0) }), (1...16).contains(least),
                atoms.count == 1
            else { return nil }
            rest = rest[rest.index(after: end)...]
            let one = isAny ? "?" : atoms[0]
            guard one.utf8.count * least <= longestGlob else { return nil }
            return [String(repeating: one, count: least) + (bounds.count > 1 ? "*" : "")]
        default:
            return atoms
        }
    }

    /// A regular expression finds its match anywhere in a path, a glob has to match all of it; and
    /// `.*` of the one runs over directories, which `*` of the other does not.
    private static func anywhere(_ way: String) -> String {
        var glob = way
        let begins = glob.hasPrefix("^")
        if begins { glob.removeFirst() }
        let ends = glob.hasSuffix("$")
        if ends { glob.removeLast() }
        if !begins {
            if glob.hasPrefix("/") {
                glob.removeFirst()
            } else if !glob.hasPrefix("*") {
                glob = "*" + glob
            }
        }
        if !ends {
            if glob.hasSuffix("/") {
                glob += "*"
            } else if !glob.hasSuffix("*") {
                glob += "*"
            }
        }
        var segments: [String] = []
        for segment in glob.split(separator: "/", omittingEmptySubsequences: false) {
            let name = oneStar(segment)
            // Beneath a directory, in whatever depth.
            if name.hasPrefix("*"), !segments.isEmpty { segments.append("**") }
            segments.append(name)
        }
        // What is relative lies in any directory anyway.
        if segments.count > 1, segments[0] == "*" { segments.removeFirst() }
        return segments.joined(separator: "/")
    }

    private static func oneStar(_ segment: Substring) -> String {
        var name = ""
        for character in segment {
            let isAgain = name.hasSuffix("*") && !name.hasSuffix("\\*")
            if character != "*" || !isAgain { name.append(character) }
        }
        return name
    }
}
