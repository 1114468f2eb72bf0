internal import CRdkafka
internal import Glibc

/// Asks a broker what it holds. One thread.
@safe
package final class BrokerClient {
    /// What kind of broker answers.
    package enum Kind: String, Sendable {
        /// librdkafka's: topics appear when they are asked for, and stay.
        case mock
        case kafka
    }

    package let address: String
    private let client: OpaquePointer
    private static let patience: Int32 = 10_000

    package init(_ address: String) throws(MachineError) {
        self.address = address
        unsafe client = try makeClient(
            RD_KAFKA_CONSUMER,
            [
                "bootstrap.servers": address, "group.id": "shipper-bench", "log_level": "0",
                // The mock makes a topic for whoever asks for its partitions.
                "allow.auto.create.topics": "true",
            ])
    }

    deinit { unsafe rd_kafka_destroy(client) }

    /// What answers there: the mock gives its cluster an id that begins with its name.
    package func kind() throws(MachineError) -> Kind {
        guard let identity = unsafe rd_kafka_clusterid(client, Self.patience) else {
            throw MachineError("no broker answers at \(address)")
        }
        defer { unsafe rd_kafka_mem_free(client, identity) }
        return unsafe String(cString: identity).hasPrefix("mockCluster") ? .mock : .kafka
    }

    /// Makes a topic at a real broker; the mock makes it when it is asked for its partitions.
    package func createTopic(_ topic: String, partitions: Int) throws(MachineError) {
        var text = [CChar](repeating: 0, count: 512)
        var new = unsafe rd_kafka_NewTopic_new(topic, Int32(partitions), -1, &text, text.count)
        guard unsafe new != nil else { throw MachineError("topic \(topic): \(string(text))") }
        defer { unsafe rd_kafka_NewTopic_destroy(new) }
        let code = unsafe try administer(RD_KAFKA_EVENT_CREATETOPICS_RESULT) { options, queue in
            unsafe rd_kafka_CreateTopics(client, &new, 1, options, queue)
        } outcome: { event in
            var count = 0
            let result = unsafe rd_kafka_event_CreateTopics_result(event)
            let topics = unsafe rd_kafka_CreateTopics_result_topics(result, &count)
            return unsafe count > 0
                ? rd_kafka_topic_result_error(topics?[0]) : RD_KAFKA_RESP_ERR_NO_ERROR
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw MachineError("create topic \(topic) at \(address): \(reason(code))")
        }
    }

    /// Removes a topic of a real broker.
    package func deleteTopic(_ topic: String) throws(MachineError) {
        var old = unsafe rd_kafka_DeleteTopic_new(topic)
        guard unsafe old != nil else { throw MachineError("topic \(topic): no memory") }
        defer { unsafe rd_kafka_DeleteTopic_destroy(old) }
        let code = unsafe try administer(RD_KAFKA_EVENT_DELETETOPICS_RESULT) { options, queue in
            unsafe rd_kafka_DeleteTopics(client, &old, 1, options, queue)
        } outcome: { event in
            var count = 0
            let result = unsafe rd_kafka_event_DeleteTopics_result(event)
            let topics = unsafe rd_kafka_DeleteTopics_result_topics(result, &count)
            return unsafe count > 0
                ? rd_kafka_topic_result_error(topics?[0]) : RD_KAFKA_RESP_ERR_NO_ERROR
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw MachineError("delete topic \(topic) at \(address): \(reason(code))")
        }
    }

    /// The sum of the end offsets of all partitions: how many records were ever written to the
    /// topic. 0 also if there is no such topic yet.
    package func recordCount(_ topic: String) throws(MachineError) -> Int {
        var sum = 0
        for partition in 0..<(try partitions(topic)) {
            var low: Int64 = 0
            var high: Int64 = 0
            let code = unsafe rd_kafka_query_watermark_offsets(
                client, topic, Int32(partition), &low, &high, Self.patience)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw MachineError("end offset of \(topic) at \(address): \(reason(code))")
            }
            sum += Int(high)
        }
        return sum
    }

    /// 0: no such topic.
    package func partitions(_ topic: String) throws(MachineError) -> Int {
        guard let handle = unsafe rd_kafka_topic_new(client, topic, nil) else {
            throw MachineError("topic \(topic): \(reason(rd_kafka_last_error()))")
        }
        defer { unsafe rd_kafka_topic_destroy(handle) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(client, 0, handle, &metadata, Self.patience)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw MachineError("topics of \(address): \(reason(code))")
        }
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        guard let found = unsafe metadata?.pointee, unsafe found.topic_cnt == 1 else { return 0 }
        let (verdict, count) = unsafe (found.topics[0].err, found.topics[0].partition_cnt)
        switch verdict {
        case RD_KAFKA_RESP_ERR_NO_ERROR: return Int(count)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
            return 0
        default:
            throw MachineError("topic \(topic) at \(address): \(reason(verdict))")
        }
    }

    private func administer(
        _ type: Int32, _ call: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void,
        outcome: (OpaquePointer) -> rd_kafka_resp_err_t
    ) throws(MachineError) -> rd_kafka_resp_err_t {
        let queue = unsafe rd_kafka_queue_new(client)
        defer { unsafe rd_kafka_queue_destroy(queue) }
        unsafe call(nil, queue)
        let end = Instant.now.advanced(bySeconds: Double(Self.patience) / 1_000)
        while Instant.now < end {
            guard let event = unsafe rd_kafka_queue_poll(queue, 100) else { continue }
            defer { unsafe rd_kafka_event_destroy(event) }
            guard unsafe rd_kafka_event_type(event) == type else { continue }
            let code = unsafe rd_kafka_event_error(event)
            return unsafe code == RD_KAFKA_RESP_ERR_NO_ERROR ? outcome(event) : code
        }
        throw MachineError("\(address) does not answer a request about topics")
    }
}
