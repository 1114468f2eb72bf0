/// Reads configurations of logrotate 3.21, as logrotate.conf(5) has them, with what they include.
struct LogrotateReader {
    /// One directive, with the words behind it, or its script.
    struct Directive: Hashable, Sendable {
        let name: String
        /// What stands behind it on its line; of a script, its lines.
        let argument: String
        /// Where it stands: `file:line`.
        let place: String
    }

    /// Logs, and what is to be done with them: what stands before them for all, and in their
    /// braces.
    struct Stanza: Hashable, Sendable {
        let place: String
        let patterns: [String]
        let directives: [Directive]
    }

    /// A file that can be included, or those of a directory; nil where there is neither. Each with
    /// its text, nil where that cannot be had.
    typealias Load = (String) -> [(path: String, text: String?)]?

    private(set) var stanzas: [Stanza] = []
    /// What could not be read, with its place.
    private(set) var faults: [String] = []
    private var globals: [Directive] = []
    private var taboo = LogrotateTaboo()
    private var depth = 0
    private var reads = 0
    private let load: Load

    /// logrotate itself includes no deeper.
    private static let mostDepth = 16
    /// What includes itself twice would be read for ever.
    private static let mostReads = 1_000
    private static let mostStanzas = 10_000
    static let scripts = ["prerotate", "postrotate", "firstaction", "lastaction", "preremove"]

    init(load: @escaping Load) { self.load = load }

    /// Reads a file, or those of a directory.
    mutating func read(_ path: String, from place: String = "") {
        let prefix = place.isEmpty ? "" : "\(place): "
        reads += 1
        guard depth < Self.mostDepth, reads < Self.mostReads else {
            if faults.count < Self.mostReads {
                faults.append("\(prefix)\(path) is included too deep, or too often")
            }
            return
        }
        guard let files = load(path) else {
            faults.append("\(prefix)\(path) cannot be read")
            return
        }
        depth += 1
        for file in files {
            let name = String(file.path.split(separator: "/").last ?? "")
            // A file that is named itself is read whatever it is called.
            if file.path != path, taboo.holds(name) { continue }
            guard let text = file.text else {
                faults.append("\(prefix)\(file.path) cannot be read, or is too long")
                continue
            }
            parse(text, file.path)
        }
        depth -= 1
    }

    private mutating func parse(_ text: String, _ path: String) {
        var scanner = LogrotateScanner(text)
        var patterns: [String] = []
        var stanza: (place: String, directives: [Directive])?
        while let token = scanner.next(isInside: stanza != nil) {
            let place = "\(path):\(scanner.line)"
            switch token {
            case .path(let pattern):
                patterns.append(pattern)
            case .open:
                if patterns.isEmpty { faults.append("\(place): a brace without a log before it") }
                stanza = (place, [])
            case .close:
                guard let open = stanza else {
                    faults.append("\(place): a closing brace without an opening one")
                    continue
                }
                if !patterns.isEmpty, stanzas.count < Self.mostStanzas {
                    stanzas.append(
                        Stanza(
                            place: open.place, patterns: patterns,
                            directives: globals + open.directives))
                }
                patterns = []
                stanza = nil
            case .directive(let name, let argument):
                let directive = Directive(name: name, argument: argument, place: place)
                switch name {
                case "include":
                    if stanza != nil {
                        faults.append("\(place): include within braces")
                    } else {
                        read(argument, from: place)
                    }
                case "tabooext": taboo.extensions(argument)
                case "taboopat": taboo.patterns(argument)
                default:
                    if stanza != nil {
                        stanza?.directives.append(directive)
                    } else {
                        globals.append(directive)
                    }
                }
            case .fault(let problem): faults.append("\(place): \(problem)")
            }
        }
        if stanza != nil || !patterns.isEmpty {
            faults.append("\(path): it ends within a stanza")
        }
    }
}

/// Names of files that an `include` of a directory passes over.
private struct LogrotateTaboo {
    private var globs = [
        "*,v", "*.bak", "*.cfsaved", "*.disabled", "*.dpkg-bak", "*.dpkg-del", "*.dpkg-dist",
        "*.dpkg-new", "*.dpkg-old", "*.dpkg-tmp", "*.rhn-cfg-tmp-*", "*.rpmnew", "*.rpmorig",
        "*.rpmsave", "*.swp", "*.ucf-dist", "*.ucf-new", "*.ucf-old", "*~",
    ]

    mutating func extensions(_ list: String) { take(list) { "*" + $0 } }
    mutating func patterns(_ list: String) { take(list) { $0 } }

    /// A list that begins with `+` is added, another one is all that there is.
    private mutating func take(_ list: String, _ glob: (String) -> String) {
        let isMore = list.hasPrefix("+")
        let words = list.dropFirst(isMore ? 1 : 0).split { $0 == "," || $0 == " " || $0 == "\t" }
        globs = (isMore ? globs : []) + words.map { glob(String($0)) }
    }

    func holds(_ name: String) -> Bool {
        name == "." || name == ".."
            || globs.contains { Self.matches(Array($0.utf8)[...], Array(name.utf8)[...]) }
    }

    /// `*` and `?`, as fnmatch(3) has them with FNM_PERIOD: neither stands for a dot that a name
    /// begins with.
    private static func matches(_ glob: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        let dot = UInt8(ascii: ".")
        if name.first == dot, glob.first != dot { return false }
        var (glob, name) = (glob, name)
        var star: (glob: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
        while let byte = name.first {
            switch glob.first {
            case UInt8(ascii: "*"):
                glob = glob.dropFirst()
                star = (glob, name)
                continue
            case let wanted? where wanted == UInt8(ascii: "?") || wanted == byte:
                glob = glob.dropFirst()
                name = name.dropFirst()
                continue
            default: break
            }
            guard let last = star else { return false }
            star = (last.glob, last.name.dropFirst())
            glob = last.glob
            name = last.name.dropFirst()
        }
        return glob.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
