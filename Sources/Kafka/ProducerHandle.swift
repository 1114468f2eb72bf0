import CRdkafka
import Platform
import Glibc

/// One librdkafka producer: the client and its event queue.
///
/// A single owner, the poller thread, polls, purges and closes it. Other threads only open topics
/// and wake the poller, which librdkafka allows from any thread, and only while the owner has not
/// closed it (`ProducerCore.handle` is the lock that makes this true). Hence unchecked Sendable.
@safe
final class ProducerHandle: @unchecked Sendable {
    private let client: OpaquePointer
    private let queue: OpaquePointer
    private var isClosed = false
    private let partitioner: KafkaSettings.Partitioner
    /// Kept for the client's threads, which tell it of their connections.
    private let figures: ConnectionFigures?
    /// The owner's.
    private var token: TokenFile?

    /// Starts librdkafka's threads. Not `connecting`: no broker is named to it before `connect`; or
    /// never, where only the configuration is checked.
    init(
        settings: KafkaSettings, figures: ConnectionFigures? = nil,
        connecting: Bool = true
    ) throws(KafkaError) {
        let configuration = try ClientConfiguration.producer(settings, connecting: connecting)
        token = settings.sasl?.token.map(TokenFile.init)
        configuration.enableEvents(tokens: token != nil)
        partitioner = settings.partitioner
        self.figures = figures
        let named = settings.properties.map(\.name) + ClientConfiguration.namesOfFiles
        unsafe client = try configuration.makeClient(
            RD_KAFKA_PRODUCER, named: named, counting: figures)
        // Log lines come as events of the main queue; NULL names that queue.
        let code = unsafe rd_kafka_set_log_queue(client, nil)
        precondition(code == RD_KAFKA_RESP_ERR_NO_ERROR, "log.queue is set, yet refused")
        unsafe queue = rd_kafka_queue_get_main(client)
    }

    deinit { precondition(isClosed, "a Kafka producer was left without closing it") }

    /// Names the brokers to a client that was made without. False where it takes none of them.
    func connect(to brokers: [String]) -> Bool {
        unsafe rd_kafka_brokers_add(client, brokers.joined(separator: ",")) > 0
    }

    /// The next event, or nil after `milliseconds` or `wake`.
    func next(within milliseconds: Int32) -> ClientEvent? {
        guard let event = unsafe rd_kafka_queue_poll(queue, milliseconds) else { return nil }
        return unsafe ClientEvent(owning: event)
    }

    /// Makes a `next` that waits, or else the following one, return at once. Any thread.
    func wake() { unsafe rd_kafka_queue_yield(queue) }

    /// Reads the file with the password again, if there is one; what is in it counts from the next
    /// attempt of a connection on.
    func renewPassword(_ sasl: KafkaSettings.SASL?) throws(KafkaError) {
        guard let credentials = sasl?.credentials, case .file = credentials.password else { return }
        let password = try credentials.password.read()
        guard
            let error = unsafe rd_kafka_sasl_set_credentials(client, credentials.user, password)
        else { return }
        defer { unsafe rd_kafka_error_destroy(error) }
        throw .property(
            name: "sasl.password", reason: unsafe String(cString: rd_kafka_error_string(error)))
    }

    /// When the file with the token is to be looked at, monotonic nanoseconds; nil without one.
    var tokenIsDue: Int64? { token?.dueAt }

    /// Reads the file with the token, if there is one; returns what is wrong with it.
    func renewToken(isAsking: Bool) -> String? {
        unsafe token?.renew(of: client, isAsking: isAsking)
    }

    /// A reference to a topic of this client; closed before the client is. Any thread.
    func open(topic: String) -> Result<TopicHandle, Verdict> {
        guard let raw = unsafe rd_kafka_topic_new(client, topic, configuration(of: topic)) else {
            return .failure(Verdict(rd_kafka_last_error()))
        }
        return unsafe .success(TopicHandle(owning: raw, of: client))
    }

    /// What is different for this topic; the new topic owns it. Nil where nothing is.
    private func configuration(of topic: String) -> OpaquePointer? {
        let window: NodeWindow?
        switch partitioner {
        case .murmur2Random, .consistentRandom: return nil
        case .filebeat: window = nil
        case .node(let node, let partitions):
            window = NodeWindow(node: node, topic: topic, partitions: partitions)
        }
        guard let configuration = unsafe rd_kafka_default_topic_conf_dup(client) else { return nil }
        if let window { unsafe rd_kafka_topic_conf_set_opaque(configuration, window.opaque) }
        unsafe rd_kafka_topic_conf_set_partitioner_cb(configuration) {
            _, key, length, count, opaque, _ in
            let bytes = unsafe UnsafeRawBufferPointer(start: key, count: length)
                .bindMemory(to: UInt8.self).span
            // Only a window has something to hand over.
            guard let opaque = unsafe opaque else {
                return FNV1a.partition(of: bytes, partitions: count)
            }
            return unsafe NodeWindow(opaque).partition(of: bytes, partitions: count)
        }
        return unsafe configuration
    }

