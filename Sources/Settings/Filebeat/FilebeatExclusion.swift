/// A regular expression of `exclude_files`, which finds its match anywhere in a path, as globs that
/// choose the very same paths.
struct FilebeatExclusion {
    /// More globs than these for one expression are nothing to read.
    private static let mostGlobs = 8
    /// Bytes of an expression that is looked at, which bounds the depth of groups.
    private static let longest = 200

    /// One thing of a path.
    fileprivate enum Atom {
        case glob(String)
        case slash
        /// `.*`: anything, slashes among it.
        case anything
        /// `.+`
        case something

        /// Nothing is enough for it, and it does not say what may stand there.
        var mayBeAnything: Bool {
            switch self {
            case .anything, .glob("*"): true
            case .glob, .slash, .something: false
            }
        }
    }

    /// Globs that together choose what the expression finds, none of them where that is nothing.
    /// Nil where no globs do, or that is not certain. A `.` without a quantifier is taken for a
    /// dot, as all but everybody means it.
    static func globs(_ expression: String) -> [String]? {
        guard expression.utf8.count <= longest else { return nil }
        var rest = Array(expression)[...]
        guard let ways = alternatives(&rest, isTop: true), rest.isEmpty else { return nil }
        var globs: [String] = []
        for way in ways {
            guard let more = way.globs else { return nil }
            for glob in more where !globs.contains(glob) { globs.append(glob) }
        }
        return globs.count <= mostGlobs ? globs : nil
    }

    // MARK: Reading

    /// A way through the alternatives.
    fileprivate struct Way {
        var atoms: [Atom] = []
        var begins = false
        var ends = false
    }

    private static func alternatives(
        _ rest: inout ArraySlice<Character>, isTop: Bool
    ) -> [Way]? {
        var all: [Way] = []
        while true {
            guard let ways = sequence(&rest, isTop: isTop) else { return nil }
            all += ways
            guard all.count <= mostGlobs else { return nil }
            guard rest.first == "|" else { return all }
            rest.removeFirst()
        }
    }

    private static func sequence(
        _ rest: inout ArraySlice<Character>, isTop: Bool
    ) -> [Way]? {
        var ways = [Way()]
        while let character = rest.first, character != "|", character != ")" {
            if character == "^" {
                guard isTop, ways.count == 1, ways[0].atoms.isEmpty else { return nil }
                rest.removeFirst()
                ways[0].begins = true
                continue
            }
            if character == "$" {
                rest.removeFirst()
                guard isTop, rest.isEmpty || rest.first == "|" else { return nil }
                for index in ways.indices { ways[index].ends = true }
                continue
            }
            guard let choices = piece(&rest) else { return nil }
            ways = ways.flatMap { way in
                choices.map { choice in
                    var longer = way
                    longer.atoms += choice
                    return longer
                }
            }
            guard ways.count <= mostGlobs else { return nil }
        }
        return ways
    }

    /// One character, set or group with what may follow it, in each of its ways.
    private static func piece(_ rest: inout ArraySlice<Character>) -> [[Atom]]? {
        let character = rest.removeFirst()
        var choices: [[Atom]]
        switch character {
        case ".":
            switch rest.first {
            case "*":
                rest.removeFirst()
                return rest.first == "?" ? nil : [[.anything]]
            case "+":
                rest.removeFirst()
                return rest.first == "?" ? nil : [[.something]]
            case "?", "{": return nil
            default: choices = [[.glob(".")]]
            }
        case "\\":
            guard let escaped = rest.popFirst() else { return nil }
            switch escaped {
            case "d": choices = [[.glob("[0-9]")]]
            case "w": choices = [[.glob("[A-Za-z0-9_]")]]
            case "/": choices = [[.slash]]
            default:
                guard !escaped.isLetter, !escaped.isNumber else { return nil }
                choices = [[.glob(literal(escaped))]]
            }
        case "[":
            guard let set = set(&rest) else { return nil }
            if set == "[^/]" {
                switch rest.first {
                case "*":
                    rest.removeFirst()
                    return [[.glob("*")]]
                case "+":
                    rest.removeFirst()
                    return [[.glob("?"), .glob("*")]]
                default: choices = [[.glob("?")]]
                }
            } else {
                choices = [[.glob(set)]]
            }
        case "(":
            if rest.starts(with: ["?", ":"]) { rest = rest.dropFirst(2) }
            guard rest.first != "?", let ways = alternatives(&rest, isTop: false),
                rest.popFirst() == ")"
            else { return nil }
            choices = ways.map(\.atoms)
        case "*", "+", "?", "{": return nil
        case "/": choices = [[.slash]]
        default: choices = [[.glob(literal(character))]]
        }
        switch rest.first {
        case "?":
            rest.removeFirst()
            choices.append([])
        case "*", "+", "{": return nil
        default: break
        }
        return choices
    }

