import CRdkafka
import Platform

/// A client that asks and writes nothing: for a look at a cluster. Used and closed by one thread.
@safe
final class ProbeClient {
    /// A broker as the cluster tells of it.
    struct Node {
        let id: Int32
        let address: String
    }

    /// A topic as the cluster tells of it.
    struct Topic {
        var partitions = 0
        var leaderless = 0
        /// Of the partition that has fewest.
        var replicas = Int.max
        var inSync = Int.max
    }

    /// What a broker that answered knows of the cluster.
    struct Cluster {
        var nodes: [Node] = []
        /// Those that this client may see.
        var topics: [String: Topic] = [:]
    }

    /// What was set of which topic or broker; an answer to `describe`.
    struct Answer {
        let name: String
        let verdict: Verdict
        let values: [String: String]
    }

    private let client: OpaquePointer
    private let events: OpaquePointer
    private let answers: OpaquePointer
    private var isClosed = false
    private var troubles = BrokerTroubles()
    private var token: TokenFile?
    /// What keeps it from which broker, the latest of each.
    private(set) var troubled: [String: BrokerTrouble] = [:]
    /// Verdicts on records that were offered, by topic.
    private(set) var verdicts: [String: Verdict] = [:]
    /// The client is dead, and why.
    private(set) var fatal: String?

    /// How a record is offered.
    enum Offer {
        /// As every record is: one that is larger than its topic takes is refused for its size.
        case asUsual
        /// For two acknowledgements, which brokers have not known since 0.9: whoever may write is
        /// refused for that, before anything is written, and who may not for that.
        case withoutEffect
    }

    init(
        _ settings: KafkaSettings, longest: Int, _ offer: Offer = .asUsual
    ) throws(KafkaError) {
        let configuration = try ClientConfiguration.producer(settings, connecting: true)
        switch offer {
        case .asUsual: break
        case .withoutEffect:
            try configuration.set("enable.idempotence", "false")
            try configuration.set("acks", "2")
            try configuration.set("message.send.max.retries", "0")
        }
        // A record of the most that is offered has to get to the broker that refuses it.
        try configuration.set("message.max.bytes", "\(longest + 10_000)")
        try configuration.set("compression.codec", "none")
        // Who looks for ten seconds tries again at once.
        try configuration.set("reconnect.backoff.max.ms", "500")
        token = settings.sasl?.token.map(TokenFile.init)
        configuration.enableEvents(tokens: token != nil)
        unsafe client = try configuration.makeClient(RD_KAFKA_PRODUCER)
        let code = unsafe rd_kafka_set_log_queue(client, nil)
        precondition(code == RD_KAFKA_RESP_ERR_NO_ERROR, "log.queue is set, yet refused")
        unsafe events = rd_kafka_queue_get_main(client)
        unsafe answers = rd_kafka_queue_new(client)
    }

    deinit { precondition(isClosed, "a Kafka client was left without closing it") }

    func close() {
        precondition(!isClosed, "a Kafka client was closed twice")
        isClosed = true
        _ = unsafe rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        unsafe rd_kafka_queue_destroy(answers)
        unsafe rd_kafka_queue_destroy(events)
        unsafe rd_kafka_destroy(client)
    }

    /// What the cluster is like; nil where no broker told within `milliseconds`. All topics are
    /// asked for, since to ask for one can make it.
    func cluster(within milliseconds: Int32) -> Cluster? {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(client, 1, nil, &metadata, milliseconds)
        listen(milliseconds: 0)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let found = unsafe metadata?.pointee else {
            return nil
        }
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        var cluster = Cluster()
        for index in 0..<Int(unsafe found.broker_cnt) {
            let broker = unsafe found.brokers[index]
            cluster.nodes.append(
                Node(
                    id: unsafe broker.id,
                    address: unsafe "\(String(cString: broker.host)):\(broker.port)"))
        }
        for index in 0..<Int(unsafe found.topic_cnt) {
            let topic = unsafe found.topics[index]
            var seen = Topic(partitions: Int(unsafe topic.partition_cnt))
            for index in 0..<seen.partitions {
                let partition = unsafe topic.partitions[index]
                if unsafe partition.leader < 0 { seen.leaderless += 1 }
                seen.replicas = min(seen.replicas, Int(unsafe partition.replica_cnt))
                seen.inSync = min(seen.inSync, Int(unsafe partition.isr_cnt))
            }
            unsafe cluster.topics[String(cString: topic.topic)] = seen
        }
        return cluster
    }

