internal import Glibc

/// An unpacked Apache Kafka, 4.0 or newer, and the Java that runs it.
package struct KafkaHome: Sendable {
    let java: String
    let libraries: String

    /// What KAFKA_HOME says; nil if it is not set, and then there is nothing to test against.
    package static let named = environmentValue("KAFKA_HOME")

    /// Why tests are skipped without it, and what to do.
    package static let absence =
        "KAFKA_HOME is not set: unpack Apache Kafka (kafka.apache.org/downloads), have a java on "
        + "PATH, and run KAFKA_HOME=<its directory> make test"

    /// What KAFKA_HOME names. It is an error, not a reason to skip, if that is no Kafka or if there is
    /// no Java.
    package init() throws {
        guard let path = Self.named else { throw MissingProgram(description: Self.absence) }
        try self.init(path, java: findProgram("java", package: "default-jre-headless"))
    }

    /// The Kafka in this directory and a Java by its path.
    package init(_ path: String, java: String) throws {
        libraries = "\(path)/libs"
        self.java = java
        guard unsafe access(libraries, R_OK | X_OK) == 0 else {
            throw MissingProgram(
                description: "KAFKA_HOME is \(path), which has no directory libs: it has to be the "
                    + "directory of an unpacked Apache Kafka")
        }
        let names = try directoryNames(libraries)
        for prefix in ["kafka_", "kafka-clients-"]
        where !names.contains(where: { $0.hasPrefix(prefix) && $0.hasSuffix(".jar") }) {
            throw MissingProgram(
                description: "KAFKA_HOME is \(path), and there is no libs/\(prefix)*.jar in it: it "
                    + "has to be the directory of an unpacked Apache Kafka")
        }
    }

    /// The arguments for Java that run a class of Kafka's, with little memory and a quick start;
    /// `log` is a log4j2 configuration.
    func arguments(running name: String, log: String) -> [String] {
        [
            "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData", "-Dlog4j2.configurationFile=\(log)", "-cp", "\(libraries)/*", name,
        ]
    }
}
