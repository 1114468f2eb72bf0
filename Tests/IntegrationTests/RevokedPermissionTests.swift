import TestSupport
import Testing

extension KafkaFaultTests {
    @Test("K17: a permission is taken away under load and given back: on by itself, others go on")
    func revokedPermission() throws {
        let kafka = try FaultyKafka.current
        for name in ["taken", "kept"] {
            try kafka.cluster.createTopic("logs.\(name)", partitions: 2)
            try kafka.cluster.allow(FaultyKafka.user, toWrite: "logs.\(name)")
        }
        let flows = try TopicFlows(
            kafka.cluster, at: kafka.guarded, topics: ["taken", "kept"], settings: kafka.login)
        try flows.waitForLines("taken", "kept")
        for _ in 0..<2 {
            try kafka.cluster.forbid(FaultyKafka.user, "logs.taken")
            try flows.waitForLog(
                "stream waits for its topic topic=logs.taken", "TOPIC_AUTHORIZATION_FAILED",
                "an ACL that allows Write and Describe")
            try flows.waitForReadiness(
                "topic logs.taken: TOPIC_AUTHORIZATION_FAILED", "an ACL that allows")
            try flows.waitForLines("kept")
            try kafka.cluster.allow(FaultyKafka.user, toWrite: "logs.taken")
            try flows.waitForLines("taken", "kept")
            try flows.waitForReadiness()
        }
        try flows.finish()
        try flows.expectExactly("taken", "kept")
    }

    /// Without any topic that it may write to, the client is not given the number that it needs for
    /// its records, and dies.
    @Test("K17: every permission is taken away, and one given back: on by itself, and ready")
    func revokedPermissions() throws {
        let kafka = try FaultyKafka.current
        for name in ["all-1", "all-2"] {
            try kafka.cluster.createTopic("logs.\(name)", partitions: 2)
        }
        // It begins without one.
        let flows = try TopicFlows(
            kafka.cluster, at: kafka.guarded, topics: ["all-1", "all-2"], settings: kafka.login)
        for round in 0..<2 {
            try flows.waitForLog("an ACL that allows Write")
            try flows.waitForReadiness("an ACL that allows Write")
            for name in ["all-1", "all-2"] {
                try kafka.cluster.allow(FaultyKafka.user, toWrite: "logs.\(name)")
            }
            try flows.waitForLines("all-1", "all-2")
            try flows.waitForReadiness()
            guard round == 0 else { break }
            for name in ["all-1", "all-2"] {
                try kafka.cluster.forbid(FaultyKafka.user, "logs.\(name)")
            }
        }
        try flows.finish()
        try flows.expectExactly("all-1", "all-2")
    }
}
