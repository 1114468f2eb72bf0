import TestSupport
import Testing

@Suite("A Kafka that is named and cannot be used is an error that says what is missing")
struct KafkaHomeTests {
    @Test("A directory without libs, or without Kafka's jars in it, is no Kafka")
    func noKafka() throws {
        let directory = try TemporaryDirectory()
        #expect {
            try KafkaHome(directory.path, java: "/bin/true")
        } throws: {
            "\($0)".contains("KAFKA_HOME is \(directory.path), which has no directory libs")
        }
        try directory.write("libs/kafka_2.13-4.1.1.jar", "")
        #expect {
            try KafkaHome(directory.path, java: "/bin/true")
        } throws: {
            "\($0)".contains("no libs/kafka-clients-*.jar")
        }
        try directory.write("libs/kafka-clients-4.1.1.jar", "")
        _ = try KafkaHome(directory.path, java: "/bin/true")
    }

    @Test("A Java that cannot run Kafka is named with what it said, at once")
    func noJava() throws {
        let directory = try TemporaryDirectory()
        try directory.write("libs/kafka_2.13-4.1.1.jar", "")
        try directory.write("libs/kafka-clients-4.1.1.jar", "")
        let java = try directory.write("java", "#!/bin/sh\necho too old >&2\nexit 3\n")
        try setMode(java, 0o755)
        let home = try KafkaHome(directory.path, java: java)
        #expect {
            try KafkaCluster(home: home)
        } throws: {
            "\($0)".contains("StorageTool") && "\($0)".contains("code(3)")
                && "\($0)".contains("too old")
        }
    }

    @Test("A reserved port is given to nobody else, as long as it is reserved")
    func ports() throws {
        let ports = try (0..<300).map { _ in try ReservedPort() }
        #expect(Set(ports.map(\.number)).count == ports.count)
    }
}
