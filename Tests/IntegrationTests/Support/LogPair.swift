import Testing

/// A log's name and that of an earlier file of it, as logrotate and s6-log have them.
struct LogPair: Sendable, CustomTestStringConvertible {
    let live: String
    let earlier: String
    var testDescription: String { live }

    static let all = [
        LogPair(live: "app.log", earlier: "app.log.1"),
        LogPair(live: "current", earlier: "@400000006b03bb0027d04f81.s"),
    ]
}
