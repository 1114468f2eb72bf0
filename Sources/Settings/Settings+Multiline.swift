package import Expressions

/// Which lines of an input are one event.
extension Settings {
    /// `multiline` of an input.
    package struct Multiline: Hashable, Sendable {
        /// How a line stands to those beside it.
        package let grouping: Grouping
        /// The name that stood for the pattern, if one did.
        package let preset: MultilinePreset?
        /// A line that matches is its event's last.
        package let flush: Expression?
        /// An event that becomes longer comes in parts.
        package let mostLines: Int
        /// As `mostLines`, in bytes; nil: `max_line`.
        package let mostBytes: Int?
        /// How long an event waits for its next line.
        package let timeout: Duration
        /// Lines are joined without a newline.
        package let skipsNewline: Bool

        /// By what lines look like, or by their number.
        package enum Grouping: Hashable, Sendable {
            case pattern(Expression, negate: Bool, match: Match)
            case count(Int)
        }

        /// Where the event is that a matching line belongs to.
        package enum Match: String, Hashable, Sendable, CaseIterable {
            case after, before
        }

        /// The two kinds of grouping, as the file names them.
        package enum Kind: String, Hashable, Sendable, CaseIterable {
            case pattern, count
        }
    }

    func describe(_ multiline: Multiline, _ text: inout YAMLText) {
        text.key("multiline")
        text.indented { text in
            switch multiline.grouping {
            case .count(let count):
                text.pair("type", Multiline.Kind.count.rawValue)
                text.pair("count_lines", .int(count))
            case .pattern(let pattern, let negate, let match):
                text.pair("type", Multiline.Kind.pattern.rawValue)
                if let preset = multiline.preset {
                    text.pair("preset", preset.rawValue)
                    text.comment("pattern: \(pattern)")
                } else {
                    text.pair("pattern", pattern.pattern)
                    text.pair("negate", .bool(negate))
                    text.pair("match", match.rawValue)
                }
            }
            if let flush = multiline.flush { text.pair("flush_pattern", flush.pattern) }
            text.pair("max_lines", .int(multiline.mostLines))
            if let bytes = multiline.mostBytes {
                text.pair("max_bytes", Quantity.text(bytes: bytes))
            }
            text.pair("timeout", Quantity.text(multiline.timeout))
            text.pair("skip_newline", .bool(multiline.skipsNewline))
        }
    }
}

/// Patterns that have a name: of what the runtimes of languages write when something goes wrong.
package enum MultilinePreset: String, Hashable, Sendable, CaseIterable {
    case java, python, go, dotnet, ruby, php, timestamp

    /// Whether lines that do not match go on with the event before them.
    var negate: Bool { self == .timestamp }

    var pattern: String {
        switch self {
        // `\tat a.b.C(C.java:1)`, `\t... 3 more`, `Caused by: …`, and the exception's own line
        // behind the one that logged it.
        case .java:
            #"^\s|^Caused by: |^Suppressed: |^(?:[a-z_]\w*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable|Failure)\b"#
        // `Traceback (most recent call last):` and what belongs to it, its last line and the
        // empty ones between two of them.
        case .python:
            #"^\s|^$|^Traceback \(most recent call last\):|^(?:During handling of the above|The above exception was)|^(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Iteration)(?::|$)"#
        // Behind `panic: …`: `goroutine 1 [running]:`, calls and their places.
        case .go:
            #"^\s|^$|^goroutine \d+ |^created by |^\[signal |^exit status \d|^[\w./*()\[\]{}-]+\(.*\)$"#
        // `   at N.C.M() in /f.cs:line 1`, `   --- End of inner exception stack trace ---`.
        case .dotnet: #"^\s|^---|^(?:[A-Z]\w*\.)+\w*Exception\b"#
        // `\tfrom f.rb:3:in 'x'`, and the excerpts that newer versions print.
        case .ruby: #"^\s|^$|^\^"#
        case .php: #"^\s|^Stack trace:|^#\d+ |^PHP Stack trace:|^PHP +\d+\. "#
        // ISO 8601, with other signs between its parts, days and months by name, klog's, or a time
        // of day alone; in brackets or not.
        case .timestamp:
            #"^[\[(]?(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/. ](?:\d\d?|[A-Z][a-z]{2})[-/. ]\d{2,4}|(?:[A-Z][a-z]{2},? )?[A-Z][a-z]{2} +\d\d? |[IWEF]\d{4} \d\d:|\d\d:\d\d:\d\d)"#
        }
    }
}
