import Machine

/// What all modes need: a broker, a scratch directory, the contenders that are there.
final class Stage {
    let options: Options
    let progress: Progress
    let directory: String
    let broker: BrokerClient
    let present: [Contender]
    let absent: [(name: String, reason: String)]
    /// Ends when this object goes.
    private let mock: ChildProcess?
    let kind: BrokerClient.Kind
    /// No other benchmark at the same broker has it in its topics' names.
    private let tag = String(Instant.now.nanoseconds, radix: 36)
    private var topics = 0

    static let partitions = 4

    init(_ options: Options, _ progress: Progress) throws(MachineError) {
        self.options = options
        self.progress = progress
        directory = try Scene.directory()
        var present: [Contender] = []
        var absent: [(name: String, reason: String)] = []
        for key in options.contenders {
            switch try key.find(options.shipper) {
            case .present(let contender): present.append(contender)
            case .absent(let name, let reason): absent.append((name: name, reason: reason))
            }
        }
        self.present = present
        self.absent = absent
        if let address = options.broker {
            mock = nil
            broker = try BrokerClient(address)
        } else {
            let started = try Self.startMock(directory)
            mock = started.process
            broker = try BrokerClient(started.address)
        }
        kind = try broker.kind()
    }

    private static func startMock(
        _ directory: String
    ) throws(MachineError) -> (process: ChildProcess, address: String) {
        let path = directory + "/broker"
        let process = try ChildProcess(
            [try ownProgram(), "broker"], output: .file(path), errors: .file(path), feeding: true)
        let end = Instant.now.advanced(bySeconds: 30)
        while Instant.now < end {
            let text = try readText(path)
            if let newline = text.firstIndex(of: "\n") {
                return (process, String(text[..<newline]))
            }
            if try process.wait(milliseconds: 10) != nil { break }
        }
        throw MachineError("the mock broker does not start: \(try readText(path))")
    }

    /// A topic that nobody has written to.
    func makeTopic() throws(MachineError) -> String {
        topics += 1
        let topic = "bench-\(tag)-\(topics)"
        if kind == .kafka { try broker.createTopic(topic, partitions: Self.partitions) }
        let end = Instant.now.advanced(bySeconds: 30)
        while try broker.partitions(topic) == 0 {
            guard Instant.now < end else {
                throw MachineError("topic \(topic) does not appear at \(broker.address)")
            }
            Instant.now.advanced(bySeconds: 0.01).sleep()
        }
        return topic
    }

    /// Takes it away again, where that can be done.
    func dropTopic(_ topic: String) throws(MachineError) {
        if kind == .kafka { try broker.deleteTopic(topic) }
    }

    /// A new empty directory.
    func makeDirectory(_ name: String) throws(MachineError) -> String {
        let path = directory + "/" + name
        try Machine.makeDirectory(path)
        return path
    }

    var brokerDescription: String {
        let name = kind == .mock ? "librdkafka's mock broker" : "Kafka"
        let place = options.broker.map { " at \($0)" } ?? " in its own process"
        return "\(name)\(place), \(Self.partitions) partitions"
    }

    /// What every mode tells of the machine, in JSON.
    func header(
        _ mode: Options.Mode, _ facts: MachineFacts, _ date: String, _ command: [String]
    ) -> [(String, JSON)] {
        [
            ("format", .text("shipper-bench 1")), ("mode", .text(mode.rawValue)),
            ("date", .text(date)), ("command", .text(command.joined(separator: " "))),
            ("machine", facts.json),
            (
                "broker",
                .object([
                    ("kind", .text(kind.rawValue)),
                    ("own", .bool(options.broker == nil)), ("address", .text(broker.address)),
                    ("partitions", .count(Self.partitions)),
                    ("librdkafka", .text(librdkafkaVersion)),
                ])
            ),
            (
                "absent",
                .list(
                    absent.map {
                        .object([("name", .text($0.name)), ("reason", .text($0.reason))])
                    })
            ),
        ]
    }

    /// One line for each contender that is not there.
    var absentLines: String {
        absent.map { "\($0.name): absent (\($0.reason))\n" }.joined()
    }
}
