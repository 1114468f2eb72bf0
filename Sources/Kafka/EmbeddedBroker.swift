import CRdkafka

/// A Kafka cluster inside this process, for demos: librdkafka's mock cluster, which speaks the
/// protocol on loopback sockets.
///
/// It keeps about 5 MB of records a partition and then lets the oldest go, so whoever audits
/// content consumes while it is produced. Topics are created on first use, with 4 partitions.
///
/// Sendable: the cluster lives on a thread of its own. Letting go of the object ends it.
@safe
package final class EmbeddedBroker: @unchecked Sendable {
    /// `host:port`, one an entry, as `KafkaSettings.brokers` takes them.
    package let addresses: [String]

    private let client: OpaquePointer
    private let cluster: OpaquePointer

    /// Starts one broker.
    package init() throws(KafkaError) {
        let configuration = ClientConfiguration()
        try configuration.set("log_level", "0")
        let client = unsafe try configuration.makeClient(RD_KAFKA_PRODUCER)
        guard let cluster = unsafe rd_kafka_mock_cluster_new(client, 1),
            let servers = unsafe rd_kafka_mock_cluster_bootstraps(cluster)
        else {
            unsafe rd_kafka_destroy(client)
            throw .client(reason: "the embedded broker does not start: no loopback socket")
        }
        unsafe self.client = client
        unsafe self.cluster = cluster
        addresses = unsafe String(cString: servers).split(separator: ",").map(String.init)
    }

    deinit {
        // The cluster's thread uses the client, so it goes first.
        unsafe rd_kafka_mock_cluster_destroy(cluster)
        unsafe rd_kafka_destroy(client)
    }
}
