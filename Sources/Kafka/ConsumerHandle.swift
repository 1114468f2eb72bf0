import CRdkafka
import Platform

/// One librdkafka consumer without a group: partitions are read from their beginning into one
/// queue.
///
/// Made on one thread and then used and closed by one other; hence unchecked Sendable.
@safe
final class ConsumerHandle: @unchecked Sendable {
    private let client: OpaquePointer
    private let queue: OpaquePointer
    private var isClosed = false
    /// Topics that are read, and how many of their partitions.
    private var started: [String: (raw: OpaquePointer, partitions: Int)] = unsafe [:]
    /// The names behind the topic pointers that messages carry.
    private var names: [OpaquePointer: String] = unsafe [:]
    private let capacity = 1000
    private let page: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>

    init(brokers: [String], properties: [KafkaSettings.Property]) throws(KafkaError) {
        let configuration = ClientConfiguration()
        for (name, value) in Self.defaults { try configuration.set(name, value) }
        for property in properties { try configuration.set(property.name, property.value) }
        try configuration.set("bootstrap.servers", brokers.joined(separator: ","))
        unsafe client = try configuration.makeClient(
            RD_KAFKA_CONSUMER, named: properties.map(\.name))
        unsafe queue = rd_kafka_queue_new(client)
        unsafe page = .allocate(capacity: capacity)
        unsafe page.initialize(repeating: nil, count: capacity)
    }

    deinit {
        precondition(isClosed, "a Kafka consumer was left without closing it")
        unsafe page.deallocate()
    }

    private static let defaults: [(String, String)] = [
        ("client.id", "shipper-audit"),
        ("log_level", "0"),
        ("auto.offset.reset", "earliest"),
        ("check.crcs", "true"),
        // An audit keeps up with the producer, or the embedded broker has let records go.
        ("fetch.wait.max.ms", "10"),
        ("fetch.error.backoff.ms", "10"),
        ("queued.max.messages.kbytes", "16384"),
    ]

    /// How many partitions each of `topics` has, or each topic there is but Kafka's own.
    func partitions(
        _ topics: Set<String>?, within milliseconds: Int32
    ) throws(KafkaError) -> [String: Int] {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(client, 1, nil, &metadata, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let found = unsafe metadata else {
            throw .call(name: "metadata", subject: "of all topics", reason: Verdict(code).text)
        }
        defer { unsafe rd_kafka_metadata_destroy(found) }
        var counts: [String: Int] = [:]
        for index in 0..<Int(unsafe found.pointee.topic_cnt) {
            let topic = unsafe found.pointee.topics[index]
            guard unsafe topic.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let name = unsafe String(cString: topic.topic)
            let isWanted = topics.map { $0.contains(name) } ?? !name.hasPrefix("__")
            if isWanted { counts[name] = Int(unsafe topic.partition_cnt) }
        }
        return counts
    }

    /// An end of a partition, by the number that Kafka's protocol has for it.
    enum Boundary: Int64 {
        case first = -2
        case next = -1
    }

    /// The offset at one end of every partition, summed for each topic; `partitions` says how many
    /// each has.
    ///
    /// 1. A broker that leads a partition dies, and for a moment is still named as the leader.
    /// 2. `rd_kafka_query_watermark_offsets`, made for this, asks it; before librdkafka 2.3.0 it
    ///    then waits for ever, whatever its time limit.
    ///
    /// Asking for the offsets of the two times that stand for the ends keeps to the limit.
    func offsets(
        at boundary: Boundary, of partitions: [String: Int], within milliseconds: Int32
    ) throws(KafkaError) -> [String: Int64] {
        var sums = partitions.mapValues { _ in Int64(0) }
        let count = partitions.values.reduce(0, +|)
        // Nothing to ask is an error to librdkafka.
        if count == 0 { return sums }
        guard let list = unsafe rd_kafka_topic_partition_list_new(Int32(clamping: count)) else {
            throw .call(name: "offsets", subject: "of \(count) partitions", reason: "no memory")
        }
        defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
        for (topic, partitions) in partitions {
            for partition in 0..<partitions {
                let entry = unsafe rd_kafka_topic_partition_list_add(list, topic, Int32(partition))
                unsafe entry?.pointee.offset = boundary.rawValue
            }
        }
        let code = unsafe rd_kafka_offsets_for_times(client, list, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let subject = "of \(partitions.keys.sorted().joined(separator: ", "))"
            throw .call(name: "offsets", subject: subject, reason: Verdict(code).text)
        }
        for index in 0..<count {
            let entry = unsafe list.pointee.elems[index]
            let topic = unsafe String(cString: entry.topic)
            guard unsafe entry.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let subject = unsafe "of \(topic) [\(entry.partition)]"
                throw .call(
                    name: "offsets", subject: subject, reason: Verdict(unsafe entry.err).text)
            }
            unsafe sums[topic, default: 0] +|= entry.offset
        }
        return sums
    }

