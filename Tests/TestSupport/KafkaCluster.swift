internal import CTestSupport
internal import Glibc

/// A real Apache Kafka of one or more brokers on loopback. It ends with the last
/// reference, and with the test process however that ends; its data is removed then. Any thread may
/// use it.
package final class KafkaCluster: KafkaServers {
    /// As the brokers are found now, without a proxy.
    package var address: String { brokers.map(\.address).joined(separator: ",") }
    let brokers: [KafkaBroker]
    private let home: KafkaHome
    private let listeners: [KafkaListener]
    private let properties: [String: String]
    private let directory: TemporaryDirectory

    /// Starts it and waits until a client is answered by all brokers. `listeners` are those of one
    /// broker, beside the plain one at `address`. `properties` are added to each
    /// broker's own. Topics exist only once they are created here; they are on up to three brokers,
    /// and with three a record is acknowledged when two have it. Where it `isProxied` each broker has
    /// a proxy, by which clients come that begin at `proxied`.
    package init(
        home: KafkaHome, brokers count: Int = 1, listeners: [KafkaListener] = [],
        properties: [String: String] = [:], isProxied: Bool = false
    ) throws {
        let directory = try TemporaryDirectory()
        let brokers = try (1...count).map { number in
            try KafkaBroker(
                number, home: home, directory: directory.path("broker-\(number)"),
                isProxied: isProxied)
        }
        self.directory = directory
        self.home = home
        self.listeners = listeners
        self.properties = properties
        self.brokers = brokers
        try form()
    }

    /// One for each broker, where there are any.
    package var proxies: [KafkaProxy] { brokers.compactMap(\.proxy) }
    /// What the `bootstrap.servers` of a client wants that is to come by them.
    package var proxied: String { proxies.map(\.address).joined(separator: ",") }

    /// Makes a cluster of the brokers, none of which runs or has data.
    private func form() throws {
        let cluster = String((0..<22).map { _ in "ABCDEFGHIJKLMNOP".randomElement() ?? "A" })
        for broker in brokers {
            try broker.configure(
                voters: brokers.map(\.voter), listeners: listeners, more: properties)
            try broker.format(cluster: cluster)
        }
        for broker in brokers { try broker.finishFormat() }
        for broker in brokers { try broker.start() }
        for broker in brokers {
            try wait(for: broker, "serves") { $0.brokers == brokers.count }
        }
    }

    /// Kills all brokers and has those of another cluster take their addresses, or others where they
    /// move: they have other numbers, and no topic. Waits until they serve.
    package func replace(moving: Bool = false) throws {
        for broker in brokers { broker.signal(SIGKILL) }
        for broker in brokers {
            broker.kill()
            broker.replace()
            if moving { try broker.move() }
        }
        try form()
    }

    /// Kills a broker and starts it again on the same data, where its clients find it at another port;
    /// waits until every partition is served.
    package func move(broker: Int) throws {
        let moved = brokers[broker - 1]
        moved.kill()
        try moved.move()
        try moved.configure(
            voters: brokers.map(\.voter), listeners: listeners, more: properties)
        try restart(broker: broker)
    }

    /// What leads to a broker wherever that is: an address that stays, as a name or a service in
    /// front of a cluster does.
    package func front(to broker: Int = 1) throws -> KafkaProxy {
        try KafkaProxy(to: brokers[broker - 1].port)
    }

    /// Has what stands in front of the cluster lead to a broker, as it is found now.
    package func lead(_ front: KafkaProxy, to broker: Int = 1) {
        front.lead(to: brokers[broker - 1].port)
    }

    deinit { for broker in brokers { broker.kill() } }

    /// Makes a topic and waits until every partition is served.
    package func createTopic(_ name: String, partitions: Int = 1) throws {
        let address = address
        unsafe try Self.ask("topic \(name)") { error, size in
            unsafe ctest_kafka_create_topic(
                address, name, Int32(partitions), Int32(min(brokers.count, 3)), 30_000, error, size)
        }
        try waitUntilAllKnow(name, partitions: partitions)
    }

    /// Waits until each broker says that a topic has so many partitions, which is 0 for one that is
    /// not there, and until each of these is served.
    func waitUntilAllKnow(_ topic: String, partitions: Int) throws {
        for broker in brokers {
            try wait(for: broker, "has topic \(topic) with \(partitions)", topic: topic) {
                $0.partitions == partitions
            }
        }
    }

    /// Runs one of Kafka's own tools on this cluster to its end.
    func run(tool name: String, _ arguments: [String]) throws {
        let tool = try ChildProcess(
            home.java,
            home.arguments(running: name, log: directory.path("broker-1/log4j2.properties"))
                + ["--bootstrap-server", address] + arguments,
            environment: ["LOG_DIR": directory.path("")])
        let exit = try tool.wait()
        guard exit == .code(0) else {
            throw TimedOut(description: "\(name): \(exit), \(tool.output) \(tool.errors)")
        }
    }

    /// SIGKILL for the broker with this number, from 1. Its data stays.
    package func kill(broker: Int = 1) { brokers[broker - 1].kill() }

    /// Starts a killed broker again, on the same data and port, and waits until every
    /// partition is served.
    package func restart(broker: Int = 1) throws {
        try brokers[broker - 1].start()
        let address = brokers[broker - 1].address
        try wait(for: brokers[broker - 1], "serves at \(address)") { $0.brokers > 0 }
    }

    package func pause() { for broker in brokers { broker.signal(SIGSTOP) } }

    package func resume() { for broker in brokers { broker.signal(SIGCONT) } }

    /// SIGSTOP for one broker, from 1.
    package func pause(broker: Int) { brokers[broker - 1].signal(SIGSTOP) }

    /// SIGCONT for one broker, from 1.
    package func resume(broker: Int) { brokers[broker - 1].signal(SIGCONT) }

    /// The bytes of the first segment of a partition, as the broker with this number has them on the
    /// disk: record batches in Kafka's own format.
    package func segment(of topic: String, partition: Int = 0, broker: Int = 1) throws -> [UInt8] {
        try readFile("\(brokers[broker - 1].data)/\(topic)-\(partition)/00000000000000000000.log")
    }

    /// Waits until the broker gives a client the answer that is wanted, and every partition answers.
    private func wait(
        for broker: KafkaBroker, _ what: String, topic: String = "",
        until isWanted: (Description) -> Bool
    ) throws {
        var last = "nothing"
        try eventually(
            "Kafka broker \(broker.number) \(what); last answer: \(last); it says: \(broker.said)"
        ) {
            try broker.checkAlive()
            do throws(Refusal) {
                let answer = try Self.describe(broker.address, topic: topic)
                last = "\(answer)"
                return isWanted(answer) && answer.silent == 0
            } catch {
                last = error.description
                return false
            }
        }
    }

    /// What a client was told instead of an answer.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// What the cluster looks like from one of its brokers.
    private struct Description {
        let brokers: Int
        /// Of the topic that was asked for.
        let partitions: Int
        /// Partitions of any topic that do not answer.
        let silent: Int
    }

    private static func describe(
        _ address: String, topic: String
    ) throws(Refusal) -> Description {
        var brokers: Int32 = 0
        var partitions: Int32 = 0
        var silent: Int32 = 0
        unsafe try ask(address) { error, size in
            unsafe ctest_kafka_describe(
                address, topic, 300, &brokers, &partitions, &silent, error, size)
        }
        return Description(
            brokers: Int(brokers), partitions: Int(partitions), silent: Int(silent))
    }

    static func ask(
        _ subject: String, _ call: (UnsafeMutablePointer<CChar>?, Int) -> Int32
    ) throws(Refusal) {
        var text = [CChar](repeating: 0, count: 512)
        let result = unsafe text.withUnsafeMutableBufferPointer {
            unsafe call($0.baseAddress, $0.count)
        }
        guard result != 0 else { return }
        let reason = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        throw Refusal(description: "\(subject): \(String(decoding: reason, as: UTF8.self))")
    }
}

/// Something with brokers that tests stop and let go on.
package protocol KafkaServers: Sendable {
    /// What a client's `bootstrap.servers` wants.
    var address: String { get }
    /// SIGSTOP for all brokers: connections stay, nothing is answered.
    func pause()
    /// SIGCONT
    func resume()
}

extension KafkaServers {
    /// The address of each broker.
    package var addresses: [String] { address.split(separator: ",").map(String.init) }
}

extension BrokerProcess: KafkaServers {}
