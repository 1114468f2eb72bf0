import Kafka
import Platform
import Shipper
import TestSupport
import Testing

@Suite("K8: a bearer token is read from its file, again and again", .serialized, .needsKafka)
struct BearerTokenTests {
    private static let hour: Int64 = 3_600
    private var now: Int64 { Timestamp.now().milliseconds / 1000 }

    private func agent(_ kafka: BearerKafka) throws -> Agent {
        let agent = try Agent(
            kafka.address, path: "*.log", kafka: "topic: bearer, codec: raw",
            more: "http: {listen: \"127.0.0.1:0\"}")
        try agent.configure { settings in
            settings.replace(
                "topic: bearer",
                with: "topic: bearer, sasl: {mechanism: OAUTHBEARER, token_file: "
                    + "\(agent.home.path("token"))}")
        }
        try agent.home.write("logs/a.log", LineSource("w").lines(0..<100))
        return agent
    }

    private func count(_ kafka: BearerKafka) throws -> Int {
        try AuditCount.of(kafka.cluster, topic: "bearer")
    }

    @Test("With a token every line arrives, check --connect is let in, and nothing tells the token")
    func arrives() throws {
        let kafka = try BearerKafka()
        let agent = try agent(kafka)
        let token = UnsignedToken(subject: "shipper", expires: now + Self.hour).text
        try agent.home.write("token", token + "\n")
        #expect(try agent.once() == .code(0), "\(agent.said)")
        #expect(try count(kafka) == 100)
        #expect(!agent.said.contains(token) && !agent.said.contains("no broker"), "\(agent.said)")

        let check = try agent.launch(["check", "--connect", "--config", agent.config])
        #expect(try check.wait() == .code(0), "\(check.errors)")
        #expect(
            check.output.contains("\n# \"broker \(kafka.address): answers, OAUTHBEARER\"\n"),
            "\(check.output)")
        #expect(check.output.contains("token_file: \(agent.home.path("token"))\n"))
        #expect(
            check.output.contains("without tls: the token goes over the network as it is"),
            "\(check.output)")
        #expect(!check.output.contains(token) && !check.errors.contains(token))
    }

    @Test("A token that is missing, none, expired or refused is told, and the right one lets it in")
    func mistakes() throws {
        let kafka = try BearerKafka()
        let agent = try agent(kafka)
        let path = agent.home.path("token")
        let expired = UnsignedToken(subject: "shipper", expires: 1_700_000_000).text
        // Whose it is the broker cannot say.
        let nobodys = UnsignedToken(claims: #"{"iat":1700000000,"exp":\#(now + Self.hour)}"#).text
        let mistakes = [
            (nil, "open \(path): No such file or directory"),
            ("streng-geheim", "\(path): not a JWT: it has 1 parts"),
            (expired, "\(path): expired since 2023-11-14T22:13:20.000Z"),
        ]
        try agent.start()
        for (text, sentence) in mistakes {
            if let text { try agent.home.write("token", text) }
            try eventually("\(sentence) in the log; \(agent.said)") {
                agent.said.contains("error=\"\(sentence)")
            }
            // Beside the agent, which goes on.
            let check = try ChildProcess(
                findBinary(), ["check", "--connect", "--config", agent.config])
            #expect(try check.wait() == .code(1))
            #expect(check.output.contains("# in doubt: \"sasl.token_file: \(sentence)"))
            #expect(
                check.errors.contains(
                    "broker \(kafka.address): there is no token to log in with; look at the file"),
                "\(check.errors)")
            #expect(check.errors.contains(sentence), "\(check.errors)")
        }
        let address = try agent.address()
        try eventually("and in readiness; \(agent.said)") {
            try httpGet(address, "/readyz").body.contains("there is no token to log in with")
        }
        try agent.home.write("token", nobodys)
        try eventually("the broker refuses; \(agent.said)") {
            agent.said.contains("it refuses the token of output.kafka.sasl.token_file")
        }
        #expect(try count(kafka) == 0)

        let good = UnsignedToken(subject: "shipper", expires: now + Self.hour).text
        try agent.home.write("token", good)
        try eventually("its lines; \(agent.said)") { try count(kafka) == 100 }
        try eventually("it is ready; \(agent.said)") {
            try httpGet(address, "/readyz").status == 200
        }
        #expect(try agent.stop() == .code(0))
        for text in [expired, nobodys, good, "streng-geheim"] {
            #expect(!agent.said.contains(text), "\(agent.said)")
        }
    }

    @Test("A token that is replaced while lines flow is used when the first one has expired")
    func replaced() throws {
        let kafka = try BearerKafka()
        let agent = try agent(kafka)
        let expiry = now + 25
        try agent.home.write("token", UnsignedToken(subject: "first", expires: expiry).text)
        try agent.start()
        try eventually("the first lines; \(agent.said)") { try count(kafka) == 100 }
        try agent.home.write(
            "next", UnsignedToken(subject: "second", expires: now + Self.hour).text)
        try rename(agent.home.path("next"), agent.home.path("token"))
        // The broker ends the connection with the next request behind its token's time.
        try eventually("the first token has expired") { now > expiry }
        let source = LineSource("w")
        try agent.home.append(
            "logs/a.log", String(decoding: source.lines(100..<300), as: UTF8.self))
        try eventually("the others; \(agent.said)") { try count(kafka) == 300 }
        #expect(try agent.stop() == .code(0))
        #expect(try count(kafka) == 300, "nothing comes twice")
        #expect(!agent.said.contains("token_file"), "\(agent.said)")
    }
}

/// One Apache Kafka at whose second listener clients show a bearer token.
final class BearerKafka: Sendable {
    let cluster: KafkaCluster
    let address: String

    init() throws {
        let listener = try KafkaListener.bearer("BEARER")
        address = listener.address
        cluster = try KafkaCluster(home: KafkaHome(), listeners: [listener])
        try cluster.createTopic("bearer")
    }
}
