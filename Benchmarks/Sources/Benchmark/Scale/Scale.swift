import Machine

/// What an agent costs as the files of a node grow in number: some parts, each by itself.
struct Scale {
    private struct Entry {
        let contender: Contender
        /// Of each part, in runs.
        var outcomes: [ScalePart: [ScalePart.Outcome]] = [:]
    }

    private let stage: Stage
    private let facts: MachineFacts
    private let date = utcDate()
    private let loadBefore: Double
    private var loadAfter = 0.0
    private var entries: [Entry]

    /// Those who follow files take part.
    init(_ stage: Stage) throws(MachineError) {
        self.stage = stage
        facts = try MachineFacts()
        loadBefore = try MachineFacts.load()
        entries = stage.present.filter(\.follows).map { Entry(contender: $0) }
    }

    private var sizes: ScaleSizes { ScaleSizes(files: stage.options.files ?? 100_000) }
    private var seconds: Int { stage.options.seconds ?? 60 }
    private var parts: [ScalePart] { stage.options.parts }

    /// True: in every part everything arrived, once.
    mutating func measure() throws(MachineError) -> Bool {
        let rounds = stage.options.runs ?? 1
        for round in 1...rounds {
            for part in parts {
                for index in entries.indices {
                    let contender = entries[index].contender
                    let runner = ScaleRunner(
                        stage: stage, contender: contender, sizes: sizes, seconds: seconds)
                    let outcome = try runner.run(part)
                    entries[index].outcomes[part, default: []].append(outcome)
                    try stage.progress.note(
                        "round \(round) of \(rounds): \(contender.name): \(part.rawValue)"
                            + (outcome.fault.map { " FAILED: \($0)" } ?? ": done"))
                }
            }
        }
        loadAfter = try MachineFacts.load()
        return entries.allSatisfy { entry in
            entry.outcomes.values.joined().allSatisfy { $0.fault == nil }
        }
    }

    /// The medians of what the good runs found; empty: there is none.
    private func medians(_ part: ScalePart, _ entry: Entry) -> [ScalePart.Figure] {
        let good = (entry.outcomes[part] ?? []).filter { $0.fault == nil }.map(\.figures)
        guard let first = good.first else { return [] }
        return first.indices.map { index in
            let figure = first[index]
            let values = good.compactMap { $0[index].value }
            return part.figure(figure.head, figure.key, figure.digits, Spread(values)?.median)
        }
    }

    func text(command: [String]) -> String {
        var table = TextTable(["as a node grows"] + entries.map(\.contender.name))
        for part in parts {
            let columns = entries.map { medians(part, $0) }
            guard let heads = columns.first(where: { !$0.isEmpty })?.map(\.head) else {
                table.add([part.rawValue] + entries.map { _ in "failed" })
                continue
            }
            for (row, head) in heads.enumerated() {
                table.add(
                    ["\(part.rawValue): \(head)"]
                        + columns.map { figures in
                            figures.isEmpty
                                ? "failed" : figures[row].value.map(Number.short) ?? "–"
                        })
            }
        }
        var text = table.text
        for entry in entries {
            for part in parts {
                for (number, outcome) in (entry.outcomes[part] ?? []).enumerated() {
                    guard let fault = outcome.fault else { continue }
                    text +=
                        "FAILED: \(entry.contender.name), \(part.rawValue), run \(number + 1): "
                        + fault + "\n"
                }
            }
        }
        text += stage.absentLines
        let described = parts.map { "\($0.rawValue): \(sizes.description($0))\n" }.joined()
        let subject = """
            \(described)\
            at rest for \(seconds) s; ages: from write to a consumer on the same machine \
            (fetch.wait.max.ms=5); medians of the runs
            """
        text += stage.footer(
            facts, date, load: "\(loadBefore) before, \(loadAfter) after", subject, command)
        for entry in entries { text += "\(entry.contender.name): \(entry.contender.version)\n" }
        return text
    }

    func json(command: [String]) -> JSON {
        .object(
            stage.header(.scale, facts, date, command) + [
                JSON.load(before: loadBefore, after: loadAfter),
                ("files", .count(sizes.files)), ("rest_seconds", .count(seconds)),
                (
                    "parts",
                    .object(parts.map { ($0.rawValue, .text(sizes.description($0))) })
                ),
                ("contenders", .list(entries.map(json))),
            ])
    }

    private func json(_ entry: Entry) -> JSON {
        .object([
            ("name", .text(entry.contender.name)), ("version", .text(entry.contender.version)),
            (
                "parts",
                .object(
                    parts.map { part in
                        let outcomes = entry.outcomes[part] ?? []
                        return (
                            part.rawValue,
                            .object([
                                ("medians", Self.json(medians(part, entry))),
                                (
                                    "runs",
                                    .list(
                                        outcomes.map { outcome in
                                            .object([
                                                ("figures", Self.json(outcome.figures)),
                                                ("command", .list(outcome.command.map(JSON.text))),
                                                ("failed", .optional(outcome.fault)),
                                            ])
                                        })
                                ),
                            ])
                        )
                    })
            ),
        ])
    }

    private static func json(_ figures: [ScalePart.Figure]) -> JSON {
        .object(
            figures.map { figure in
                (figure.key, figure.value.map { .number($0, figure.digits) } ?? .null)
            })
    }
}
