import Kafka
import Shipper
import TestSupport
import Testing

@Suite(
    "K8: TLS and SASL against a real Apache Kafka", .serialized, .needsKafka, .secureKafka)
struct SecureKafkaTests {
    private func agent(_ broker: String, _ settings: String) throws -> Agent {
        let agent = try Agent(
            broker, path: "*.log", kafka: "topic: secure, codec: raw, \(settings)",
            more: "http: {listen: \"127.0.0.1:0\"}")
        try agent.home.write("logs/a.log", LineSource("w").lines(0..<100))
        return agent
    }

    private func count() throws -> Int {
        try AuditCount.of(try SecureKafka.current.cluster, topic: "secure")
    }

    @Test("Every line arrives over TLS, and over PLAIN, with what each of them is asked for")
    func arrives() throws {
        let kafka = try SecureKafka.current
        let ca = "ca: \(kafka.certificates.authority)"
        let client = try kafka.certificates.pair("client", passphrase: "geheim")
        let before = try count()
        let password = try kafka.certificates.write("password", "\(SecureKafka.password)\n")
        let settings = [
            (kafka.tls, "tls: {\(ca)}"),
            (
                kafka.clientTLS,
                "tls: {\(ca), certificate: \(client.certificate), key: \(client.key), "
                    + "key_passphrase: geheim}"
            ),
            (
                kafka.saslTLS,
                "tls: {\(ca)}, sasl: {mechanism: PLAIN, username: shipper, password_file: "
                    + "\(password)}"
            ),
            (
                kafka.sasl,
                "sasl: {mechanism: PLAIN, username: shipper, password: \(SecureKafka.password)}"
            ),
        ]
        for (index, (broker, setting)) in settings.enumerated() {
            let agent = try agent(broker, setting)
            #expect(try agent.once() == .code(0), "\(setting): \(agent.said)")
            #expect(try count() == before + 100 * (index + 1))
            expectNoSecret(agent.said)
        }
    }

    /// librdkafka before 2.6.1 is refused by today's brokers, and who has one is told so.
    @Test("SCRAM over TLS: all lines, or what is wrong with librdkafka", arguments: [256, 512])
    func scram(bits: Int) throws {
        let kafka = try SecureKafka.current
        let agent = try agent(
            kafka.scramTLS,
            "\(kafka.trusting), sasl: {mechanism: SCRAM-SHA-\(bits), username: shipper, password: "
                + "\(SecureKafka.password)}")
        let before = try count()
        let check = try agent.launch(["check", "--connect", "--config", agent.config])
        let exit = try check.wait()
        expectNoSecret(check.output + check.errors)
        guard check.output.contains("refuse the SCRAM of librdkafka") else {
            #expect(exit == .code(0), "\(check.errors)")
            #expect(try agent.once() == .code(0), "\(agent.said)")
            #expect(try count() == before + 100)
            return
        }
        #expect(exit == .code(1))
        #expect(check.errors.contains("it refuses the user name or password"), "\(check.errors)")
        try agent.start()
        try eventually("both are told; \(agent.said)") {
            agent.said.contains("refuse the SCRAM of librdkafka")
                && agent.said.contains("it refuses the user name or password")
        }
        agent.kill()
        expectNoSecret(agent.said)
        #expect(try count() == before)
    }

    /// A setting, what it is set to at which of the listeners, and the cause that is told.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let broker: @Sendable (SecureKafka) -> String
        let settings: @Sendable (SecureKafka) -> String
        let cause: String

