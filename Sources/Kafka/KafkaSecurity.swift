import Platform

extension KafkaSettings {
    /// TLS on every connection.
    package struct TLS: Hashable, Sendable {
        /// Path of a file with the authorities' certificates; nil: what the system trusts.
        package var authorities: String?
        /// Paths of the client's own certificate and its private key.
        package var certificate, key: String?
        /// Of a key that is encrypted.
        package var passphrase: String?
        /// How much of a broker's certificate has to be right.
        package var verification: Verification

        package init(
            authorities: String? = nil, certificate: String? = nil, key: String? = nil,
            passphrase: String? = nil, verification: Verification = .full
        ) {
            self.authorities = authorities
            self.certificate = certificate
            self.key = key
            self.passphrase = passphrase
            self.verification = verification
        }
    }

    /// Signed by an authority, of this time and for the host; without the host; or anything.
    package enum Verification: Hashable, Sendable {
        case full, certificate, none
    }

    /// SASL on every connection.
    package struct SASL: Hashable, Sendable {
        /// By Kafka's name.
        package var mechanism: String
        /// Nil for mechanisms that have other means.
        package var credentials: Credentials?
        /// Where the token of OAUTHBEARER is had from; nil for other mechanisms.
        package var token: TokenSource?

        package init(
            mechanism: String, credentials: Credentials? = nil, token: TokenSource? = nil
        ) {
            self.mechanism = mechanism
            self.credentials = credentials
            self.token = token
        }
    }

    /// A file with a bearer token, which is read again and again.
    package struct TokenSource: Hashable, Sendable {
        /// Of the file; absolute.
        package var path: String
        /// What brokers are told beside the token.
        package var extensions: [Property]

        package init(path: String, extensions: [Property] = []) {
            self.path = path
            self.extensions = extensions
        }
    }

    /// Who is to be let in.
    package struct Credentials: Hashable, Sendable {
        /// The name that brokers know.
        package var user: String
        /// What proves it.
        package var password: Password

        package init(user: String, password: Password) {
            self.user = user
            self.password = password
        }
    }

    /// A secret, or the path of the file that holds it.
    package enum Password: Hashable, Sendable {
        case text(String)
        case file(String)
    }

    /// What `tls` and `sasl` say, as librdkafka's properties. Reads the file with the password.
    func securityProperties() throws(KafkaError) -> [Property] {
        guard tls != nil || sasl != nil else { return [] }
        let prefix = sasl == nil ? "" : "sasl_"
        let transport = tls != nil ? "ssl" : "plaintext"
        var properties = [Property("security.protocol", prefix + transport)]
        if let tls { properties += tls.properties }
        if let sasl {
            properties.append(Property("sasl.mechanisms", sasl.mechanism))
            if let credentials = sasl.credentials {
                properties.append(Property("sasl.username", credentials.user))
                properties.append(Property("sasl.password", try credentials.password.read()))
            }
        }
        return properties
    }
}

extension KafkaSettings.TLS {
    fileprivate var properties: [KafkaSettings.Property] {
        let given = [
            ("ssl.ca.location", authorities), ("ssl.certificate.location", certificate),
            ("ssl.key.location", key), ("ssl.key.password", passphrase),
        ]
        return given.compactMap { name, value in value.map { .init(name, $0) } } + [
            .init("enable.ssl.certificate.verification", verification == .none ? "false" : "true"),
            .init(
                "ssl.endpoint.identification.algorithm",
                verification == .full ? "https" : "none"),
        ]
    }
}

extension KafkaSettings.Password {
    /// The secret. Of a file it is all but the newline at its end, which editors and `echo` write.
    func read() throws(KafkaError) -> String {
        switch self {
        case .text(let text): return text
        case .file(let path):
            let contents: [UInt8]
            do throws(SystemError) {
                contents = try SecretFile.contents(path)
            } catch {
                throw .property(name: "sasl.password", reason: "\(error)")
            }
            return try Self.text(contents, path)
        }
    }

    private static func text(_ contents: [UInt8], _ path: String) throws(KafkaError) -> String {
        func refuse(_ reason: String) -> KafkaError {
            .property(name: "sasl.password", reason: "\(path): \(reason)")
        }
        guard contents.count <= SecretFile.longest else {
            throw refuse("more than 64 KiB, no password")
        }
        var bytes = contents[...]
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        if bytes.isEmpty { throw refuse("empty; expected the password") }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw refuse("not UTF-8 without NUL bytes, so no password that brokers can be given")
        }
        return text
    }
}
