internal import Glibc

/// librdkafka's mock cluster in a process of its own, so that it can be stopped and killed. It keeps
/// about 5 MB a partition: who audits what it got consumes while it is produced. After a fault it may
/// hold a record twice where a real broker holds it once: librdkafka 2.0.2's mock does not check the
/// sequence numbers of idempotent producers.
package final class BrokerProcess: Sendable {
    /// Requests that `failNext` makes fail, by their number in Kafka's protocol.
    package enum Request: Int, Sendable {
        case produce = 0
    }

    /// A verdict to provoke, by its number in Kafka's protocol and librdkafka.
    package enum Fault: Int, Sendable {
        case none = 0
        case unknownTopic = 3
        case messageTooLarge = 10
        case notEnoughReplicas = 19
        case topicAuthorizationFailed = 29
        /// The broker drops the connection instead of answering.
        case disconnect = -195
    }

    /// What a client's `bootstrap.servers` wants.
    package let address: String
    package let process: ChildProcess
    /// The same, one `host:port` an entry.
    package var addresses: [String] { address.split(separator: ",").map(String.init) }

    /// Starts `brokers` brokers and makes each of `topics` with `partitions` partitions; any other
    /// topic appears with 4 when a client asks for it.
    package init(brokers: Int = 1, partitions: Int = 1, topics: [String] = []) throws {
        process = try ChildProcess(
            try findProduct("mock-broker"), ["\(brokers)", "\(partitions)"] + topics, input: .pipe)
        let process = process
        try eventually("the mock broker prints its address; it says: \(process.errors)") {
            if let exit = try process.exit {
                throw TimedOut(description: "the mock broker ended, \(exit): \(process.errors)")
            }
            return process.output.contains("\n")
        }
        address = String(process.output.prefix { $0 != "\n" })
    }

    /// SIGSTOP: connections stay, nothing is answered.
    package func pause() { process.signal(SIGSTOP) }

    /// SIGCONT
    package func resume() { process.signal(SIGCONT) }

    /// SIGKILL: its topics are gone, and it does not come back.
    package func kill() { process.end() }

    /// Gives it a command (see Tests/MockBroker/main.c) and waits until it was obeyed. One thread.
    package func command(_ line: String) throws {
        let before = process.output.count { $0 == "\n" }
        try process.write(Array("\(line)\n".utf8))
        let process = process
        try eventually("the mock broker obeys: \(line)") {
            process.output.count { $0 == "\n" } > before
        }
        let answer = process.output.split(separator: "\n", omittingEmptySubsequences: false)[before]
        guard answer == "ok" else {
            throw TimedOut(description: "the mock broker refused \"\(line)\": \(answer)")
        }
    }

    /// Cuts all connections of the broker with this number, from 1, or of all, and takes no new ones.
    package func takeDown(broker: Int? = nil) throws { try command("down \(broker ?? -1)") }

    /// Takes connections again.
    package func bringUp(broker: Int? = nil) throws { try command("up \(broker ?? -1)") }

    /// Delays every answer of one broker, or of all.
    package func setRoundTrip(broker: Int? = nil, milliseconds: Int) throws {
        try command("rtt \(broker ?? -1) \(milliseconds)")
    }

    /// Creates a topic, replicated once. A topic that exists is refused.
    package func createTopic(_ name: String, partitions: Int = 4) throws {
        try command("topic \(name) \(partitions)")
    }

    /// Makes every metadata request for the topic fail, as if it did not exist or might not be
    /// seen; `none` ends that. Creates the topic if need be.
    package func setTopic(_ name: String, _ fault: Fault) throws {
        try command("topic-error \(name) \(fault.rawValue)")
    }

    /// The next requests of this kind fail with these faults, in turn; `none` lets one through.
    package func failNext(_ request: Request, with faults: [Fault]) throws {
        let codes = faults.map { " \($0.rawValue)" }.joined()
        try command("errors \(request.rawValue)\(codes)")
    }
}
