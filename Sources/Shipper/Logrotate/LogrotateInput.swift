import Patterns

/// What a stanza of logrotate's comes to as `rotation` of an input, and what of it does not.
struct LogrotateInput: Hashable, Sendable {
    /// A directive that is not honoured, and what to do.
    struct Note: Hashable, Sendable {
        let directive: LogrotateReader.Directive
        let advice: String
    }

    let place: String
    private(set) var paths: [String] = []
    private(set) var schedule: String?
    private(set) var age: String?
    /// Bytes.
    private(set) var size: Int?
    private(set) var keep = 0
    private(set) var maxAge: Int?
    private(set) var isCompressed = false
    private(set) var isDelayed = false
    private(set) var missingOK = false
    private(set) var notes: [Note] = []
    /// `maxsize`: beside the time, and whatever stands before or behind it.
    private var mostSize: Int?

    /// The smallest that a log may be rotated at.
    static let leastSize = 64 << 10

    init(_ stanza: LogrotateReader.Stanza) {
        place = stanza.place
        for pattern in stanza.patterns { take(path: pattern, stanza) }
        for directive in stanza.directives { take(directive) }
        size = [size, mostSize].compactMap { $0 }.min()
        // Its newest archive tells when a log was rotated last.
        if age != nil, let days = maxAge, days < 7 {
            maxAge = 7
            note(
                .init(name: "maxage", argument: "\(days)", place: place),
                "at least as long as age, which is 7d")
        }
        if schedule == nil, age == nil, size == nil {
            // logrotate's own: 1 MiB.
            size = 1 << 20
        }
        if keep == 0 {
            keep = 1
            note(
                .init(name: "rotate 0", argument: "", place: place),
                "logrotate removes at once what it rotates, delivered or not; one archive is kept")
        }
    }

    private mutating func note(_ directive: LogrotateReader.Directive, _ advice: String) {
        // Of one that is given for all and for a stanza, the last one counts.
        notes.removeAll { $0.directive.name == directive.name && $0.advice == advice }
        notes.append(Note(directive: directive, advice: advice))
    }

    private mutating func take(path: String, _ stanza: LogrotateReader.Stanza) {
        let directive = LogrotateReader.Directive(
            name: path, argument: "", place: stanza.place)
        if !path.hasPrefix("/") {
            note(directive, "not a path from the root; write it out")
        } else if path.contains("{") || path.contains("}") {
            note(directive, "braces capture a part of a path here; write one path for each")
        } else {
            let path = path.split(separator: "**", omittingEmptySubsequences: false)
                .joined(separator: "*")
            do throws(PathPatternError) {
                _ = try PathPattern(path)
                paths.append(path)
            } catch {
                note(directive, "\(error)")
            }
        }
    }

    private mutating func time(_ schedule: String?, age: String? = nil) {
        self.schedule = schedule
        self.age = age
        size = nil
    }

