internal import CTestSupport

/// What an operator does to a cluster that is in use.
extension KafkaCluster {
    /// How long the cluster may take to do what it is told, milliseconds.
    private static let patience: Int32 = 60_000

    /// Removes a topic, and waits until no broker knows it.
    package func deleteTopic(_ name: String) throws {
        unsafe try Self.ask("delete \(name)") { error, size in
            unsafe ctest_kafka_delete_topic(address, name, Self.patience, error, size)
        }
        try waitUntilAllKnow(name, partitions: 0)
    }

    /// Removes a topic and makes it again as fast as the cluster does that.
    package func remakeTopic(_ name: String, partitions: Int) throws {
        unsafe try Self.ask("delete \(name)") { error, size in
            unsafe ctest_kafka_delete_topic(address, name, Self.patience, error, size)
        }
        try createTopic(name, partitions: partitions)
    }

    /// Gives a topic more partitions, so that it has `partitions`, and waits until all are served.
    package func growTopic(_ name: String, partitions: Int) throws {
        unsafe try Self.ask("grow \(name)") { error, size in
            unsafe ctest_kafka_grow_topic(
                address, name, Int32(partitions), Self.patience, error, size)
        }
        try waitUntilAllKnow(name, partitions: partitions)
    }

    /// Sets one property of a topic; its others are set to their defaults.
    package func setTopic(_ name: String, _ property: String, _ value: String) throws {
        unsafe try Self.ask("\(property) of \(name)") { error, size in
            unsafe ctest_kafka_set_topic(
                address, name, property, value, Self.patience, error, size)
        }
    }

    /// Lets a user write to a topic, and so know of it.
    package func allow(_ user: String, toWrite topic: String) throws {
        try allow(user, topic, writes: true)
    }

    /// Lets a user know of a topic, and no more.
    package func allow(_ user: String, toDescribe topic: String) throws {
        try allow(user, topic, writes: false)
    }

    private func allow(_ user: String, _ topic: String, writes: Bool) throws {
        unsafe try Self.ask("allow \(user) \(topic)") { error, size in
            unsafe ctest_kafka_allow(
                address, "User:\(user)", topic, writes ? 1 : 0, Self.patience, error, size)
        }
    }

    /// Takes every permission of a user for a topic away; without one, for all topics.
    package func forbid(_ user: String, _ topic: String = "") throws {
        unsafe try Self.ask("forbid \(user) \(topic)") { error, size in
            unsafe ctest_kafka_forbid(
                address, "User:\(user)", topic, Self.patience, error, size)
        }
    }

    /// Removes all records that a partition has now.
    package func deleteRecords(of topic: String, partition: Int = 0) throws {
        unsafe try Self.ask("delete records of \(topic)") { error, size in
            unsafe ctest_kafka_delete_records(
                address, topic, Int32(partition), -1, Self.patience, error, size)
        }
    }

    /// Lets a user in by SCRAM, with this password.
    package func addUser(_ user: String, password: String) throws {
        // It takes one kind at a time.
        for bits in [256, 512] {
            try run(
                tool: "kafka.admin.ConfigCommand",
                [
                    "--alter", "--entity-type", "users", "--entity-name", user, "--add-config",
                    "SCRAM-SHA-\(bits)=[password=\(password)]",
                ])
        }
    }

    /// Bounds the bytes of records in a second that clients of this `client.id` may send; nil takes
    /// the bound away.
    package func setQuota(client: String, bytesPerSecond: Int?) throws {
        let change =
            bytesPerSecond.map { ["--add-config", "producer_byte_rate=\($0)"] }
            ?? ["--delete-config", "producer_byte_rate"]
        try run(
            tool: "kafka.admin.ConfigCommand",
            ["--alter", "--entity-type", "clients", "--entity-name", client] + change)
    }
}