        init(
            _ name: String, _ broker: @escaping @Sendable (SecureKafka) -> String,
            _ settings: @escaping @Sendable (SecureKafka) -> String, _ cause: String
        ) {
            testDescription = name
            self.broker = broker
            self.settings = settings
            self.cause = cause
        }
    }

    static let mistakes = [
        Mistake(
            "another authority", \.tls, { "tls: {ca: \($0.certificates.otherAuthority)}" },
            "signed by no authority that is trusted here"),
        Mistake("an expired certificate", \.expired, \.trusting, "has expired"),
        Mistake("another host's certificate", \.elsewhere, \.trusting, "is for another host"),
        Mistake(
            "no certificate of ours", \.clientTLS, \.trusting,
            "wants a certificate of ours that it can trust"),
        Mistake(
            "a wrong password", \.saslTLS,
            {
                "\($0.trusting), sasl: {mechanism: PLAIN, username: shipper, password: verborgen}"
            }, "refuses the user name or password"),
        Mistake(
            "a mechanism that is not there", \.saslTLS,
            {
                "\($0.trusting), sasl: {mechanism: SCRAM-SHA-512, username: shipper, password: "
                    + "verborgen}"
            }, "does not have this mechanism"),
        Mistake("no TLS where it is wanted", \.tls, { _ in "acks: all" }, "expects TLS"),
        Mistake("TLS where there is none", \.plain, \.trusting, "does not speak TLS"),
        Mistake("no SASL where it is wanted", \.saslTLS, \.trusting, "set output.kafka.sasl"),
        Mistake(
            "SASL where there is none", \.plain,
            { _ in "sasl: {mechanism: PLAIN, username: shipper, password: verborgen}" },
            "has no SASL at this port"),
        Mistake("nobody", { _ in "127.0.0.1:1" }, { _ in "acks: all" }, "nobody listens there"),
    ]

    @Test("The log and /readyz name the cause, once, and no secret", arguments: mistakes)
    func mistake(_ mistake: Mistake) throws {
        let kafka = try SecureKafka.current
        let broker = mistake.broker(kafka)
        let agent = try agent(broker, mistake.settings(kafka))
        let before = try count()
        try agent.start()
        try eventually("\(mistake.cause) in the log; \(agent.said)") {
            agent.said.contains("no broker can be reached; waiting broker=\(broker) cause=\"")
                && agent.said.contains(mistake.cause)
        }
        let address = try agent.address()
        try eventually("and in readiness; \(agent.said)") {
            try httpGet(address, "/readyz").body.contains(mistake.cause)
        }
        let ready = try httpGet(address, "/readyz")
        #expect(
            ready.status == 503 && ready.body.contains("brokers: none can be reached: \(broker)"))
        let warnings = agent.said.split(separator: "\n").filter {
            $0.contains(" warn ") && !$0.contains("in doubt")
        }
        #expect(Set(warnings.map { $0.contains(mistake.cause) }) == [true], "\(warnings)")
        agent.kill()
        expectNoSecret(agent.said + ready.body)
        #expect(try count() == before)
    }

    @Test("check --connect names the cause, ends with 1 and tells no secret", arguments: mistakes)
    func checked(_ mistake: Mistake) throws {
        let kafka = try SecureKafka.current
        let broker = mistake.broker(kafka)
        let agent = try agent(broker, mistake.settings(kafka))
        let check = try agent.launch(["check", "--connect", "--config", agent.config])
        #expect(try check.wait() == .code(1), "\(check.errors)")
        #expect(check.errors.hasPrefix("\(agent.config): broker \(broker): "), "\(check.errors)")
        #expect(check.errors.contains(mistake.cause), "\(check.errors)")
        #expect(check.errors.split(separator: "\n").count == 1, "\(check.errors)")
        expectNoSecret(check.errors + check.output)
    }

    @Test("check --connect asks brokers and topics, one line each, and writes nothing")
    func connects() throws {
        let kafka = try SecureKafka.current
        let before = try count()
        let agent = try agent(
            kafka.saslTLS,
            "\(kafka.trusting), sasl: {mechanism: PLAIN, username: shipper, password: "
                + "\(SecureKafka.password)}")
        let check = try agent.launch(["check", "--connect", "--config", agent.config])
        #expect(try check.wait() == .code(0), "\(check.errors)")
        let lines = check.output.split(separator: "\n").map(String.init).suffix(3)
        #expect(
            Array(lines) == [
                "# \"broker \(kafka.saslTLS): answers, TLS, PLAIN\"",
                "# \"cluster: 1 brokers, 1 of them answer at the addresses that it has for them\"",
                "# \"topic secure: 1 partitions, 1 replicas, min.insync.replicas 1, "
                    + "max.message.bytes 1048588, can be written\"",
            ])
        #expect(check.errors.isEmpty, "\(check.errors)")
        #expect(try count() == before)
        expectNoSecret(check.output)

        // A topic that nobody made is not made by being asked for.
        try agent.configure { $0.replace("topic: secure", with: "topic: missing") }
        for _ in 0..<2 {
            let check = try agent.launch(["check", "--connect", "--config", agent.config])
            #expect(try check.wait() == .code(1))
            #expect(
                check.errors
                    == "\(agent.config): topic missing: is not there, or not for this user; create "
                    + "it, or let the user describe and write it\n")
        }
    }

    @Test("A password file that is set right lets the agent in without a restart")
    func passwordFile() throws {
        let kafka = try SecureKafka.current
        let file = try kafka.certificates.write("changing", "verborgen")
        let agent = try agent(
            kafka.saslTLS,
            "\(kafka.trusting), sasl: {mechanism: PLAIN, username: shipper, password_file: \(file)}"
        )
        let before = try count()
        try agent.start()
        try eventually("it is refused; \(agent.said)") {
            agent.said.contains("refuses the user name or password")
        }
        try kafka.certificates.write("changing", SecureKafka.password)
        try eventually("its lines; \(agent.said)") { try count() == before + 100 }
        #expect(try agent.stop() == .code(0))
        expectNoSecret(agent.said)
    }

    @Test("A file that is not there is named with its setting's place before anything starts")
    func missingFiles() throws {
        let agent = try agent(
            "127.0.0.1:1",
            "tls: {ca: /nowhere/ca.pem}, sasl: {mechanism: PLAIN, username: u, "
                + "password_file: /nowhere/password}")
        for (command, exit) in [("check", Int32(1)), ("run", 78)] {
            let process = try agent.launch([command, "--config", agent.config])
            #expect(try process.wait() == .code(exit))
            let lines = process.errors.split(separator: "\n")
            #expect(lines.count == 2, "\(lines)")
            for (line, (setting, path)) in zip(
                lines, [("tls.ca", "ca.pem"), ("sasl.password_file", "password")])
            {
                #expect(line.hasPrefix("\(agent.config):4:"))
                #expect(
                    line.hasSuffix(
                        ": output.kafka.\(setting): open /nowhere/\(path): No such file or directory"
                    ))
            }
        }
    }

    @Test("A file that is no certificate, and a key that is another's, are named with their place")
    func wrongFiles() throws {
        let kafka = try SecureKafka.current
        let (one, other) = (
            try kafka.certificates.pair("one"), try kafka.certificates.pair("other")
        )
        let text = try kafka.certificates.write("text", "no certificate\n")
        let empty = try kafka.certificates.write("empty", "\n")
        for (settings, place) in [
            ("tls: {ca: \(text)}", "tls.ca: ssl.ca.location failed"),
            (
                "tls: {certificate: \(one.certificate), key: \(other.key)}",
                "tls.key: ssl.key.location failed"
            ),
            (
                "tls: {certificate: \(text), key: \(other.key)}",
                "tls.certificate: ssl.certificate.location failed"
            ),
            (
                "sasl: {mechanism: PLAIN, username: u, password_file: \(empty)}",
                "sasl.password_file: \(empty): empty; expected the password"
            ),
        ] {
            let agent = try agent("127.0.0.1:1", settings)
            let process = try agent.launch(["check", "--config", agent.config])
            #expect(try process.wait() == .code(1))
            #expect(process.errors.hasPrefix("\(agent.config):4:"), "\(process.errors)")
            #expect(process.errors.contains(": output.kafka.\(place)"), "\(process.errors)")
            #expect(process.errors.split(separator: "\n").count == 1, "\(process.errors)")
        }
    }

    private func expectNoSecret(_ text: String, at place: SourceLocation = #_sourceLocation) {
        for secret in [SecureKafka.password, "geheim", "verborgen"] {
            #expect(!text.contains(secret), "\(text)", sourceLocation: place)
        }
    }
}
