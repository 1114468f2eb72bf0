internal import CRdkafka
internal import Glibc

/// Takes records in which the writer has put a stamp, and tells how old they were when they came. One
/// thread.
@safe
package final class StampedConsumer {
    /// A record that came.
    package struct Arrival: Hashable, Sendable {
        /// Nanoseconds since it was written.
        package let age: Int64
        /// The stamp's.
        package let number: Int

        package init(age: Int64, number: Int) {
            self.age = age
            self.number = number
        }
    }

    private let client: OpaquePointer
    private let queue: OpaquePointer
    private var batch: [UnsafeMutablePointer<rd_kafka_message_t>?]

    /// Reads all `partitions` of the topic from their beginning. The broker's answer is delayed by
    /// `wait` at most where there is nothing to give.
    package init(
        _ address: String, topic: String, partitions: Int, waitMilliseconds wait: Int
    ) throws(MachineError) {
        unsafe batch = Array(repeating: nil, count: 1_000)
        let client = unsafe try makeClient(
            RD_KAFKA_CONSUMER,
            [
                "bootstrap.servers": address, "group.id": "shipper-bench", "log_level": "0",
                "fetch.wait.max.ms": "\(wait)", "fetch.error.backoff.ms": "0",
                "enable.auto.commit": "false", "auto.offset.reset": "earliest",
            ])
        unsafe self.client = client
        unsafe rd_kafka_poll_set_consumer(client)
        unsafe queue = rd_kafka_queue_get_consumer(client)
        let list = unsafe rd_kafka_topic_partition_list_new(Int32(partitions))
        defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
        for partition in 0..<partitions {
            let added = unsafe rd_kafka_topic_partition_list_add(list, topic, Int32(partition))
            unsafe added?.pointee.offset = 0
        }
        let code = unsafe rd_kafka_assign(client, list)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw MachineError("consume \(topic) at \(address): \(reason(code))")
        }
    }

    deinit {
        unsafe rd_kafka_queue_destroy(queue)
        unsafe rd_kafka_consumer_close(client)
        unsafe rd_kafka_destroy(client)
    }

    /// Waits at most so long for records and tells of each that came; a record without a stamp is an
    /// error.
    package func take(
        milliseconds: Int, _ each: (Arrival) -> Void
    ) throws(MachineError) {
        // A batch is waited for until it is full: so one record first, and then what is there.
        unsafe batch[0] = rd_kafka_consume_queue(queue, Int32(milliseconds))
        guard unsafe batch[0] != nil else { return }
        let more = unsafe batch.withUnsafeMutableBufferPointer { batch in
            let rest = unsafe UnsafeMutableBufferPointer(rebasing: batch[1...])
            return unsafe rd_kafka_consume_batch_queue(queue, 0, rest.baseAddress, rest.count)
        }
        let count = 1 + more
        guard more >= 0 else { throw MachineError("consume: \(reason(rd_kafka_last_error()))") }
        let now = Instant.now.nanoseconds
        var unstamped: String?
        for index in 0..<Int(count) {
            guard let message = unsafe batch[index] else { continue }
            defer { unsafe rd_kafka_message_destroy(message) }
            // An error here is the end of a partition or a connection that comes again.
            guard unsafe message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let payload = unsafe UnsafeRawBufferPointer(
                start: message.pointee.payload, count: message.pointee.len)
            if let stamp = unsafe Stamp(in: payload) {
                each(Arrival(age: now - stamp.nanoseconds, number: stamp.number))
            } else {
                unstamped = unsafe String(decoding: payload.prefix(80), as: UTF8.self)
            }
        }
        if let unstamped { throw MachineError("a record without a stamp: \(unstamped)") }
    }
}
