import Machine
import Synchronization

/// How old a line is when a consumer has it from the broker.
struct Latency {
    private struct Entry {
        let name: String
        let version: String
        let command: [String]
        /// Nanoseconds, ascending.
        let ages: [Int64]
        let fault: String?
    }

    private let stage: Stage
    private let facts: MachineFacts
    private let date = utcDate()
    private let load: Double
    private var entries: [Entry] = []

    static let shares: [(name: String, share: Double)] = [
        ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1),
    ]
    /// Lines before those that count, which find the agent at work on its start.
    private static let leadLines = 100
    /// How long the last line may take.
    private static let patience = 30.0

    init(_ stage: Stage) throws(MachineError) {
        self.stage = stage
        facts = try MachineFacts()
        load = try MachineFacts.load()
    }

    private var seconds: Int { stage.options.seconds ?? 10 }
    private var rate: Int { stage.options.rate ?? 10_000 }

    /// True: every line arrived, once.
    mutating func measure() throws(MachineError) -> Bool {
        for contender in stage.present {
            guard contender.follows else { continue }
            entries.append(try measure(contender))
        }
        entries.append(try measureFloor())
        return entries.allSatisfy { $0.fault == nil }
    }

    private func measure(_ contender: Contender) throws(MachineError) -> Entry {
        let lines = rate * seconds
        let topic = try stage.makeTopic()
        let directory = try stage.makeDirectory("run")
        let path = directory + "/busy.log"
        let command = try contender.prepare(
            Contender.Task(
                directory: directory, files: path, corpus: nil, topic: topic,
                broker: stage.broker.address, kind: stage.kind, once: false))
        let file = try OutputFile(path)
        try Self.write(Self.leadLines, aSecond: 1_000, to: file.append)
        let consumer = try consumer(topic)
        let log = directory + "/output"
        let process = try ChildProcess(command, output: .file(log), errors: .file(log))

        var lead: [Int64] = []
        try take(Self.leadLines, from: consumer, into: &lead, process, "\(contender.name): start")
        let writer = Writer()
        let rate = rate
        let thread = try Thread.start { writer.write(path, lines, aSecond: rate) }
        var ages: [Int64] = []
        ages.reserveCapacity(lines)
        try take(lines, from: consumer, into: &ages, process, contender.name)
        thread.join()
        if let fault = writer.fault { throw fault }
        let end = try process.stop()
        let records = try stage.broker.recordCount(topic)
        try stage.dropTopic(topic)
        try remove(directory)
        return Entry(
            name: contender.name, version: contender.version, command: command, ages: ages.sorted(),
            fault: end.fault ?? Run.miscount(records, of: lines + Self.leadLines))
    }

    /// The same lines without a file and an agent: what the broker and the consumer add.
    private func measureFloor() throws(MachineError) -> Entry {
        let lines = rate * seconds
        let topic = try stage.makeTopic()
        let consumer = try consumer(topic)
        let writer = Writer()
        let address = stage.broker.address
        let rate = rate
        let thread = try Thread.start { writer.produce(address, topic, lines, aSecond: rate) }
        var ages: [Int64] = []
        ages.reserveCapacity(lines)
        let name = "librdkafka alone"
        try take(lines, from: consumer, into: &ages, nil, name)
        thread.join()
        if let fault = writer.fault { throw fault }
        let records = try stage.broker.recordCount(topic)
        try stage.dropTopic(topic)
        return Entry(
            name: name, version: "librdkafka \(librdkafkaVersion)", command: [],
            ages: ages.sorted(), fault: Run.miscount(records, of: lines))
    }

    private func consumer(_ topic: String) throws(MachineError) -> StampedConsumer {
        try StampedConsumer(
            stage.broker.address, topic: topic, partitions: stage.partitions, waitMilliseconds: 1)
    }

    /// Takes so many records, or what there is when none has come for `patience`.
    private func take(
        _ lines: Int, from consumer: StampedConsumer, into ages: inout [Int64],
        _ process: ChildProcess?, _ what: String
    ) throws(MachineError) {
        var last = Instant.now
        while ages.count < lines {
            let before = ages.count
            try consumer.take(milliseconds: 100) { ages.append($0.age) }
            if ages.count > before {
                last = .now
            } else {
                guard try process?.wait(milliseconds: 0) == nil else {
                    throw MachineError("\(what): it ended before all lines were there")
                }
                if Instant.now.secondsSince(last) > Self.patience { return }
            }
            try stage.progress.update("\(what): \(Number.grouped(ages.count)) lines")
        }
    }

    /// Writes each line by itself at its time, with that time in it; late, without a pause.
    static func write(
        _ lines: Int, aSecond rate: Int, to take: ([UInt8]) throws(MachineError) -> Void
    ) throws(MachineError) {
        Instant.awaitPrecisely()
        let filler =
            Array(" INFO  a line of the usual length, as a service writes them: ".utf8)
            + Array(repeating: 0x78, count: 84) + [0x0A]
        let begin = Instant.now
        for number in 0..<lines {
            begin.advanced(bySeconds: Double(number) / Double(rate)).sleep()
            var line: [UInt8] = []
            Stamp(number: number).append(to: &line)
            line += filler
            try take(line)
        }
    }

    func text(command: [String]) -> String {
        var table = TextTable(
            ["milliseconds from write to consumer", "lines"] + Self.shares.map(\.name))
        for entry in entries {
            let figures = Self.shares.map { share in
                entry.ages.isEmpty
                    ? "–"
                    : Number.short(Double(Spread.percentile(share.share, of: entry.ages)) / 1e6)
            }
            table.add([entry.name, Number.grouped(entry.ages.count)] + figures)
        }
        var text = table.text
        for entry in entries {
            if let fault = entry.fault { text += "FAILED: \(entry.name): \(fault)\n" }
        }
        text += stage.absentLines
        let subject = """
            lines: \(Number.grouped(rate)) a second into one file for \(seconds) s; \
            the writer and the consumer (fetch.wait.max.ms=1) run on the same machine
            """
        text += stage.footer(facts, date, load: "\(load) before", subject, command)
        for entry in entries {
            text +=
                "\(entry.name): \(entry.version): "
                + entry.command.joined(separator: " ") + "\n"
        }
        return text
    }

    func json(command: [String]) -> JSON {
        .object(
            stage.header(.latency, facts, date, command) + [
                ("load_average", .object([("before", .number(load, 2))])),
                ("lines_per_second", .count(rate)), ("seconds", .count(seconds)),
                (
                    "contenders",
                    .list(
                        entries.map { entry in
                            .object(
                                [
                                    ("name", .text(entry.name)),
                                    ("version", .text(entry.version)),
                                    ("command", .list(entry.command.map(JSON.text))),
                                    ("lines", .count(entry.ages.count)),
                                    ("failed", .optional(entry.fault)),
                                ]
                                    + (entry.ages.isEmpty
                                        ? []
                                        : Self.shares.map { share in
                                            let age = Spread.percentile(share.share, of: entry.ages)
                                            return (
                                                "\(share.name)_milliseconds",
                                                .number(Double(age) / 1e6, 3)
                                            )
                                        }))
                        })
                ),
            ])
    }
}

/// The thread that writes, and why it could not.
private final class Writer: Sendable {
    private let outcome = Mutex<MachineError?>(nil)

    var fault: MachineError? { outcome.withLock { $0 } }

    func write(_ path: String, _ lines: Int, aSecond rate: Int) {
        note { () throws(MachineError) in
            let file = try OutputFile(path)
            try Latency.write(lines, aSecond: rate, to: file.append)
        }
    }

    func produce(_ address: String, _ topic: String, _ lines: Int, aSecond rate: Int) {
        note { () throws(MachineError) in
            let producer = try StampedProducer(address, topic: topic)
            try Latency.write(lines, aSecond: rate, to: producer.send)
            try producer.flush()
        }
    }

    private func note(_ work: () throws(MachineError) -> Void) {
        do throws(MachineError) {
            try work()
        } catch {
            outcome.withLock { $0 = error }
        }
    }
}