    private mutating func take(_ directive: LogrotateReader.Directive) {
        let argument = directive.argument
        switch directive.name {
        // When.
        case "hourly": time("0 * * * *")
        case "daily": time("0 0 * * *")
        case "weekly":
            if argument == "7" {
                time(nil, age: "7d")
            } else {
                time("0 0 * * \(Int(argument).map { "\(min(max($0, 0), 6))" } ?? "0")")
            }
        case "monthly":
            let day = Int(argument) ?? 1
            time("0 0 \((1...28).contains(day) ? day : 1) * *")
            if day > 28 { note(directive, "not every month has that day; set to the first") }
        case "yearly", "annually": time("0 0 1 1 *")
        case "size":
            if let bytes = bytes(directive) { (size, schedule, age) = (bytes, nil, nil) }
        case "maxsize": mostSize = bytes(directive) ?? mostSize
        case "minsize":
            note(
                directive, "a log is rotated at its time whatever it has, but for less than a block"
            )
        case "minage": note(directive, "leave it out: schedule or age says how often")
        // How many.
        case "rotate":
            guard let count = Int(argument), count >= -1 else {
                note(directive, "no number of archives; set keep yourself")
                return
            }
            keep = count == -1 ? 100_000 : min(count, 100_000)
            if count == -1 { note(directive, "keep is the most that there can be") }
        case "maxage":
            guard let days = Int(argument), days > 0 else {
                note(directive, "no number of days; set max_age yourself")
                return
            }
            maxAge = min(days, 36_600)
        case "start":
            if argument != "1" { note(directive, "archives are numbered from 1 on") }
        // How they are kept.
        case "compress": isCompressed = true
        case "nocompress": isCompressed = false
        case "delaycompress": isDelayed = true
        case "nodelaycompress": isDelayed = false
        case "compresscmd", "uncompresscmd":
            let program = argument.split(separator: "/").last ?? ""
            if program != "gzip", program != "gunzip", program != "pigz", program != "unpigz" {
                note(directive, "archives are compressed with gzip")
            }
        case "compressext":
            if argument != ".gz" { note(directive, "archives are called .gz") }
        case "compressoptions": note(directive, "leave it out: gzip's usual level is taken")
        case "dateext", "dateformat", "dateyesterday", "datehourago":
            note(directive, "not supported yet: archives are numbered")
        case "olddir": note(directive, "not supported: archives lie beside their log")
        case "extension", "addextension":
            note(directive, "not supported: archives are called as the log, with a number behind")
        case "mail": note(directive, "not supported: what is removed is in Kafka")
        case "shred", "shredcycles":
            note(directive, "not supported: overwriting says nothing on disks of today")
        // What logrotate does where something is odd.
        case "missingok": missingOK = true
        case "nomissingok": missingOK = false
        case "ifempty":
            note(
                directive, "a log that is empty is not rotated: its archive would push out another")
        case "su":
            note(
                directive,
                "not supported yet: run the agent as \(argument.split(separator: " ").first ?? "that user"), "
                    + "or as root where the directory is writable for its owner alone")
        case "allowhardlink": note(directive, "a log with two names is not rotated")
        // How a log is taken away.
        case "create":
            if !argument.isEmpty {
                note(
                    directive,
                    "leave it out: the log stays the file that it is, with owner and mode")
            }
        case "copy": note(directive, "the log's front is removed, which a copy alone does not do")
        case "renamecopy":
            note(directive, "leave it out: the log stays the file that it is")
        case let name where LogrotateReader.scripts.contains(name):
            note(
                directive,
                name == "postrotate" || name == "lastaction"
                    ? "not run: the log stays the file that it is, so no program has to reopen it; "
                        + "what else the script does, do elsewhere"
                    : "not run: do elsewhere what it does")
        // What is true anyway, or belongs to one of those above.
        case "copytruncate", "nocopytruncate", "nocreate", "nocopy", "norenamecopy", "notifempty",
            "sharedscripts", "nosharedscripts", "nodateext", "noolddir", "createolddir",
            "nocreateolddir", "nomail", "mailfirst", "maillast", "noshred", "nosu",
            "noallowhardlink", "ignoreduplicates", "noignoreduplicates":
            break
        default: note(directive, "unknown to logrotate 3.21; leave it out")
        }
    }

    private mutating func bytes(_ directive: LogrotateReader.Directive) -> Int? {
        guard let bytes = Self.bytes(directive.argument) else {
            note(directive, "no size; set size yourself")
            return nil
        }
        if bytes < Self.leastSize { note(directive, "the least is 64KiB") }
        return min(max(bytes, Self.leastSize), 1 << 40)
    }

    /// A number with k, M or G behind it.
    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let factor: Int
        switch text.dropFirst(digits.count) {
        case "": factor = 1
        case "k", "K": factor = 1 << 10
        case "M": factor = 1 << 20
        case "G": factor = 1 << 30
        default: return nil
        }
        guard let number = Int(digits) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }
}
