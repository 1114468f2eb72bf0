import Machine

/// What all modes need: a broker, a scratch directory, the contenders that are there.
final class Stage {
    let options: Options
    let progress: Progress
    let directory: String
    let broker: BrokerClient
    let present: [Contender]
    let absent: [(name: String, reason: String)]
    /// Nil: the broker is somebody else's.
    private let mock: MockCluster?
    let kind: BrokerClient.Kind
    /// No other benchmark at the same broker has it in its topics' names.
    private let tag = String(Instant.now.nanoseconds, radix: 36)
    private var topics = 0

    /// Of each topic.
    var partitions: Int {
        options.partitions ?? ([.node, .scale].contains(options.mode) ? 30 : 4)
    }
    private static func brokers(_ options: Options) -> Int {
        options.brokers ?? (options.mode == .node ? 3 : 1)
    }

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
            let mock = try MockCluster(brokers: Self.brokers(options), directory: directory)
            self.mock = mock
            broker = try BrokerClient(mock.address)
        }
        kind = try broker.kind()
    }

    /// A topic that nobody has written to.
    func makeTopic() throws(MachineError) -> String {
        topics += 1
        let topic = "bench-\(tag)-\(topics)"
        try mock?.makeTopic(topic, partitions: partitions)
        if kind == .kafka { try broker.createTopic(topic, partitions: partitions) }
        let end = Instant.now.advanced(bySeconds: 30)
        while true {
            let found = try broker.partitions(topic)
            if found == partitions { return topic }
            let place = "topic \(topic) at \(broker.address)"
            // A mock of somebody else makes it with the partitions that it likes.
            guard found == 0 else {
                throw MachineError("\(place) has \(found) partitions, not \(partitions)")
            }
            guard Instant.now < end else { throw MachineError("\(place) does not appear") }
            Instant.now.advanced(bySeconds: 0.01).sleep()
        }
    }

    /// Takes it away again, where that can be done.
    func dropTopic(_ topic: String) throws(MachineError) {
        if kind == .kafka { try broker.deleteTopic(topic) }
    }

    /// How many requests with records came to the broker so far; nil: it does not tell.
    func produceRequests() throws(MachineError) -> Int? { try mock?.produceRequests() }

    /// The last line that a program wrote to its log.
    static func lastWords(_ log: String) throws(MachineError) -> String? {
        try readText(log).split(separator: "\n").last.map { String($0.prefix(300)) }
    }

    /// A new empty directory.
    func makeDirectory(_ name: String) throws(MachineError) -> String {
        let path = directory + "/" + name
        try Machine.makeDirectory(path)
        return path
    }

    var brokerDescription: String {
        let count = Self.brokers(options)
        let name =
            kind == .kafka
            ? "Kafka"
            : mock == nil || count == 1
                ? "librdkafka's mock broker" : "\(count) of librdkafka's mock brokers"
        let place =
            options.broker.map { " at \($0)" }
            ?? (count == 1 ? " in its own process" : " in a process of their own")
        return "\(name)\(place), \(partitions) partitions"
    }

    /// What every mode tells of the machine, in JSON.
    /// What has to be known of figures, beneath each table: `subject` are lines of the mode's own.
    func footer(
        _ facts: MachineFacts, _ date: String, load: String, _ subject: String, _ command: [String]
    ) -> String {
        """

        date: \(date), load average \(load)
        machine: \(facts.description)
        \(subject)
        broker: \(brokerDescription), librdkafka \(librdkafkaVersion)
        command: \(command.joined(separator: " "))

        """
    }

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
                    ("partitions", .count(partitions)),
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
