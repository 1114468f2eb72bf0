import TestSupport
import Testing

/// One Apache Kafka with a listener for each kind of security, and two servers whose certificates
/// no client should believe. It starts before a suite's first test and ends after its last one.
final class SecureKafka: Sendable {
    static let password = "streng-geheim"
    @TaskLocal private static var running: SecureKafka?

    let certificates: Certificates
    let cluster: KafkaCluster
    /// The addresses of the listeners: TLS, TLS that asks clients for a certificate, PLAIN over
    /// TLS, and PLAIN without; SCRAM over TLS.
    let tls, clientTLS, saslTLS, sasl, scramTLS: String
    private let expiredServer, otherServer: TLSServer

    /// That of the suite which runs now.
    static var current: SecureKafka {
        get throws { try #require(running, "the suite lacks the trait .secureKafka") }
    }

    private init() throws {
        let certificates = try Certificates()
        let pair = try certificates.pair("broker")
        let listeners = [
            try KafkaListener.tls("TLS", certificates, pair),
            try .tls("ASKING", certificates, pair, asksClients: true),
            try .plain(
                "PLAINTLS", user: "shipper", password: Self.password, certificates, pair),
            try .plain("PLAIN", user: "shipper", password: Self.password),
            try .scram("SCRAM", certificates, pair),
        ]
        self.certificates = certificates
        (tls, clientTLS) = (listeners[0].address, listeners[1].address)
        (saslTLS, sasl) = (listeners[2].address, listeners[3].address)
        scramTLS = listeners[4].address
        expiredServer = try certificates.server(
            showing: certificates.pair("expired", days: -1))
        otherServer = try certificates.server(
            showing: certificates.pair("elsewhere", hosts: "DNS:kafka.example"))
        cluster = try KafkaCluster(home: KafkaHome(), listeners: listeners)
        try cluster.createTopic("secure")
        try cluster.addUser("shipper", password: Self.password)
    }

    /// A TLS server whose certificate has expired.
    var expired: String { expiredServer.address }
    /// A TLS server whose certificate is another host's.
    var elsewhere: String { otherServer.address }
    /// The listener without any security.
    var plain: String { cluster.address }
    /// The setting that trusts the certificates' authority.
    var trusting: String { "tls: {ca: \(certificates.authority)}" }

    /// Gives a suite one of them.
    struct Scope: SuiteTrait, TestScoping {
        func provideScope(
            for test: Test, testCase: Test.Case?,
            performing function: @Sendable () async throws -> Void
        ) async throws {
            let kafka = try SecureKafka()
            try await SecureKafka.$running.withValue(kafka) { try await function() }
        }
    }
}

extension Trait where Self == SecureKafka.Scope {
    static var secureKafka: Self { Self() }
}
