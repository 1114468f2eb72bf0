import Testing

@testable import Kafka

@Suite("Why there is no connection to a broker is told from librdkafka's sentences")
struct BrokerTroubleTests {
    @Test(
        "each sentence has its cause, and the broker's name without protocol and number",
        arguments: [
            ("Failed to resolve 'kafka:9092': Name or service not known", .name),
            ("Connect to ipv4#127.0.0.1:1 failed: Connection refused", .refused),
            ("Connect to ipv4#10.1.2.3:9092 failed: No route to host", .unreachable),
            ("Connection setup timed out in state CONNECT", .silence),
            ("1 request(s) timed out: disconnect", .silence),
            // Of a broker that is stopped, whatever its version.
            (
                "ApiVersionRequest failed: Local: Timed out: probably due to broker version < 0.10 "
                    + "(see api.version.request configuration)", .silence
            ),
            (
                "SASL authentication error: Authentication failed: Invalid username or password",
                .credentials
            ),
            (
                "SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Unsupported SASL mechanism: "
                    + "broker's supported mechanisms: PLAIN", .mechanism
            ),
            (
                "SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL "
                    + "state: broker's supported mechanisms: ", .saslUnwanted
            ),
            (
                "Disconnected: verify that security.protocol is correctly configured, broker might "
                    + "require SASL authentication", .saslWanted
            ),
            (
                "Disconnected while requesting ApiVersion: might be caused by incorrect "
                    + "security.protocol configuration (connecting to a SSL listener?) or broker "
                    + "version is < 0.10 (see api.version.request)", .plainOnTLS
            ),
            (
                "SSL handshake failed: error:0A000126:SSL routines::unexpected eof while reading",
                .tlsOnPlain
            ),
            (
                "SSL handshake failed: error:0A00010B:SSL routines::wrong version number",
                .tlsOnPlain
            ),
            (
                "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?",
                .tlsOnPlain
            ),
            (
                "Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required",
                .clientCertificate
            ),
            (
                "SSL handshake failed: error:0A000418:SSL routines::tlsv1 alert unknown ca",
                .clientCertificateRefused
            ),
        ] as [(String, BrokerTrouble.Cause)])
    func causes(words: String, cause: BrokerTrouble.Cause) throws {
        for node in ["kafka-0:9092/bootstrap", "sasl_ssl://kafka-0:9092/17"] {
            let trouble = try #require(
                BrokerTrouble(
                    "\(node): \(words) (after 12ms in state CONNECT, 1 identical error(s))"))
            #expect(trouble.cause == cause)
            #expect(trouble.broker == "kafka-0:9092")
            #expect(trouble.text == words)
        }
        let bracketed = BrokerTrouble("ssl://[::1]:9093/1: \(words)")
        #expect(bracketed?.broker == "[::1]:9093")
    }

    @Test(
        "a certificate's fault comes with the line of the log before, and is the only one that counts",
        arguments: [
            (20, .authority), (19, .authority), (10, .expired), (9, .notYetValid), (62, .host),
            (64, .host), (7, .certificate),
        ] as [(Int32, BrokerTrouble.Cause)])
    func certificates(code: Int32, cause: BrokerTrouble.Cause) {
        var troubles = BrokerTroubles()
        let words = CertificateFault(code: code).words
        troubles.heard(
            facility: "SSLCERTVRFY",
            "[thrd:x]: ssl://a:1/bootstrap: Certificate (subject=/CN=broker, issuer=/CN=ca) "
                + "verification callback failed: \(words)")
        let error =
            "ssl://a:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate "
            + "verify failed: broker certificate could not be verified, verify that "
            + "ssl.ca.location is correctly configured (after 5ms in state SSL_HANDSHAKE)"
        let trouble = troubles.heard(error, now: 0)
        #expect(trouble?.cause == cause)
        #expect(trouble?.text.contains("ssl.ca.location") == false)
        // The same handshake, told of once more in other words.
        let again = troubles.heard(
            "ssl://a:1/bootstrap: error:0A000086:SSL routines::certificate verify failed", now: 0)
        #expect(again?.cause == cause)
        let other = troubles.heard(error.replacing("a:1", with: "b:1"), now: 0)
        #expect(other?.cause == .certificate)
    }

    @Test(
        "a connection that was closed without a reason is no trouble",
        arguments: [
            "a:1/1: Disconnected (after 600000ms in state UP)",
            "a:1/1: Receive failed: Connection reset by peer (after 5ms in state UP)",
            "2/3 brokers are down", "",
        ])
    func silence(text: String) { #expect(BrokerTrouble(text) == nil) }

    /// 1. A connection is made, and reset within a second.
    /// 2. librdkafka takes that for a broker that wants to know who we are.
    /// 3. Brokers have answered this client, which is the same for all of them.
    @Test("who is answered without SASL is not told to set it when a connection is cut")
    func cut() {
        let words =
            "a:1/1: Disconnected: verify that security.protocol is correctly configured, broker "
            + "might require SASL authentication (after 5ms in state UP)"
        var troubles = BrokerTroubles()
        #expect(troubles.heard(words, now: 0, isReached: true) == nil)
        #expect(troubles.due(now: .max).isEmpty && troubles.taken() == nil)
        #expect(troubles.heard(words, now: 0)?.cause == .saslWanted)
    }

    @Test("a broker's trouble is told once: with all that are away, or by itself after a while")
    func once() {
        var troubles = BrokerTroubles()
        let refused = "Connect to ipv4#127.0.0.1:1 failed: Connection refused"
        _ = troubles.heard("a:1/1: \(refused)", now: 0)
        _ = troubles.heard("b:1/2: \(refused)", now: 0)
        func due(_ now: Int64) -> [String] { troubles.due(now: now).map(\.broker) }
        func taken() -> String? { troubles.taken()?.broker }
        #expect(due(999_999_999) == [])
        #expect(due(1_000_000_000) == ["a:1", "b:1"])
        #expect(due(2_000_000_000) == [])
        _ = troubles.heard("a:1/1: \(refused)", now: 0)
        #expect(taken() == "a:1")
        #expect(due(.max) == [])
        // librdkafka does not repeat itself, so what it said last still holds.
        #expect(taken() == "a:1")
        troubles.reached()
        #expect(taken() == nil)
    }
}
