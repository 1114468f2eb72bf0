import CRdkafka
import Platform

/// One event from librdkafka's queue; destroyed with its owner, and the messages in it too.
@safe
struct ClientEvent: ~Copyable {
    enum Kind {
        case deliveries, error, log, limits, tokenWanted, other
    }

    private let raw: OpaquePointer

    init(owning raw: OpaquePointer) { unsafe self.raw = unsafe raw }

    deinit { unsafe rd_kafka_event_destroy(raw) }

    /// Lends the event to who reads more of it.
    borrowing func withRaw<R>(_ body: (OpaquePointer) -> R) -> R { unsafe body(raw) }

    var kind: Kind {
        switch unsafe rd_kafka_event_type(raw) {
        case RD_KAFKA_EVENT_DR: .deliveries
        case RD_KAFKA_EVENT_ERROR: .error
        case RD_KAFKA_EVENT_LOG: .log
        case RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT: .limits
        case RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH: .tokenWanted
        default: .other
        }
    }

    /// The verdicts in it, as runs of records of one batch: nothing is done for a single record
    /// that was acknowledged but to compare two words.
    func forEachRun(_ page: DeliveryPage, _ body: (DeliveryRun) -> Void) {
        while true {
            let count = unsafe rd_kafka_event_message_array(raw, page.address, page.capacity)
            if count == 0 { return }
            page.forEachRun(count, body)
        }
    }

    /// The bytes that topics let one batch have; topics that the brokers do not tell of, or not to
    /// us, are not in it.
    var topicLimits: [(topic: String, bytes: Int)] {
        guard let result = unsafe rd_kafka_event_DescribeConfigs_result(raw) else { return [] }
        var limits: [(topic: String, bytes: Int)] = []
        var topics = 0
        let resources = unsafe rd_kafka_DescribeConfigs_result_resources(result, &topics)
        for index in 0..<topics {
            guard let resource = unsafe resources?[index],
                let name = unsafe rd_kafka_ConfigResource_name(resource),
                unsafe rd_kafka_ConfigResource_error(resource) == RD_KAFKA_RESP_ERR_NO_ERROR
            else { continue }
            var count = 0
            let entries = unsafe rd_kafka_ConfigResource_configs(resource, &count)
            for index in 0..<count {
                guard let entry = unsafe entries?[index],
                    let key = unsafe rd_kafka_ConfigEntry_name(entry),
                    unsafe String(cString: key) == "max.message.bytes",
                    let value = unsafe rd_kafka_ConfigEntry_value(entry),
                    let bytes = Int(unsafe String(cString: value))
                else { continue }
                limits.append((unsafe String(cString: name), bytes))
            }
        }
        return limits
    }

    var error: Verdict { Verdict(unsafe rd_kafka_event_error(raw)) }

    /// The client is dead. The code is then that of the cause, not a special one.
    var isFatal: Bool { unsafe rd_kafka_event_error_is_fatal(raw) != 0 }

    var errorText: String {
        guard let text = unsafe rd_kafka_event_error_string(raw) else { return error.text }
        return unsafe String(cString: text)
    }

    /// A log line's parts; nil if this is no log line.
    var logLine: (severity: Int, facility: String, text: String)? {
        var facility: UnsafePointer<CChar>?
        var text: UnsafePointer<CChar>?
        var severity: Int32 = 0
        guard unsafe rd_kafka_event_log(raw, &facility, &text, &severity) == 0,
            let facility = unsafe facility, let text = unsafe text
        else { return nil }
        return unsafe (Int(severity), String(cString: facility), String(cString: text))
    }
}

/// Verdicts on records of one batch that came one after the other.
struct DeliveryRun {
    let batch: RecordBatch
    /// Verdicts in all, bad ones included.
    var count = 0
    var failed = 0
    /// The lowest record with a bad verdict, and the verdict.
    var firstFailed: Int?
    var verdict = Verdict.acknowledged
}

/// Room for the addresses of one page of messages; made once by the poller thread and used there.
@safe
final class DeliveryPage {
    let capacity = 1024
    let address: UnsafeMutablePointer<UnsafePointer<rd_kafka_message_t>?>

    init() {
        unsafe address = .allocate(capacity: capacity)
        unsafe address.initialize(repeating: nil, count: capacity)
    }

    deinit { unsafe address.deallocate() }

    fileprivate func forEachRun(_ count: Int, _ body: (DeliveryRun) -> Void) {
        var next = 0
        while next < count {
            guard let first = unsafe address[next]?.pointee._private else {
                preconditionFailure("a delivery report without its batch")
            }
            // The lane keeps the batch until its last verdict was counted, so it is alive here.
            let batch = unsafe Unmanaged<RecordBatch>.fromOpaque(first).takeUnretainedValue()
            var run = DeliveryRun(batch: batch)
            while next < count, let message = unsafe address[next],
                unsafe message.pointee._private == first
            {
                run.count += 1
                if unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                    unsafe run.note(message.pointee)
                }
                next += 1
            }
            body(run)
        }
    }
}

