import CRdkafka
import Platform

/// One event from librdkafka's queue; destroyed with its owner, and the messages in it too.
@safe
struct ClientEvent: ~Copyable {
    enum Kind {
        case deliveries, error, log, other
    }

    private let raw: OpaquePointer

    init(owning raw: OpaquePointer) { unsafe self.raw = unsafe raw }

    deinit { unsafe rd_kafka_event_destroy(raw) }

    var kind: Kind {
        switch unsafe rd_kafka_event_type(raw) {
        case RD_KAFKA_EVENT_DR: .deliveries
        case RD_KAFKA_EVENT_ERROR: .error
        case RD_KAFKA_EVENT_LOG: .log
        default: .other
        }
    }

    /// The verdicts in it, as runs of records of one batch: nothing is done for a single record that
    /// was acknowledged but to compare two words.
    func forEachRun(_ page: DeliveryPage, _ body: (DeliveryRun) -> Void) {
        while true {
            let count = unsafe rd_kafka_event_message_array(raw, page.address, page.capacity)
            if count == 0 { return }
            page.forEachRun(count, body)
        }
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
    fileprivate mutating func note(_ message: rd_kafka_message_t) {
        failed += 1
        var index = 0
        if let payload = unsafe message.payload {
            index = unsafe batch.record(at: payload - batch.slab.address)
        }
        if index < firstFailed ?? .max {
            firstFailed = index
            verdict = unsafe Verdict(message.err)
        }
    }
}

/// librdkafka's answer on a record, and its words for it.
struct Verdict: Error, Hashable, Sendable {
    private let value: Int32

    init(_ raw: rd_kafka_resp_err_t) { value = raw.rawValue }

    static let acknowledged = Verdict(RD_KAFKA_RESP_ERR_NO_ERROR)
    static let allBrokersDown = Verdict(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    private static let fatal = Verdict(RD_KAFKA_RESP_ERR__FATAL)
    private static let unknownHere = Verdict(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    private static let unknownThere = Verdict(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    private static let purgedInQueue = Verdict(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    private static let purgedInFlight = Verdict(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)

    /// Taken back by ourselves or with a dead handle; says nothing about the record.
    var isPurge: Bool {
        self == Self.purgedInQueue || self == Self.purgedInFlight || self == Self.fatal
    }

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