    /// What stands in brackets, for names: no slash is among it.
    private static func set(_ rest: inout ArraySlice<Character>) -> String? {
        guard let end = rest.dropFirst().firstIndex(of: "]") else { return nil }
        let inside = String(rest[..<end])
        rest = rest[rest.index(after: end)...]
        if inside == "^/" { return "[^/]" }
        let isPlain = inside.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": true
            default: false
            }
        }
        // `[+-9]` would have the slash in it.
        return isPlain && !inside.contains(".-") ? "[\(inside)]" : nil
    }

    private static func literal(_ character: Character) -> String {
        "*?[]{}\\".contains(character) ? "\\\(character)" : "\(character)"
    }
}

// MARK: Writing

extension FilebeatExclusion.Way {
    /// Any number of directories, while stars are put behind stars.
    private static let directories: Character = "\u{1}"

    /// Nil where a glob cannot say it; none where no path is so.
    fileprivate var globs: [String]? {
        let below = "/\(Self.directories)/"
        var (begins, ends, atoms) = (begins, ends, atoms[...])
        // What may be nothing says nothing where a match may begin, or end, anywhere.
        if begins, case .anything = atoms.first { begins = false }
        if ends, case .anything = atoms.last { ends = false }
        while !begins, let first = atoms.first, first.mayBeAnything { atoms.removeFirst() }
        while !ends, let last = atoms.last, last.mayBeAnything { atoms.removeLast() }
        // The slash at a path's beginning is something, too.
        if case .something = atoms.first { return nil }
        var ways = begins ? [""] : ["\(Self.directories)/*"]
        for (index, atom) in atoms.enumerated() {
            switch atom {
            case .glob(let text): ways = ways.map { $0 + text }
            case .slash:
                if index == 0, !begins {
                    ways = ["\(Self.directories)/"]
                } else {
                    ways = ways.map { $0 + "/" }
                }
            case .anything: ways = ways.flatMap { [$0 + "*", $0 + "*\(below)*"] }
            case .something: ways = ways.flatMap { [$0 + "?*", $0 + "*\(below)*"] }
            }
            guard ways.count <= 16 else { return nil }
        }
        if !ends {
            ways = ways.flatMap { way in
                way.hasSuffix("/")
                    ? [way + "\(Self.directories)/*"] : [way + "*", way + "*\(below)*"]
            }
        }
        // No name is empty: no path has two slashes side by side, or one at its end, and one that
        // is given from its beginning begins with one.
        ways = ways.filter { way in
            !way.contains("//") && !way.hasSuffix("/") && (!begins || way.hasPrefix("/"))
        }
        return ways.map(Self.tidy)
    }

    /// Without stars and directories that say nothing.
    private static func tidy(_ glob: String) -> String {
        var segments: [String] = []
        for segment in glob.split(separator: "/", omittingEmptySubsequences: false) {
            if segment == "\(directories)" {
                if segments.last != "**" { segments.append("**") }
                continue
            }
            var name = ""
            for character in segment {
                let isAgain = character == "*" && name.hasSuffix("*") && !name.hasSuffix("\\*")
                if !isAgain { name.append(character) }
            }
            segments.append(name)
        }
        return segments.joined(separator: "/")
    }
}