    /// Whether a broker answers a question within `milliseconds`. Where none is connected this has
    /// the client connect to one, which it does by itself only when it has something to send.
    func reachesBroker(within milliseconds: Int32) -> Bool {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        // About the topics that it knows already: one record per topic at the most.
        let code = unsafe rd_kafka_metadata(client, 0, nil, &metadata, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { return false }
        unsafe rd_kafka_metadata_destroy(metadata)
        return true
    }

    /// Asks the brokers how many bytes a batch of `topic` may have; the answer is an event. Who may
    /// not know gets none.
    func askLimit(of topic: String) {
        guard
            let resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
        else { return }
        defer { unsafe rd_kafka_ConfigResource_destroy(resource) }
        let options = unsafe rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)
        defer { if let options = unsafe options { unsafe rd_kafka_AdminOptions_destroy(options) } }
        var resources: [OpaquePointer?] = unsafe [resource]
        unsafe resources.withUnsafeMutableBufferPointer { resources in
            unsafe rd_kafka_DescribeConfigs(client, resources.baseAddress, 1, options, queue)
        }
    }

    /// Takes back every record that has no verdict; each gets one, which says so. With `inFlight`
    /// those, too, that a broker may have by now.
    func purge(inFlight: Bool = true) {
        let flags =
            RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING
            | (inFlight ? RD_KAFKA_PURGE_F_INFLIGHT : 0)
        let code = unsafe rd_kafka_purge(client, flags)
        precondition(code == RD_KAFKA_RESP_ERR_NO_ERROR, "rd_kafka_purge refused its flags")
    }

    /// What the client died of, and what is to be done where somebody can; nil while it lives.
    var fatalError: String? {
        var text = ErrorText()
        let code = unsafe text.fill { text, size in unsafe rd_kafka_fatal_error(client, text, size)
        }
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let verdict = Verdict(code)
        let hint = verdict.hint.map { "; \($0)" } ?? ""
        return "\(verdict.name): \(text.string)\(hint)"
    }

    /// For tests: makes the client die as after a lost sequence number.
    func provokeFatalError() {
        let code = unsafe rd_kafka_test_fatal_error(
            client, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "provoked")
        precondition(code == RD_KAFKA_RESP_ERR_NO_ERROR, "the client was dead already")
    }

    /// Ends the client and joins its threads. Every topic is closed and every event let go of
    /// before; records still inside get no verdict any more, so the owner purges and drains first.
    ///
    /// How long it takes: librdkafka's broker threads sit in poll(2) on non-blocking sockets and
    /// are woken, a dead or stopped broker is not waited for. Only a name resolution under way
    /// cannot be interrupted; `Producer.stop` does not wait for that one.
    func close() {
        precondition(!isClosed, "a Kafka producer was closed twice")
        isClosed = true
        unsafe rd_kafka_queue_destroy(queue)
        unsafe rd_kafka_destroy(client)
        figures?.ended(unsafe UInt(bitPattern: client))
    }
}

/// A lane's reference to a topic of one client. Closed once, by the thread whose turn in the lane
/// it is; records are produced on it by one thread at a time. Hence unchecked Sendable.
@safe
final class TopicHandle: @unchecked Sendable {
    private let raw: OpaquePointer
    /// Alive while the topic is not closed.
    private let client: OpaquePointer
    private var isClosed = false

    init(owning raw: OpaquePointer, of client: OpaquePointer) {
        unsafe self.raw = unsafe raw
        unsafe self.client = unsafe client
    }

    deinit { precondition(isClosed, "a Kafka topic was left without closing it") }

    func close() {
        precondition(!isClosed, "a Kafka topic was closed twice")
        isClosed = true
        unsafe rd_kafka_topic_destroy(raw)
    }

    /// Gives `records` of `batch` to librdkafka, which reads their values from the slab until their
    /// verdicts are in; keys are copied by it. Never blocks. What it does not take is returned;
    /// after the first refusal nothing more is offered than the page that was at it.
    func produce(
        _ batch: RecordBatch, _ records: Range<Int>, key: [UInt8], page: MessagePage
    ) -> Refusal? {
        if !batch.headers.list.isEmpty { return produceWithHeaders(batch, records, key: key) }
        let base = unsafe batch.slab.address
        let owner = unsafe Unmanaged.passUnretained(batch).toOpaque()
        return unsafe key.withUnsafeBufferPointer { key in
            // An empty array may have no address, and a null key is not an empty key.
            var keyAddress = unsafe base
            if let address = key.baseAddress {
                // librdkafka only reads the key; its C type does not say so.
                unsafe keyAddress = UnsafeMutableRawPointer(mutating: address)
            }
            var next = records.lowerBound
            var start = batch.start(of: next)
            while next < records.upperBound {
                let count = min(page.capacity, records.upperBound - next)
                for slot in 0..<count {
                    let end = Int(batch.recordEnds[next + slot])
                    unsafe page.address[slot] = rd_kafka_message_t(
                        err: RD_KAFKA_RESP_ERR_NO_ERROR, rkt: nil, partition: unassigned,
                        payload: base + start, len: end - start, key: keyAddress,
                        key_len: key.count, offset: 0, _private: owner)
                    start = end
                }
                let taken = unsafe rd_kafka_produce_batch(
                    raw, unassigned, 0, page.address, Int32(count))
                if Int(taken) != count {
                    return page.refusal(
                        first: next, count: count, untried: records.upperBound - next - count)
                }
                next += count
            }
            return nil
        }
    }

