internal import Glibc

/// librdkafka's mock cluster in a process of its own, so that it can be stopped and killed. It keeps
/// about 5 MB a partition: who audits what it got consumes while it is produced.
package final class BrokerProcess: Sendable {
    /// What a client's `bootstrap.servers` wants.
    package let address: String
    package let process: ChildProcess

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

    /// The broker with this number, from 1, refuses connections.
    package func takeDown(broker: Int = 1) throws { try command("down \(broker)") }

    /// The broker with this number, from 1, takes connections again.
    package func bringUp(broker: Int = 1) throws { try command("up \(broker)") }
}
