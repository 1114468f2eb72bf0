import Platform

/// A look at the brokers and topics of a configuration, as `check --connect` takes it: whether each
/// broker can be reached, lets us in, and takes records of each topic. Nothing is written: what a
/// topic is offered is more than it takes, so that it is refused, for its size or for another
/// reason; or, where it is not told how much that is, it is offered as no broker takes it.
package struct ClusterLook {
    /// One thing that was looked at.
    package struct Finding: Hashable, Sendable {
        /// The broker or topic and what there is to say of it, in one line.
        package let text: String
        /// Whether lines could not be delivered like this.
        package let isFault: Bool

        package init(text: String, isFault: Bool) {
            self.text = text
            self.isFault = isFault
        }
    }

    /// The look ends after this, whatever does not answer.
    private static let patience: Int64 = 9_000_000_000
    /// Of that, how long there is for the first answer of a broker.
    private static let reaching: Int64 = 5_000_000_000
    /// How long a broker that was in trouble may try again: a name may have several addresses.
    private static let trying: Int64 = 1_500_000_000
    /// A larger record is not sent for the sake of a question.
    private static let mostOffered = 4 << 20
    /// Brokers and topics that are looked at; there is a time for all of it.
    private static let mostBrokers = 32
    private static let mostTopics = 50

    private let settings: KafkaSettings
    private let begin = Clock.monotonicNanoseconds()
    private var findings: [Finding] = []
    /// Addresses that a fault was told of.
    private var away: Set<String> = []

    /// Looks, and tells what it found, in order.
    package static func at(
        _ settings: KafkaSettings, topics: [String]
    ) throws(KafkaError) -> [Finding] {
        var look = ClusterLook(settings: settings)
        try look.run(topics)
        return look.findings
    }

    private init(settings: KafkaSettings) { self.settings = settings }

    private var elapsed: Int64 { Clock.monotonicNanoseconds() - begin }
    private var isOver: Bool { elapsed >= Self.patience }

    private mutating func good(_ text: String) {
        findings.append(Finding(text: text, isFault: false))
    }
    private mutating func bad(_ text: String) {
        findings.append(Finding(text: text, isFault: true))
    }

    private mutating func run(_ topics: [String]) throws(KafkaError) {
        var clients: [(address: String, client: ProbeClient)] = []
        defer { for (_, client) in clients { client.close() } }
        for address in settings.brokers.prefix(Self.mostBrokers) {
            var one = settings
            one.brokers = [address]
            clients.append((address, try ProbeClient(one, longest: Self.mostOffered)))
        }
        guard let (client, cluster) = reach(clients) else { return }
        let makesTopics = look(at: cluster.nodes, client)
        try look(at: topics, in: cluster, client, makesTopics: makesTopics)
        let left = max(0, topics.count - Self.mostTopics)
        if left > 0 { good("topics: \(left) more are not looked at") }
    }

    // MARK: Brokers

    /// Each of the brokers by itself: what one of them tells hides what keeps us from another. The
    /// first that answers, and what it tells.
    private mutating func reach(
        _ clients: [(address: String, client: ProbeClient)]
    ) -> (ProbeClient, ProbeClient.Cluster)? {
        var answered: [Int: ProbeClient.Cluster] = [:]
        var troubledSince: [Int: Int64] = [:]
        var pending = Array(clients.indices)
        while !pending.isEmpty, elapsed < Self.reaching {
            for index in pending {
                let client = clients[index].client
                if let cluster = client.cluster(within: 100) {
                    answered[index] = cluster
                } else if !client.troubled.isEmpty, troubledSince[index] == nil {
                    troubledSince[index] = elapsed
                }
            }
            pending.removeAll { index in
                answered[index] != nil
                    || troubledSince[index].map { elapsed - $0 > Self.trying } ?? false
            }
        }
        let proof = [settings.tls.map { _ in "TLS" }, settings.sasl?.mechanism].compactMap(\.self)
        let way = proof.isEmpty ? "" : ", " + proof.joined(separator: ", ")
        for (index, (address, client)) in clients.enumerated() {
            if answered[index] != nil {
                good("broker \(address): answers\(way)")
                continue
            }
            away.insert(address)
            if let trouble = client.troubled.first?.value {
                bad("broker \(address): \(trouble.advice) (\(trouble.text))")
            } else if let fault = settings.tokenFault {
                bad("broker \(address): \(BrokerTrouble.Cause.noToken.advice) (\(fault))")
            } else {
                bad("broker \(address): does not answer")
            }
        }
        guard let first = answered.keys.min(), let cluster = answered[first] else { return nil }
        return (clients[first].client, cluster)
    }

    /// Every broker of the cluster, at the address that the cluster has for it. Whether they make
    /// topics by themselves; nil where they do not say.
    private mutating func look(
        at nodes: [ProbeClient.Node], _ client: ProbeClient
    ) -> Bool? {
        let nodes = nodes.sorted { $0.id < $1.id }.prefix(Self.mostBrokers)
        for node in nodes { client.describe(broker: node.id) }
        var answers: [String: ProbeClient.Answer] = [:]
        let until = elapsed + 2_500_000_000
        while answers.count < nodes.count, elapsed < until, !isOver {
            for answer in client.answers(within: 100) { answers[answer.name] = answer }
            client.listen(milliseconds: 0)
        }
        // What keeps us from one of the configuration was told.
        for node in nodes where answers["\(node.id)"] == nil && !away.contains(node.address) {
            let trouble = client.troubled[node.address]
            let why = trouble.map { "\($0.advice) (\($0.text))" } ?? "does not answer"
            bad("broker \(node.id) of the cluster, \(node.address): \(why)")
        }
        good(
            "cluster: \(nodes.count) brokers, \(answers.count) of them answer at the addresses that "
                + "it has for them")
        let values = answers.values.compactMap { $0.values["auto.create.topics.enable"] }
        return values.isEmpty ? nil : values.allSatisfy { $0 == "true" }
    }

    // MARK: Topics

    private mutating func look(
        at topics: [String], in cluster: ProbeClient.Cluster, _ client: ProbeClient,
        makesTopics: Bool?
    ) throws(KafkaError) {
        let topics = topics.prefix(Self.mostTopics)
        let there = topics.filter { cluster.topics[$0] != nil }
        for topic in there { client.describe(topic: topic) }
        var settings: [String: ProbeClient.Answer] = [:]
        while settings.count < there.count, !isOver {
            for answer in client.answers(within: 100) where there.contains(answer.name) {
                settings[answer.name] = answer
            }
        }
        func limit(_ topic: String) -> Int? {
            settings[topic]?.values["max.message.bytes"].flatMap { Int($0) }
        }
        var sized: [(String, Int)] = []
        var unsized: [(String, Int)] = []
        for topic in there {
            if let limit = limit(topic), limit < Self.mostOffered {
                sized.append((topic, limit + 1))
            } else if limit(topic) != nil || settings[topic]?.verdict == .forbidden {
                // It takes more than is offered here, or how much is not for this user. Of one that
                // did not answer it is not known whether its broker refuses what has no effect.
                unsized.append((topic, Self.mostOffered))
            }
        }
        offer(sized, by: client)
        var verdicts = client.verdicts
        var fatal = client.fatal
        if !unsized.isEmpty, !isOver {
            let asker = try ProbeClient(
                self.settings, longest: Self.mostOffered, .withoutEffect)
            defer { asker.close() }
            offer(unsized, by: asker)
            verdicts.merge(asker.verdicts) { _, new in new }
            fatal = fatal ?? asker.fatal
        }
        for topic in topics {
            guard let seen = cluster.topics[topic] else {
                absent(topic, makesTopics: makesTopics)
                continue
            }
            tell(
                topic, seen, settings[topic], written: written(verdicts[topic], fatal: fatal))
        }
    }

    /// Offers each topic a record of so many bytes, and waits for what becomes of it.
    private func offer(_ topics: [(name: String, bytes: Int)], by client: ProbeClient) {
        for topic in topics {
            guard !isOver, client.fatal == nil else { return }
            client.offer(topic.bytes, to: topic.name)
            // One at a time: they are as large as records can be.
            while client.verdicts[topic.name] == nil, client.fatal == nil, !isOver {
                client.listen(milliseconds: 100)
            }
        }
    }

    private mutating func absent(_ topic: String, makesTopics: Bool?) {
        if makesTopics == true {
            good("topic \(topic): is not there; brokers make it with its first record")
        } else {
            bad(
                "topic \(topic): is not there, or not for this user; create it, or let the user "
                    + "describe and write it")
        }
    }

    /// Whether it can be written, in words, and whether that is a fault.
    private func written(_ verdict: Verdict?, fatal: String?) -> (text: String, isFault: Bool) {
        if let fatal { return ("cannot be written by this user: \(fatal)", true) }
        guard let verdict else { return ("not known whether it can be written", false) }
        if verdict.failure == .size || verdict == .unknownAcknowledgement {
            return ("can be written", false)
        }
        return ("cannot be written: \(verdict.name): \(verdict.text)", true)
    }

    private mutating func tell(
        _ topic: String, _ seen: ProbeClient.Topic, _ settings: ProbeClient.Answer?,
        written: (text: String, isFault: Bool)
    ) {
        let values = settings?.values ?? [:]
        var parts = ["\(seen.partitions) partitions", "\(seen.replicas) replicas"]
        var faults: [String] = []
        if seen.leaderless > 0 {
            faults.append("\(seen.leaderless) partitions have no leader")
        }
        if let least = values["min.insync.replicas"].flatMap({ Int($0) }) {
            parts.append("min.insync.replicas \(least)")
            if least > seen.replicas {
                faults.append(
                    "min.insync.replicas is more than its replicas, so nothing is acknowledged")
            } else if least > seen.inSync {
                faults.append("only \(seen.inSync) replicas are in sync")
            }
        }
        if let limit = values["max.message.bytes"].flatMap({ Int($0) }) {
            parts.append("max.message.bytes \(limit)")
        } else if settings?.verdict == .forbidden {
            parts.append("its limits are not for this user (DESCRIBE_CONFIGS)")
        } else {
            parts.append("its limits are not known")
        }
        if written.isFault { faults.append(written.text) } else { parts.append(written.text) }
        let line = "topic \(topic): " + (faults + parts).joined(separator: ", ")
        if faults.isEmpty { good(line) } else { bad(line) }
    }
}