    /// Lets the client work; it has nothing to say here.
    func idle(milliseconds: Int32) { unsafe rd_kafka_poll(client, milliseconds) }

    /// Begins to read those of the first `partitions` of a topic that are not read yet; returns how
    /// many.
    func start(_ topic: String, partitions: Int) throws(KafkaError) -> Int {
        var entry: (raw: OpaquePointer, partitions: Int)
        if let known = unsafe started[topic] {
            unsafe entry = unsafe known
        } else {
            guard let raw = unsafe rd_kafka_topic_new(client, topic, nil) else {
                let reason = Verdict(rd_kafka_last_error()).text
                throw .call(name: "topic", subject: topic, reason: reason)
            }
            unsafe entry = unsafe (raw, 0)
            unsafe names[raw] = topic
        }
        let before = unsafe entry.partitions
        defer { unsafe started[topic] = unsafe entry }
        while unsafe entry.partitions < partitions {
            let beginning: Int64 = -2  // RD_KAFKA_OFFSET_BEGINNING, a macro that is not imported
            let failed = unsafe rd_kafka_consume_start_queue(
                entry.raw, Int32(entry.partitions), beginning, queue)
            guard failed == 0 else {
                let reason = Verdict(rd_kafka_last_error()).text
                let subject = unsafe "\(topic) [\(entry.partitions)]"
                throw .call(name: "consume", subject: subject, reason: reason)
            }
            unsafe entry.partitions += 1
        }
        return unsafe entry.partitions - before
    }

    /// Takes what has come, at most one page, waiting for it at most `milliseconds`.
    func consume(within milliseconds: Int32, _ body: (borrowing ConsumedMessage) -> Void) {
        let count = unsafe rd_kafka_consume_batch_queue(queue, milliseconds, page, capacity)
        guard count > 0 else { return }
        for index in 0..<count {
            guard let raw = unsafe page[index] else { continue }
            let name = unsafe raw.pointee.rkt.flatMap { unsafe names[$0] }
            body(unsafe ConsumedMessage(owning: raw, topic: name ?? ""))
        }
    }

    /// Ends the client; what was read and not taken is forgotten.
    func close() {
        precondition(!isClosed, "a Kafka consumer was closed twice")
        isClosed = true
        for unsafe(_, entry) in unsafe started {
            for partition in 0..<(unsafe entry.partitions) {
                // It fails only for a partition that was never started.
                let failed = unsafe rd_kafka_consume_stop(entry.raw, Int32(partition))
                precondition(failed == 0, "a partition that was read could not be stopped")
            }
            unsafe rd_kafka_topic_destroy(entry.raw)
        }
        unsafe started = [:]
        unsafe names = [:]
        unsafe rd_kafka_queue_destroy(queue)
        unsafe rd_kafka_destroy(client)
    }
}

/// A record, or an error of its partition, as it came from the queue.
@safe
struct ConsumedMessage: ~Copyable {
    private let raw: UnsafeMutablePointer<rd_kafka_message_t>
    private let topic: String

    init(owning raw: UnsafeMutablePointer<rd_kafka_message_t>, topic: String) {
        unsafe self.raw = unsafe raw
        self.topic = topic
    }

    deinit { unsafe rd_kafka_message_destroy(raw) }

    /// Nil for a record.
    var problem: String? {
        let code = unsafe raw.pointee.err
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return unsafe "\(topic) [\(raw.pointee.partition)]: \(Verdict(code).text)"
    }

    var coordinates: AuditConsumer.Coordinates {
        unsafe AuditConsumer.Coordinates(
            topic: topic, partition: Int(raw.pointee.partition), offset: raw.pointee.offset)
    }

    /// Headers that cannot be read are left out.
    var extras: AuditConsumer.Extras {
        var extras = AuditConsumer.Extras(isTombstone: unsafe raw.pointee.payload == nil)
        var headers: OpaquePointer?
        guard unsafe rd_kafka_message_headers(raw, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            return extras
        }
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while unsafe rd_kafka_header_get_all(headers, extras.headers.count, &name, &value, &size)
            == RD_KAFKA_RESP_ERR_NO_ERROR, let name = unsafe name
        {
            let bytes = unsafe UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size)
            extras.headers.append(
                unsafe .init(name: String(cString: name), value: Array(bytes)))
        }
        return extras
    }

    borrowing func withBytes(_ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        let key = unsafe UnsafeRawBufferPointer(
            start: raw.pointee.key, count: raw.pointee.key == nil ? 0 : raw.pointee.key_len)
        let value = unsafe UnsafeRawBufferPointer(
            start: raw.pointee.payload, count: raw.pointee.payload == nil ? 0 : raw.pointee.len)
        unsafe key.withMemoryRebound(to: UInt8.self) { key in
            unsafe value.withMemoryRebound(to: UInt8.self) { value in
                body(unsafe Span(_unsafeElements: key), unsafe Span(_unsafeElements: value))
            }
        }
    }
}