    /// Asks what is set of a topic, or of the broker with this number.
    func describe(topic: String) { describe(RD_KAFKA_RESOURCE_TOPIC, topic) }

    func describe(broker: Int32) { describe(RD_KAFKA_RESOURCE_BROKER, "\(broker)") }

    private func describe(_ type: rd_kafka_ResourceType_t, _ name: String) {
        guard let resource = unsafe rd_kafka_ConfigResource_new(type, name) else { return }
        defer { unsafe rd_kafka_ConfigResource_destroy(resource) }
        let options = unsafe rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)
        defer { if let options = unsafe options { unsafe rd_kafka_AdminOptions_destroy(options) } }
        var resources: [OpaquePointer?] = unsafe [resource]
        unsafe resources.withUnsafeMutableBufferPointer { resources in
            unsafe rd_kafka_DescribeConfigs(client, resources.baseAddress, 1, options, answers)
        }
    }

    /// The next answers to `describe`; none where none came in time.
    func answers(within milliseconds: Int32) -> [Answer] {
        guard let raw = unsafe rd_kafka_queue_poll(answers, milliseconds) else { return [] }
        return unsafe ClientEvent(owning: raw).answers
    }

    /// Offers one record of this many bytes.
    func offer(_ bytes: Int, to topic: String) {
        guard let raw = unsafe rd_kafka_topic_new(client, topic, nil) else {
            verdicts[topic] = Verdict(rd_kafka_last_error())
            return
        }
        defer { unsafe rd_kafka_topic_destroy(raw) }
        var value = [UInt8](repeating: UInt8(ascii: "x"), count: bytes)
        let result = unsafe value.withUnsafeMutableBytes { value in
            unsafe rd_kafka_produce(
                raw, -1, RD_KAFKA_MSG_F_COPY, value.baseAddress, value.count, "shipper", 7, nil)
        }
        if result != 0 { verdicts[topic] = Verdict(rd_kafka_last_error()) }
    }

    /// Hears what the client has to tell, for so long at the most.
    func listen(milliseconds: Int32) {
        var patience = milliseconds
        while let raw = unsafe rd_kafka_queue_poll(events, patience) {
            patience = 0
            let event = unsafe ClientEvent(owning: raw)
            switch event.kind {
            case .log:
                guard let line = event.logLine else { continue }
                troubles.heard(facility: line.facility, line.text)
            case .error:
                if event.isFatal { fatal = event.errorText }
                guard let trouble = troubles.heard(event.errorText, now: 0) else { continue }
                troubled[trouble.broker] = trouble
            case .deliveries:
                for (topic, verdict) in event.verdicts { verdicts[topic] = verdict }
            case .tokenWanted: _ = unsafe token?.renew(of: client, isAsking: true)
            case .limits, .other: continue
            }
        }
    }
}

extension ClientEvent {
    /// The verdicts on records that belong to no batch.
    fileprivate var verdicts: [(topic: String, verdict: Verdict)] {
        var verdicts: [(topic: String, verdict: Verdict)] = []
        unsafe withRaw { raw in
            while let message = unsafe rd_kafka_event_message_next(raw) {
                let name = unsafe String(cString: rd_kafka_topic_name(message.pointee.rkt))
                verdicts.append((name, Verdict(unsafe message.pointee.err)))
            }
        }
        return verdicts
    }

    fileprivate var answers: [ProbeClient.Answer] {
        unsafe withRaw { raw in
            guard let result = unsafe rd_kafka_event_DescribeConfigs_result(raw) else { return [] }
            var count = 0
            let resources = unsafe rd_kafka_DescribeConfigs_result_resources(result, &count)
            return (0..<count).compactMap { index in
                guard let resource = unsafe resources?[index],
                    let name = unsafe rd_kafka_ConfigResource_name(resource)
                else { return nil }
                let verdict = Verdict(unsafe rd_kafka_ConfigResource_error(resource))
                return unsafe ProbeClient.Answer(
                    name: String(cString: name), verdict: verdict, values: Self.values(resource))
            }
        }
    }

    private static func values(_ resource: OpaquePointer) -> [String: String] {
        var count = 0
        var values: [String: String] = [:]
        let entries = unsafe rd_kafka_ConfigResource_configs(resource, &count)
        for index in 0..<count {
            guard let entry = unsafe entries?[index],
                let key = unsafe rd_kafka_ConfigEntry_name(entry),
                let value = unsafe rd_kafka_ConfigEntry_value(entry)
            else { continue }
            unsafe values[String(cString: key)] = unsafe String(cString: value)
        }
        return values
    }
}
