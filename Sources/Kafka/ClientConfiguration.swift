import CRdkafka

/// An `rd_kafka_conf_t` being filled. Making a client consumes it, as librdkafka does; an unused
/// one is destroyed.
@safe
struct ClientConfiguration: ~Copyable {
    private let raw: OpaquePointer

    init() { unsafe raw = rd_kafka_conf_new() }

    deinit { unsafe rd_kafka_conf_destroy(raw) }

    /// The configuration of every producer of `settings`.
    ///
    /// Of the order: our defaults, what the user passes through, what the promises hang on, and
    /// tests' overrides last.
    static func producer(
        _ settings: KafkaSettings, connecting: Bool
    ) throws(KafkaError) -> ClientConfiguration {
        let configuration = ClientConfiguration()
        for (name, value) in defaults { try configuration.set(name, value) }
        try configuration.set("linger.ms", "\(settings.linger / .milliseconds(1))")
        try configuration.set("client.id", settings.clientID)
        if let spread = settings.spread {
            try configuration.set("reconnect.backoff.max.ms", "\(spread.backOff)")
        }
        for property in settings.properties { try configuration.pass(property) }
        for property in try settings.securityProperties() {
            try configuration.set(property.name, property.value)
        }
        configuration.explainCertificates()
        if connecting {
            let list = settings.brokers.joined(separator: ",")
            try configuration.set("bootstrap.servers", list)
        }
        try configuration.set("compression.codec", settings.compression.rawValue)
        for (name, value) in owned { try configuration.set(name, value) }
        switch settings.partitioner {
        case .murmur2Random: try configuration.set("partitioner", "murmur2_random")
        case .consistentRandom: try configuration.set("partitioner", "consistent_random")
        // It is set for each topic: `ProducerHandle.open`.
        case .filebeat, .node: break
        }
        for property in settings.overrides { try configuration.set(property.name, property.value) }
        return configuration
    }

    /// Better for a shipper than librdkafka's own; the pass-through may change them.
    private static let defaults: [(String, String)] = [
        // Requests are bounded by their bytes (batch.size), not by 10,000 short lines.
        ("batch.num.messages", "100000"),
        ("socket.keepalive.enable", "true"),
        // How long a topic may be unknown before that is told: brokers that create topics do so in
        // a second, and whoever forgot to wants to hear of it.
        ("topic.metadata.propagation.max.ms", "3000"),
    ]

    private static let owned: [(String, String)] = [
        // Delivered is what every in-sync replica has. With less, positions would move over
        // records that a leader acknowledged and took along when it died.
        ("acks", "all"),
        // The brokers refuse the library's own repeats, and keep order with this many requests on
        // the way.
        ("enable.idempotence", "true"),
        ("max.in.flight", "5"),
        // A record never expires: 0 is for ever.
        ("message.timeout.ms", "0"),
        // The in-flight credit is the only bound: 0 messages is none, and the most of kilobytes.
        ("queue.buffering.max.messages", "0"),
        ("queue.buffering.max.kbytes", "2147483647"),
        ("delivery.report.only.error", "false"),
        ("log.queue", "true"),
        // What a connection was closed for is the best hint to a wrong protocol. That a broker
        // closes an idle one is no news: `BrokerTrouble` has nothing to say of it.
        ("log.connection.close", "true"),
    ]

    /// Whether the property can be passed through, whatever else is.
    static func check(_ property: KafkaSettings.Property) throws(KafkaError) {
        try ClientConfiguration().pass(property)
    }

    private borrowing func pass(_ property: KafkaSettings.Property) throws(KafkaError) {
        if let refusal = OwnedProperties.refusal(of: property.name) {
            throw .property(name: property.name, reason: refusal)
        }
        try set(property.name, property.value)
    }

    /// Has a broker's certificate that is refused named with the reason: of itself librdkafka says
    /// only that there is one.
    private borrowing func explainCertificates() {
        // It refuses what OpenSSL refuses, and nothing else. Without TLS in librdkafka there is
        // nothing to explain.
        _ = unsafe rd_kafka_conf_set_ssl_cert_verify_cb(raw) {
            _, _, _, code, _, _, _, text, size, _ in
            guard let code = unsafe code, unsafe code.pointee != 0 else { return 1 }
            unsafe CertificateFault(code: code.pointee).write(to: text, size: size)
            return 0
        }
    }

    /// Properties whose values librdkafka looks at when the client is made: they name files.
    static let namesOfFiles = [
        "ssl.ca.location", "ssl.certificate.location", "ssl.key.location",
    ]

    /// Sets one property; the error carries its name and librdkafka's own text.
    borrowing func set(_ name: String, _ value: String) throws(KafkaError) {
        var text = ErrorText()
        let result = unsafe text.fill { text, size in
            unsafe rd_kafka_conf_set(raw, name, value, text, size)
        }
        switch result {
        case RD_KAFKA_CONF_OK: return
        default: throw .property(name: name, reason: text.string)
        }
    }

