/// A port of a broker's at which clients are to be encrypted, or to say who they are.
package struct KafkaListener: Sendable {
    /// In capitals, and unlike that of any other.
    package let name: String
    /// SSL, SASL_SSL or SASL_PLAINTEXT.
    let security: String
    /// What `listener.name.NAME.` begins, in the broker's properties.
    let properties: [String: String]
    private let port: ReservedPort

    package var address: String { "127.0.0.1:\(port.number)" }

    private init(_ name: String, _ security: String, _ properties: [String: String]) throws {
        self.name = name
        self.security = security
        self.properties = properties
        port = try ReservedPort()
    }

    /// TLS with this certificate; clients have to show one of the authority's if `asksClients`.
    package static func tls(
        _ name: String, _ certificates: Certificates, _ pair: Certificates.Pair,
        asksClients: Bool = false
    ) throws -> KafkaListener {
        try KafkaListener(name, "SSL", stores(certificates, pair, asksClients))
    }

    /// SASL with PLAIN and this user, with TLS where there is a certificate.
    package static func plain(
        _ name: String, user: String, password: String, _ certificates: Certificates? = nil,
        _ pair: Certificates.Pair? = nil
    ) throws -> KafkaListener {
        var properties = [
            "sasl.enabled.mechanisms": "PLAIN",
            "plain.sasl.jaas.config":
                "org.apache.kafka.common.security.plain.PlainLoginModule required "
                + "user_\(user)=\"\(password)\";",
        ]
        guard let certificates, let pair else {
            return try KafkaListener(name, "SASL_PLAINTEXT", properties)
        }
        properties.merge(try stores(certificates, pair, false)) { mine, _ in mine }
        return try KafkaListener(name, "SASL_SSL", properties)
    }

    /// SASL with SCRAM of both kinds over TLS, for users that the cluster is told of when it runs.
    package static func scram(
        _ name: String, _ certificates: Certificates, _ pair: Certificates.Pair
    ) throws -> KafkaListener {
        let login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        var properties = try stores(certificates, pair, false)
        properties["sasl.enabled.mechanisms"] = "SCRAM-SHA-256,SCRAM-SHA-512"
        properties["scram-sha-256.sasl.jaas.config"] = login
        properties["scram-sha-512.sasl.jaas.config"] = login
        return try KafkaListener(name, "SASL_SSL", properties)
    }

    /// SASL with OAUTHBEARER, which takes unsigned tokens and ends a connection whose token has
    /// expired.
    package static func bearer(_ name: String) throws -> KafkaListener {
        try KafkaListener(
            name, "SASL_PLAINTEXT",
            [
                "sasl.enabled.mechanisms": "OAUTHBEARER",
                "oauthbearer.sasl.jaas.config":
                    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
                    + "unsecuredLoginStringClaim_sub=\"broker\";",
                "oauthbearer.connections.max.reauth.ms": "3600000",
            ])
    }

    private static func stores(
        _ certificates: Certificates, _ pair: Certificates.Pair, _ asksClients: Bool
    ) throws -> [String: String] {
        [
            "ssl.keystore.type": "PEM", "ssl.keystore.location": try certificates.store(pair),
            "ssl.truststore.type": "PEM", "ssl.truststore.location": certificates.authority,
            "ssl.client.auth": asksClients ? "required" : "none",
        ]
    }
}
