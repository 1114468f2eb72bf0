/// Why there is no connection to a broker, in an operator's words. librdkafka tells it in English
/// alone; this is the one place that knows its sentences.
package struct BrokerTrouble: Hashable, Sendable {
    /// What keeps the connection from being made.
    package enum Cause: String, Hashable, Sendable, CaseIterable {
        case name, refused, unreachable, silence
        case authority, expired, notYetValid, host, certificate
        case clientCertificate, clientCertificateRefused
        case plainOnTLS, tlsOnPlain, tls
        case saslWanted, saslUnwanted, mechanism, credentials, noToken, token, authentication
        case other
    }

    /// `HOST:PORT`.
    package let broker: String
    /// One of those that there is something to do about.
    package let cause: Cause
    /// librdkafka's own words.
    package let text: String

    /// There is no token, and why: so far nobody has tried to connect to `broker`.
    init(noTokenFor broker: String, _ why: String) {
        self.broker = broker
        cause = .noToken
        text = why
    }

    /// Nil where `text`, that of an error of the client's, tells of no trouble with one broker: a
    /// broker that closes a connection without a reason was idle, or ends.
    init?(_ text: String, certificates: [String: CertificateFault] = [:]) {
        // PROTOCOL://HOST:PORT/NUMBER: WORDS (after 5ms in state CONNECT)
        guard let colon = text.firstRange(of: ": ") else { return nil }
        guard let broker = Self.broker(text[..<colon.lowerBound]) else { return nil }
        var words = text[colon.upperBound...]
        if words.hasSuffix(")"), let tail = words.lastRange(of: " (after ") {
            words = words[..<tail.lowerBound]
        }
        let isUp = text.contains("in state UP")
        guard let cause = Self.cause(of: words, isUp: isUp, certificates[broker]) else {
            return nil
        }
        // librdkafka's advice is for one of the causes only, and so says the wrong thing of others.
        if let advice = words.firstRange(of: ": broker certificate could not be verified") {
            words = words[..<advice.lowerBound]
        }
        self.broker = broker
        self.cause = cause
        self.text = String(words)
    }

    /// The HOST:PORT of a node that librdkafka calls PROTOCOL://HOST:PORT/NUMBER, whatever stands
    /// before it.
    static func broker(_ node: Substring) -> String? {
        var node = node
        if let blank = node.lastIndex(of: " ") { node = node[node.index(after: blank)...] }
        if let scheme = node.firstRange(of: "://") { node = node[scheme.upperBound...] }
        guard let slash = node.lastIndex(of: "/"), node[..<slash].contains(":") else { return nil }
        return String(node[..<slash])
    }

    private static func cause(
        of words: Substring, isUp: Bool, _ certificate: CertificateFault?
    ) -> Cause? {
        if words.contains("certificate verify failed") {
            return certificate.map(Self.cause) ?? .certificate
        }
        for (sentence, cause) in sentences where words.contains(sentence) { return cause }
        if words.hasPrefix("Disconnected") || words.hasPrefix("Receive failed") {
            // The rest says what it might be; where nothing follows there is nothing to say.
            return nil
        }
        return isUp ? nil : .other
    }

    private static func cause(_ fault: CertificateFault) -> Cause {
        switch fault {
        case .authority: .authority
        case .expired: .expired
        case .notYetValid: .notYetValid
        case .host: .host
        case .other: .certificate
        }
    }

    /// Pieces of librdkafka's sentences, the more telling ones first.
    private static let sentences: [(String, Cause)] = [
        ("Failed to resolve", .name),
        ("Connection refused", .refused),
        ("there is no token available", .noToken),
        ("invalid_token", .token),
        ("SASL OAUTHBEARER authentication failed", .token),
        ("SASL authentication error", .credentials),
        ("Unsupported SASL mechanism", .mechanism),
        ("not valid in current SASL state", .saslUnwanted),
        ("broker might require SASL", .saslWanted),
        ("connecting to a SSL listener", .plainOnTLS),
        ("connecting to a PLAINTEXT", .tlsOnPlain),
        ("alert certificate required", .clientCertificate),
        ("alert handshake failure", .clientCertificate),
        // What Java says to a client without one, and to one with a wrong one.
        ("alert bad certificate", .clientCertificate),
        ("alert unknown ca", .clientCertificateRefused),
        ("alert certificate unknown", .clientCertificateRefused),
        ("alert certificate expired", .clientCertificateRefused),
        ("alert certificate revoked", .clientCertificateRefused),
        ("wrong version number", .tlsOnPlain),
        ("SSL handshake failed: Disconnected", .tlsOnPlain),
        ("unexpected eof while reading", .tlsOnPlain),
        ("SSL handshake failed", .tls),
        ("SASL", .authentication),
        ("No route to host", .unreachable),
        ("Network is unreachable", .unreachable),
        ("Host is unreachable", .unreachable),
        ("timed out", .silence),
        ("Timed out", .silence),
        ("Connection setup timed out", .silence),
    ]

    /// What is wrong and what to do, in one sentence.
    package var advice: String { cause.advice }
}

extension BrokerTrouble.Cause {
    /// What is wrong and what to do, in one sentence.
    var advice: String {
        switch self {
        case .name:
            "its name is not known here; look at output.kafka.brokers and at DNS, or, if "
                + "another broker named it, at its advertised.listeners"
        case .refused: "nobody listens there; is the broker up, and the port right?"
        case .unreachable: "no way leads there; look at routes, firewalls and network policies"
        case .silence: "it does not answer; look at firewalls, network policies and the broker"
        case .authority:
            "its certificate is signed by no authority that is trusted here; name "
                + "the right one in output.kafka.tls.ca"
        case .expired:
            "its certificate has expired; the broker needs a new one (is this clock right?)"
        case .notYetValid: "its certificate is not valid yet; is this clock right?"
        case .host:
            "its certificate is for another host; write in output.kafka.brokers a name "
                + "that stands in it, or have the broker get one for this name"
        case .certificate: "its certificate cannot be verified"
        case .clientCertificate:
            "it wants a certificate of ours that it can trust; set output.kafka.tls.certificate "
                + "and key"
        case .clientCertificateRefused:
            "it does not take our certificate; look at "
                + "output.kafka.tls.certificate and at the authorities that the broker trusts"
        case .plainOnTLS: "it expects TLS, or is no Kafka broker of this age; set output.kafka.tls"
        case .tlsOnPlain:
            "it does not speak TLS at this port; take the port of its TLS listener, "
                + "or leave output.kafka.tls out"
        case .tls: "the TLS handshake fails"
        case .saslWanted: "it wants to know who we are; set output.kafka.sasl"
        case .saslUnwanted:
            "it has no SASL at this port; take the port of a SASL listener, or "
                + "leave output.kafka.sasl out"
        case .mechanism:
            "it does not have this mechanism; set output.kafka.sasl.mechanism to one "
                + "that it has"
        case .credentials: "it refuses the user name or password of output.kafka.sasl"
        case .noToken:
            "there is no token to log in with; look at the file of output.kafka.sasl.token_file"
        case .token:
            "it refuses the token of output.kafka.sasl.token_file; is it for this broker, and is "
                + "this clock right?"
        case .authentication: "SASL fails"
        case .other: "there is no connection to it"
        }
    }
}

extension StringProtocol {
    fileprivate func lastRange(of text: String) -> Range<Index>? {
        ranges(of: text).last
    }
}
