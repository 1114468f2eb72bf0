import TestSupport
import Testing

@testable import Kafka

@Suite("Settings of the Kafka client")
struct KafkaSettingsTests {
    private func error(_ change: (inout KafkaSettings) -> Void) -> KafkaError? {
        var settings = KafkaSettings(brokers: ["localhost:9092"])
        change(&settings)
        return settings.faults().first
    }

    @Test("of several properties that cannot be taken each is named, in order")
    func namesEach() {
        var settings = KafkaSettings(brokers: ["localhost:9092"])
        settings.properties = [
            .init("acks", "1"), .init("linger.ms", "5"), .init("linger.sm", "5"),
            .init("batch.size", "big"),
        ]
        #expect(settings.faults().map(\.property) == ["acks", "linger.sm", "batch.size"])
    }

    @Test(
        "what a promise hangs on is refused by name, with what to use instead",
        arguments: [
            ("bootstrap.servers", "output.kafka.brokers"),
            ("metadata.broker.list", "output.kafka.brokers"),
            ("enable.idempotence", "always on"), ("acks", "output.kafka.acks"),
            ("request.required.acks", "output.kafka.acks"),
            ("message.timeout.ms", "never expires"), ("delivery.timeout.ms", "never expires"),
            ("transactional.id", "exactly_once"),
            ("queue.buffering.max.messages", "limits.in_flight"),
            ("queue.buffering.max.kbytes", "limits.in_flight"),
            ("queue.buffering.max.ms", "linger.ms"),
            ("compression.codec", "output.kafka.compression"),
            ("compression.type", "output.kafka.compression"),
            ("partitioner", "output.kafka.partitioner"),
            ("max.in.flight", "keeps order"),
            ("max.in.flight.requests.per.connection", "keeps order"),
            ("test.mock.num.brokers", "embedded"), ("log_level", "log.level"),
            ("log.queue", "log.level"), ("dr_msg_cb", "delivery reports"),
            ("enabled_events", "events"), ("error_cb", "function"),
        ])
    func refusesOwned(name: String, hint: String) throws {
        let error = try #require(error { $0.properties = [.init(name, "1")] })
        #expect(error.property == name)
        #expect(error.description.contains(name))
        #expect(error.description.contains(hint))
    }

    @Test("an unknown property gives its name and librdkafka's own words")
    func refusesUnknown() throws {
        let error = try #require(error { $0.properties = [.init("linger.sm", "1")] })
        #expect(error.property == "linger.sm")
        #expect(error.description.contains("No such configuration property"))
    }

    @Test("an ill-typed value gives the property's name and librdkafka's own words")
    func refusesIllTyped() throws {
        let error = try #require(error { $0.properties = [.init("linger.ms", "soon")] })
        #expect(error.property == "linger.ms")
        #expect(error.description.contains("Invalid"))
    }

    @Test("properties that do not go together are found without connecting")
    func refusesContradiction() throws {
        let error = try #require(
            error { $0.properties = [.init("linger.ms", "5"), .init("retries", "0")] })
        #expect(error.property == "retries")
    }

    @Test(
        "SCRAM with a librdkafka that today's brokers refuse is doubted, and nothing else is",
        arguments: [
            ("sasl.mechanism", "SCRAM-SHA-512", Int32(0x0200_02FF), true),
            ("sasl.mechanisms", "scram-sha-256", 0x0206_00FF, true),
            ("sasl.mechanism", "SCRAM-SHA-512", 0x0206_01FF, false),
            ("sasl.mechanism", "SCRAM-SHA-512", 0x0208_00FF, false),
            ("sasl.mechanism", "PLAIN", 0x0200_02FF, false),
            ("client.id", "SCRAM-SHA-512", 0x0200_02FF, false),
        ])
    func doubts(name: String, value: String, library: Int32, doubted: Bool) {
        let doubt = KafkaSettings.scram([.init(name, value)], library: library)
        #expect((doubt != nil) == doubted)
        if library == 0x0200_02FF, doubted {
            #expect(doubt?.contains("the SCRAM of librdkafka 2.0.2 as invalid") == true)
        }
    }

    @Test(
        "each version of librdkafka has its own faults, with what to do, and a new one has none",
        arguments: [
            (0x0200_02FF, ["a request times out"]), (0x0201_01FF, ["a request times out"]),
            (0x0202_00FF, ["a request times out", "a large batch again"]),
            (0x0202_01FF, ["a large batch again"]),
            (0x0203_00FF, ["a large batch again", "asks for metadata several times a second"]),
            (0x0204_00FF, ["a large batch again"]), (0x0204_01FF, ["a large batch again"]),
            (0x0205_00FF, []), (0x0208_00FF, []),
        ] as [(Int32, [String])])
    func libraryFaults(library: Int32, sentences: [String]) {
        let faults = KafkaSettings.faults(of: library)
        #expect(faults.count == sentences.count, "\(faults)")
        for (fault, sentence) in zip(faults, sentences) {
            #expect(fault.contains(sentence) && fault.contains("; take 2."), "\(fault)")
            #expect(fault.hasPrefix("librdkafka 2."), "\(fault)")
        }
    }

    @Test(
        "what is not ours is passed through",
        arguments: ["linger.ms", "batch.size", "compression.level"])
    func passesThrough(name: String) {
        #expect(error { $0.properties = [.init(name, "5")] } == nil)
    }

    @Test("Kerberos is librdkafka's own: it has its mechanism and what is passed through")
    func kerberos() {
        #expect(
            error {
                $0.sasl = .init(mechanism: "GSSAPI")
                $0.properties = [
                    .init("sasl.kerberos.service.name", "kafka"),
                    .init("sasl.kerberos.keytab", "/etc/krb5.keytab"),
                    .init("sasl.kerberos.principal", "shipper"),
                ]
            } == nil)
    }

    @Test("every compression and partitioner is one that librdkafka takes")
    func acceptsOwnValues() {
        for codec in KafkaSettings.Compression.allCases {
            #expect(error { $0.compression = codec } == nil)
        }
        for partitioner: KafkaSettings.Partitioner in [
            .murmur2Random, .consistentRandom, .node("n", partitions: 3),
        ] {
            #expect(error { $0.partitioner = partitioner } == nil)
        }
    }

    @Test(
        "a broker is a host and a port",
        arguments: [
            "", "a b:9092", "a,b", "kafka:", "kafka:0", "kafka:70000", ":9092", "[::1", "::1",
            "SSL://kafka:9093",
        ])
    func refusesBrokers(address: String) throws {
        let error = try #require(error { $0.brokers = [address] })
        #expect(error.description.contains("broker '\(address)'"))
    }

    @Test(
        "brokers in their usual forms",
        arguments: ["kafka", "kafka:9092", "10.0.0.1:9", "[::1]:9092"])
    func acceptsBrokers(address: String) { #expect(error { $0.brokers = [address] } == nil) }

    @Test("no broker at all is refused")
    func refusesNoBroker() { #expect(error { $0.brokers = [] } != nil) }
}