    /// The same, one record after the other: a call for many takes no headers. Nothing is offered
    /// behind a record that was not taken.
    private func produceWithHeaders(
        _ batch: RecordBatch, _ records: Range<Int>, key: [UInt8]
    ) -> Refusal? {
        for index in records {
            if let verdict = produceWithHeaders(batch, index, key: key) {
                return Refusal(
                    first: index, count: records.upperBound - index, verdict: verdict)
            }
        }
        return nil
    }

    private func produceWithHeaders(
        _ batch: RecordBatch, _ index: Int, key: [UInt8]
    ) -> Verdict? {
        guard let headers = unsafe rd_kafka_headers_new(batch.headers.list.count) else {
            return Verdict(RD_KAFKA_RESP_ERR__FAIL)
        }
        for header in batch.headers.list {
            let value = batch.headers.bytes(header.value, batch, index)
            let code = unsafe value.withUnsafeBufferPointer { value in
                // Name and value are copied; a null value is not an empty one.
                unsafe rd_kafka_header_add(
                    headers, header.name, -1,
                    value.baseAddress.map { unsafe UnsafeRawPointer($0) }
                        ?? UnsafeRawPointer(batch.slab.address),
                    value.count)
            }
            precondition(code == RD_KAFKA_RESP_ERR_NO_ERROR, "a new list of headers is read-only")
        }
        let verdict = unsafe key.withUnsafeBufferPointer { key in
            var parts = unsafe [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 5)
            unsafe parts[0].vtype = RD_KAFKA_VTYPE_RKT
            unsafe parts[0].u.rkt = raw
            unsafe parts[1].vtype = RD_KAFKA_VTYPE_VALUE
            unsafe parts[1].u.mem.ptr = batch.slab.address + batch.start(of: index)
            unsafe parts[1].u.mem.size = batch.bytes(of: index..<index + 1)
            unsafe parts[2].vtype = RD_KAFKA_VTYPE_KEY
            unsafe parts[2].u.mem.ptr = batch.slab.address
            if let address = key.baseAddress {
                unsafe parts[2].u.mem.ptr = UnsafeMutableRawPointer(mutating: address)
            }
            unsafe parts[2].u.mem.size = key.count
            unsafe parts[3].vtype = RD_KAFKA_VTYPE_OPAQUE
            unsafe parts[3].u.ptr = Unmanaged.passUnretained(batch).toOpaque()
            unsafe parts[4].vtype = RD_KAFKA_VTYPE_HEADERS
            unsafe parts[4].u.headers = headers
            guard let error = unsafe rd_kafka_produceva(client, parts, parts.count) else {
                return Verdict?.none
            }
            defer { unsafe rd_kafka_error_destroy(error) }
            return Verdict(unsafe rd_kafka_error_code(error))
        }
        // Taken, they are the client's.
        if verdict != nil { unsafe rd_kafka_headers_destroy(headers) }
        return verdict
    }

    /// RD_KAFKA_PARTITION_UA: the partitioner decides, or waits until the topic's partitions are
    /// known.
    private let unassigned: Int32 = -1
}

/// Records that librdkafka did not take: bad verdicts without a delivery report.
struct Refusal: Hashable, Sendable {
    /// The lowest record that was refused.
    let first: Int
    /// Refused ones and those not offered after them.
    let count: Int
    let verdict: Verdict
}

/// Room for one page of messages to produce, reused; one thread at a time uses it.
@safe
final class MessagePage: @unchecked Sendable {
    let capacity = 512
    let address: UnsafeMutablePointer<rd_kafka_message_t>

    init() {
        unsafe address = .allocate(capacity: capacity)
        unsafe address.initialize(repeating: rd_kafka_message_t(), count: capacity)
    }

    deinit { unsafe address.deallocate() }

    fileprivate func refusal(first next: Int, count: Int, untried: Int) -> Refusal {
        var first: Int?
        var refused = 0
        var verdict = Verdict.acknowledged
        for slot in 0..<count where unsafe address[slot].err != RD_KAFKA_RESP_ERR_NO_ERROR {
            if first == nil {
                first = next + slot
                verdict = Verdict(unsafe address[slot].err)
            }
            refused += 1
        }
        guard let first else { preconditionFailure("librdkafka refused a record without a reason") }
        return Refusal(first: first, count: refused + untried, verdict: verdict)
    }
}
