import TestSupport
import Testing

/// One Apache Kafka of three brokers, each with a proxy that clients come by. It starts before a suite's
/// first test and ends after its last one.
struct ProxiedKafka: SuiteTrait, TestScoping {
    @TaskLocal private static var running: KafkaCluster?

    /// That of the suite which runs now.
    static var current: KafkaCluster {
        get throws { try #require(running, "the suite lacks the trait .proxiedKafka") }
    }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let cluster = try KafkaCluster(home: KafkaHome(), brokers: 3, isProxied: true)
        try await Self.$running.withValue(cluster) { try await function() }
    }
}

extension Trait where Self == ProxiedKafka {
    static var proxiedKafka: Self { Self() }
}
