import TestSupport
import Testing

/// One Apache Kafka whose topics are deleted, grown and forbidden under load: nobody may write to
/// anything at the listener with a password, `shipper`, without a permission. It starts before a suite's
/// first test and ends after its last one.
final class FaultyKafka: Sendable {
    static let user = "shipper"
    private static let password = "streng-geheim"
    @TaskLocal private static var running: FaultyKafka?

    let cluster: KafkaCluster
    /// The listener that wants a password.
    let guarded: String
    /// What the agent needs for it.
    let login = "sasl: {mechanism: PLAIN, username: \(user), password: \(password)}"

    /// That of the suite which runs now.
    static var current: FaultyKafka {
        get throws { try #require(running, "the suite lacks the trait .faultyKafka") }
    }

    private init() throws {
        let listener = try KafkaListener.plain("GUARDED", user: Self.user, password: Self.password)
        guarded = listener.address
        cluster = try KafkaCluster(
            home: KafkaHome(), listeners: [listener],
            properties: [
                "authorizer.class.name":
                    "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                // Of the listeners without a password.
                "super.users": "User:ANONYMOUS",
                // What a deleted topic had is looked at.
                "log.segment.delete.delay.ms": "3600000",
            ])
    }

    /// Gives a suite one of them.
    struct Scope: SuiteTrait, TestScoping {
        func provideScope(
            for test: Test, testCase: Test.Case?,
            performing function: @Sendable () async throws -> Void
        ) async throws {
            let kafka = try FaultyKafka()
            try await FaultyKafka.$running.withValue(kafka) { try await function() }
        }
    }
}

extension Trait where Self == FaultyKafka.Scope {
    static var faultyKafka: Self { Self() }
}
