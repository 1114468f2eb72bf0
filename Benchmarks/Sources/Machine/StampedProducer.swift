internal import CRdkafka
internal import Glibc

/// librdkafka without anybody before it: what is left of a line's age is the broker's and the
/// consumer's. One thread.
@safe
package final class StampedProducer {
    private let client: OpaquePointer
    private let topic: OpaquePointer
    private let address: String

    /// Waits 5 ms for more records, as librdkafka does by default: alone, each would be a request and
    /// the broker the bottleneck. Records are to be acknowledged by all replicas.
    package init(_ address: String, topic name: String) throws(MachineError) {
        self.address = address
        let client = unsafe try makeClient(
            RD_KAFKA_PRODUCER,
            [
                "bootstrap.servers": address, "linger.ms": "5", "acks": "all",
                "compression.codec": "lz4", "log_level": "0",
            ])
        unsafe self.client = client
        guard let topic = unsafe rd_kafka_topic_new(client, name, nil) else {
            unsafe rd_kafka_destroy(client)
            throw MachineError("topic \(name): \(reason(rd_kafka_last_error()))")
        }
        unsafe self.topic = topic
    }

    deinit {
        unsafe rd_kafka_topic_destroy(topic)
        unsafe rd_kafka_destroy(client)
    }

    /// Hands over one record, which is copied, to the first partition.
    package func send(_ record: [UInt8]) throws(MachineError) {
        let code = unsafe record.withUnsafeBytes { bytes in
            unsafe rd_kafka_produce(
                topic, 0, RD_KAFKA_MSG_F_COPY,
                UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, nil, 0, nil)
        }
        guard code == 0 else {
            throw MachineError("produce at \(address): \(reason(rd_kafka_last_error()))")
        }
        unsafe rd_kafka_poll(client, 0)
    }

    /// Waits until everything is acknowledged.
    package func flush() throws(MachineError) {
        let code = unsafe rd_kafka_flush(client, 30_000)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw MachineError("flush at \(address): \(reason(code))")
        }
    }
}