    /// The value of a property that is a whole number, as librdkafka has read it: it takes
    /// hexadecimal ones too.
    borrowing func number(_ name: String) -> Int? {
        var size = 0
        guard unsafe rd_kafka_conf_get(raw, name, nil, &size) == RD_KAFKA_CONF_OK, size > 0 else {
            return nil
        }
        var text = [CChar](repeating: 0, count: size)
        let result = unsafe text.withUnsafeMutableBufferPointer { text in
            unsafe rd_kafka_conf_get(raw, name, text.baseAddress, &size)
        }
        guard result == RD_KAFKA_CONF_OK else { return nil }
        return Int(
            String(
                decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// Asks for delivery reports, errors and log lines as events, and for those that want a token
    /// where `tokens` are ours to give: of itself librdkafka makes one up, or has them fetched.
    borrowing func enableEvents(tokens: Bool) {
        var events = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG
        if tokens { events |= RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH }
        unsafe rd_kafka_conf_set_events(raw, events)
    }

    /// Has librdkafka's threads tell `figures`, which has to outlive the client, what happens on
    /// its connections.
    private borrowing func count(_ figures: ConnectionFigures) {
        let opaque = unsafe Unmanaged.passUnretained(figures).toOpaque()
        unsafe rd_kafka_conf_set_opaque(raw, opaque)
        // No event of its own: the queue that is polled calls it.
        unsafe rd_kafka_conf_set_throttle_cb(raw) { _, _, _, milliseconds, opaque in
            unsafe ConnectionFigures.at(opaque)?.throttled(milliseconds: Int(milliseconds))
        }
        _ = unsafe rd_kafka_conf_interceptor_add_on_new(
            raw, "figures",
            { client, _, opaque, _, _ in
                let code = unsafe rd_kafka_interceptor_add_on_request_sent(
                    client, "figures",
                    { _, _, _, _, _, _, _, size, opaque in
                        unsafe ConnectionFigures.at(opaque)?.sent(bytes: size)
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }, opaque)
                guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { return code }
                return unsafe rd_kafka_interceptor_add_on_broker_state_change(
                    client, "figures",
                    { client, _, _, name, port, state, opaque in
                        guard let name = unsafe name, let state = unsafe state else {
                            return RD_KAFKA_RESP_ERR_NO_ERROR
                        }
                        let isUp = unsafe ["UP", "UPDATE"].contains(String(cString: state))
                        unsafe ConnectionFigures.at(opaque)?.changed(
                            "\(String(cString: name)):\(port)", of: UInt(bitPattern: client),
                            isUp: isUp)
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }, opaque)
            }, opaque)
    }

    /// Makes the client. `named` are properties that an error may be about: librdkafka quotes the
    /// name of the one it refuses. `figures` has to outlive it.
    consuming func makeClient(
        _ type: rd_kafka_type_t, named: [String] = [], counting figures: ConnectionFigures? = nil
    ) throws(KafkaError) -> OpaquePointer {
        if let figures { count(figures) }
        var text = ErrorText()
        let configuration = unsafe raw
        let client = unsafe text.fill { text, size in
            unsafe rd_kafka_new(type, configuration, text, size)
        }
        if let client = unsafe client {
            // The client owns the configuration from here on; after a failure it stays ours.
            discard self
            return unsafe client
        }
        // What counts is in the configuration and destroyed already, and librdkafka 2.0.2 would
        // destroy it once more with that: it is left as it is. `faults` finds what keeps a client
        // from being made before, without that.
        if figures == nil { _ = consume self } else { discard self }
        let reason = text.string
        let name = named.first {
            reason.contains("`\($0)`") || reason.hasPrefix("\($0) failed")
        }
        if let name {
            throw .property(name: name, reason: reason)
        }
        throw .client(reason: reason)
    }
}

extension ConnectionFigures {
    /// Those that librdkafka was given the address of.
    @unsafe fileprivate static func at(
        _ opaque: UnsafeMutableRawPointer?
    ) -> ConnectionFigures? {
        guard let opaque = unsafe opaque else { return nil }
        return unsafe Unmanaged<ConnectionFigures>.fromOpaque(opaque).takeUnretainedValue()
    }
}

/// The buffer that librdkafka writes an error's text into.
@safe
struct ErrorText {
    private var bytes = [CChar](repeating: 0, count: 512)

    /// Lends the buffer to one call.
    mutating func fill<R>(_ call: (UnsafeMutablePointer<CChar>?, Int) -> R) -> R {
        unsafe bytes.withUnsafeMutableBufferPointer { unsafe call($0.baseAddress, $0.count) }
    }

    var string: String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
