/// A contender that takes its turns, with all of its runs.
struct Entrant<Run: ContestRun> {
    let contender: Contender
    /// Of its last run.
    var command: [String] = []
    var runs: [Run] = []

    init(_ contender: Contender) { self.contender = contender }

    var good: [Run] { runs.filter { $0.fault == nil } }

    /// How many runs are good, of how many if that is not all.
    var count: String {
        good.count == runs.count ? "\(good.count)" : "\(good.count) of \(runs.count)"
    }

    /// Its row in the list of contenders; `more` comes behind what each has.
    func json(_ more: [(String, JSON)]) -> JSON {
        .object(
            [
                ("name", .text(contender.name)), ("version", .text(contender.version)),
                ("command", .list(command.map(JSON.text))), ("runs", .list(runs.map(\.json))),
                ("failed_runs", .count(runs.count - good.count)),
            ] + more)
    }
}

/// One run of a contender: what it found, or why it does not count.
protocol ContestRun: Sendable {
    /// Why it does not count; nil: it does.
    var fault: String? { get }
    var json: JSON { get }
}

extension Array {
    /// A line for each run that failed.
    func failures<Run>() -> String where Element == Entrant<Run> {
        map { entry in
            entry.runs.enumerated().map { number, run in
                run.fault.map { "FAILED: \(entry.contender.name), run \(number + 1): \($0)\n" }
                    ?? ""
            }.joined()
        }.joined()
    }

    /// A line for each: who it is, and its command.
    func commands<Run>() -> String where Element == Entrant<Run> {
        map { entry in
            "\(entry.contender.name): \(entry.contender.version): "
                + entry.command.joined(separator: " ") + "\n"
        }.joined()
    }
}

extension JSON {
    /// The machine's load averages around a measurement.
    static func load(before: Double, after: Double) -> (String, JSON) {
        ("load_average", .object([("before", .number(before, 2)), ("after", .number(after, 2))]))
    }
}
