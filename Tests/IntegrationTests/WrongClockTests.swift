import TestSupport
import Testing

extension KafkaFaultTests {
    /// Kafka 4 refuses a record whose time is more than an hour ahead, and librdkafka gives each the
    /// time of its sending.
    @Test("K15: the clock is three hours ahead, and is set right: told, nothing lost or repeated")
    func wrongClock() throws {
        let kafka = try FaultyKafka.current.cluster
        try kafka.createTopic("logs.early", partitions: 2)
        let clock = try ShiftedClock()
        let flows = try TopicFlows(kafka, topics: ["early"], wrapper: clock.wrapper)
        for _ in 0..<2 {
            try flows.waitForLines("early")
            try clock.set(ahead: 3 * 3_600)
            try flows.waitForLog(
                "stream waits for its topic topic=logs.early", "INVALID_TIMESTAMP",
                "set the clock of this machine right")
            try flows.waitForReadiness("topic logs.early: INVALID_TIMESTAMP", "set the clock")
            try clock.set(ahead: 0)
        }
        try flows.waitForLines("early")
        try flows.waitForReadiness()
        try flows.finish()
        try flows.expectExactly("early")
    }
}
