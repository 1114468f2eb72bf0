import CRdkafka

/// A Kafka cluster inside this process, for demos and tests: librdkafka's mock cluster, which
/// speaks the protocol on loopback sockets.
///
/// It keeps about 5 MB of records a partition and then lets the oldest go, so whoever audits
/// content consumes while it is produced. Topics are created on first use, with 4 partitions.
/// librdkafka 2.0.2's mock does not check idempotent producers' sequence numbers: after a fault it
/// may hold a record twice where a real broker holds it once.
///
/// Sendable: every call is handed to the cluster's own thread by librdkafka. Letting go
/// of the object ends the cluster.
@safe
package final class EmbeddedBroker: @unchecked Sendable {
    /// Requests that `failNext` makes fail, by their number in Kafka's protocol.
    package enum Request: Int16, Sendable {
        case produce = 0
        case fetch = 1
        case metadata = 3
        case initProducerID = 22
    }

    /// A verdict for tests to provoke.
    package enum Fault: Sendable {
        case none
        case topicAuthorizationFailed, notEnoughReplicas, messageTooLarge, unknownTopic
        /// The broker drops the connection instead of answering.
        case disconnect
    }

    /// Partitions of a topic made by `createTopic` without a number.
    package let partitions: Int
    /// `host:port` of every broker, separated by commas.
    package let bootstrapServers: String
    /// The same, one `host:port` an entry, as `KafkaSettings.brokers` takes them.
    package var addresses: [String] {
        bootstrapServers.split(separator: ",").map(String.init)
    }

    private let client: OpaquePointer
    private let cluster: OpaquePointer

    /// Starts `brokers` brokers, numbered from 1.
    package init(brokers: Int = 1, partitions: Int = 4) throws(KafkaError) {
        precondition(brokers > 0 && partitions > 0, "a cluster without brokers or partitions")
        let configuration = ClientConfiguration()
        try configuration.set("log_level", "0")
        let client = unsafe try configuration.makeClient(RD_KAFKA_PRODUCER)
        guard let cluster = unsafe rd_kafka_mock_cluster_new(client, Int32(brokers)),
            let servers = unsafe rd_kafka_mock_cluster_bootstraps(cluster)
        else {
            unsafe rd_kafka_destroy(client)
            throw .client(reason: "the embedded broker does not start: no loopback socket")
        }
        unsafe self.client = client
        unsafe self.cluster = cluster
        self.partitions = partitions
        bootstrapServers = unsafe String(cString: servers)
    }

    deinit {
        // The cluster's thread uses the client, so it goes first.
        unsafe rd_kafka_mock_cluster_destroy(cluster)
        unsafe rd_kafka_destroy(client)
    }

    /// Creates a topic, replicated once. A topic that exists is refused.
    package func createTopic(_ name: String, partitions: Int? = nil) throws(KafkaError) {
        let count = Int32(partitions ?? self.partitions)
        try check("create topic", name, unsafe rd_kafka_mock_topic_create(cluster, name, count, 1))
    }

    /// Makes every metadata request for the topic fail, as if it did not exist or might not be
    /// seen; `none` ends that. Creates the topic if need be.
    package func setTopic(_ name: String, _ fault: Fault) {
        unsafe rd_kafka_mock_topic_set_error(cluster, name, fault.code)
    }

    /// Cuts all connections of one broker, or of all, and takes no new ones.
    package func setDown(_ broker: Int? = nil) throws(KafkaError) {
        let code = unsafe rd_kafka_mock_broker_set_down(cluster, Int32(broker ?? -1))
        try check("stop broker", Self.name(broker), code)
    }

    /// Takes connections again.
    package func setUp(_ broker: Int? = nil) throws(KafkaError) {
        let code = unsafe rd_kafka_mock_broker_set_up(cluster, Int32(broker ?? -1))
        try check("start broker", Self.name(broker), code)
    }

    /// Delays every answer of one broker, or of all; whole milliseconds.
    package func setRoundTrip(_ broker: Int? = nil, milliseconds: Int) throws(KafkaError) {
        let code = unsafe rd_kafka_mock_broker_set_rtt(
            cluster, Int32(broker ?? -1), Int32(milliseconds))
        try check("delay broker", Self.name(broker), code)
    }

    /// The next requests of this kind fail with these faults, in turn; `none` lets one through.
    package func failNext(_ request: Request, with faults: [Fault]) {
        let codes = faults.map(\.code)
        unsafe codes.withUnsafeBufferPointer { codes in
            unsafe rd_kafka_mock_push_request_errors_array(
                cluster, request.rawValue, codes.count, codes.baseAddress)
        }
    }

    /// Forgets what `failNext` still holds.
    package func clearFaults(_ request: Request) {
        unsafe rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
    }

    private static func name(_ broker: Int?) -> String { broker.map { "\($0)" } ?? "all" }

    private func check(
        _ call: String, _ subject: String, _ code: rd_kafka_resp_err_t
    ) throws(KafkaError) {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw .call(name: call, subject: subject, reason: Verdict(code).text)
    }
}

extension EmbeddedBroker.Fault {
    fileprivate var code: rd_kafka_resp_err_t {
        switch self {
        case .none: RD_KAFKA_RESP_ERR_NO_ERROR
        case .topicAuthorizationFailed: RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
        case .notEnoughReplicas: RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS
        case .messageTooLarge: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
        case .unknownTopic: RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
        case .disconnect: RD_KAFKA_RESP_ERR__TRANSPORT
        }
    }
}