extension DeliveryRun {
    /// A bad verdict on record `index`. Of several that of the lowest counts, but one that is about
    /// the record itself more than one about its neighbour.
    mutating func note(_ index: Int, _ bad: Verdict) {
        if firstFailed == nil || index < firstFailed ?? .max && !bad.isOfNeighbour
            || verdict.isOfNeighbour
        {
            verdict = bad
        }
        firstFailed = min(index, firstFailed ?? .max)
    }

    fileprivate mutating func note(_ message: rd_kafka_message_t) {
        failed += 1
        var index = 0
        if let payload = unsafe message.payload {
            index = unsafe batch.record(at: payload - batch.slab.address)
        }
        note(index, Verdict(unsafe message.err))
    }
}

/// librdkafka's answer on a record, and its words for it.
struct Verdict: Error, Hashable, Sendable {
    private let value: Int32

    init(_ raw: rd_kafka_resp_err_t) { value = raw.rawValue }

    /// By its number in librdkafka.
    init(code: Int32) { value = code }

    static let acknowledged = Verdict(RD_KAFKA_RESP_ERR_NO_ERROR)
    static let allBrokersDown = Verdict(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    private static let fatal = Verdict(RD_KAFKA_RESP_ERR__FATAL)
    private static let unknownHere = Verdict(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    static let unknownThere = Verdict(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    static let forbidden = Verdict(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    static let forbiddenAll = Verdict(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
    /// The time of a record is that of its sending, so it is the clock's fault and no record's.
    static let wrongTime = Verdict(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
    /// The record was offered for a number of acknowledgements that there is not.
    static let unknownAcknowledgement = Verdict(RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS)
    private static let purgedInQueue = Verdict(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    private static let purgedInFlight = Verdict(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)

    /// Taken back by ourselves or with a dead handle; says nothing about the record.
    var isPurge: Bool {
        self == Self.purgedInQueue || self == Self.purgedInFlight || self == Self.fatal
    }

    /// The subject of a bad verdict: the record, its size, or the place that it goes to.
    var failure: LaneStateMachine<RecordBatch>.Failure {
        if Self.size.contains(value) { return .size }
        return Self.content.contains(value) ? .content : .place
    }

    /// It says that the producer is not the one any more that the broker knows by its number: a new
    /// one has to be asked for.
    var isOfProducer: Bool { Self.producer.contains(value) }

    private static let producer = Set(
        [
            RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
            RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
            RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
        ].map(\.rawValue))

    /// It says that this record, by itself, will never be taken by its topic as it is. Other
    /// refusals of one record alone are about all of them: a policy, a compression that the topic
    /// does not have.
    var isOfRecord: Bool {
        failure == .size || self == Self.invalidMessage || self == Self.invalidRecord
    }

    private static let invalidMessage = Verdict(RD_KAFKA_RESP_ERR_INVALID_MSG)
    private static let invalidRecord = Verdict(RD_KAFKA_RESP_ERR_INVALID_RECORD)

    private static let size = Set(
        [
            RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
            RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
        ].map(\.rawValue))
    /// Codes by which a broker refuses a batch because of a record in it.
    private static let content = Set(
        [
            RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_INVALID_RECORD,
            RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_INVALID_REQUEST,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, RD_KAFKA_RESP_ERR_UNKNOWN,
        ].map(\.rawValue) + [neighbour])

    /// `_INVALID_DIFFERENT_RECORD`, of librdkafka 2.4.0 and later: the batch was refused because of
    /// another record in it.
    private static let neighbour: Int32 = -138

    /// Nothing is said of this record, but of one beside it.
    var isOfNeighbour: Bool { value == Self.neighbour }

    /// One cause, one verdict: that a topic is unknown is said by the broker and later by the
    /// library, which remembers it.
    var cause: Verdict { self == Self.unknownHere ? Self.unknownThere : self }

    /// Such as `MSG_SIZE_TOO_LARGE`; librdkafka's own codes begin with an underscore.
    var name: String {
        guard let name = unsafe rd_kafka_err2name(rd_kafka_resp_err_t(value)) else {
            return "\(value)"
        }
        return unsafe String(cString: name)
    }

    var text: String {
        guard let text = unsafe rd_kafka_err2str(rd_kafka_resp_err_t(value)) else { return name }
        return unsafe String(cString: text)
    }
}
