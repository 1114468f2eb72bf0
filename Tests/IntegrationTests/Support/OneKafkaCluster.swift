import TestSupport
import Testing

/// Gives a suite one Apache Kafka of one broker, which starts before its first test and ends after its
/// last one. If KAFKA_HOME names no Kafka, or Kafka does not start, the suite fails.
struct OneKafkaCluster: SuiteTrait, TestScoping {
    @TaskLocal private static var running: KafkaCluster?

    /// That of the suite which runs now.
    static var current: KafkaCluster {
        get throws { try #require(running, "the suite lacks the trait .oneKafkaCluster") }
    }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let cluster = try KafkaCluster(home: KafkaHome())
        try await Self.$running.withValue(cluster) { try await function() }
    }
}

extension Trait where Self == OneKafkaCluster {
    static var oneKafkaCluster: Self { Self() }
}

extension Trait where Self == ConditionTrait {
    /// Skips, visibly, where nobody named a Kafka. One that is named and does not work is a failure.
    static var needsKafka: Self { .enabled(if: KafkaHome.named != nil, "\(KafkaHome.absence)") }
}
