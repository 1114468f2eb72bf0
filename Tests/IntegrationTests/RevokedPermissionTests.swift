import TestSupport
import Testing

extension KafkaFaultTests {
    @Test("K17: a permission is taken away under load and given back: on by itself, others go on")
    func revokedPermission() throws {
        let kafka = try FaultyKafka.current
        try kafka.cluster.forbid(FaultyKafka.user)
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
        try kafka.cluster.forbid(FaultyKafka.user)
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

    @Test(
        "check --connect tells who may not know a topic's limits whether it can be written, and writes nothing"
    )
    func checked() throws {
        let kafka = try FaultyKafka.current
        try kafka.cluster.forbid(FaultyKafka.user)
        for name in ["may", "sees"] { try kafka.cluster.createTopic("logs.\(name)") }
        try kafka.cluster.allow(FaultyKafka.user, toWrite: "logs.may")
        try kafka.cluster.allow(FaultyKafka.user, toDescribe: "logs.sees")
        func check(_ topic: String) throws -> (exit: ChildProcess.Exit, text: String) {
            let agent = try Agent(
                kafka.guarded, path: "*.log", kafka: "topic: \(topic), \(kafka.login)")
            let check = try agent.launch(["check", "--connect", "--config", agent.config])
            return (try check.wait(), check.output + check.errors)
        }
        let may = try check("logs.may")
        #expect(may.exit == .code(0), "\(may.text)")
        #expect(
            may.text.contains(
                "topic logs.may: 1 partitions, 1 replicas, its limits are not for this user "
                    + "(DESCRIBE_CONFIGS), can be written"), "\(may.text)")
        let sees = try check("logs.sees")
        #expect(sees.exit == .code(1), "\(sees.text)")
        #expect(
            sees.text.contains("topic logs.sees: cannot be written: TOPIC_AUTHORIZATION_FAILED"),
            "\(sees.text)")
        for topic in ["logs.may", "logs.sees"] {
            #expect(try AuditCount.of(kafka.cluster, topic: topic) == 0)
        }
    }

    /// 1. The client may know the topics, so nothing is wrong with them.
    /// 2. Nobody gives it the number that an idempotent producer needs: it dies, and so does each that
    ///    takes its place.
    @Test("K17: who may see its topics and write to none is told of it, and goes on when it may")
    func describeOnly() throws {
        let kafka = try FaultyKafka.current
        try kafka.cluster.forbid(FaultyKafka.user)
        try kafka.cluster.createTopic("logs.seen", partitions: 2)
        try kafka.cluster.allow(FaultyKafka.user, toDescribe: "logs.seen")
        let flows = try TopicFlows(
            kafka.cluster, at: kafka.guarded, topics: ["seen"], settings: kafka.login)
        try flows.waitForLog(
            "producer failed", "CLUSTER_AUTHORIZATION_FAILED", "an ACL that allows Write")
        try flows.waitForReadiness("producer: ", "CLUSTER_AUTHORIZATION_FAILED", "allows Write")
        try kafka.cluster.allow(FaultyKafka.user, toWrite: "logs.seen")
        try flows.waitForLines("seen")
        try flows.waitForReadiness()
        try flows.finish()
        try flows.expectExactly("seen")
    }
}
