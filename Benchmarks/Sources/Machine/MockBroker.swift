internal import CRdkafka
internal import Glibc

/// librdkafka's mock cluster, as what a process does that can be measured apart. It acknowledges
/// everything, makes topics with 4 partitions when they are asked for, and keeps about 5 MB of each
/// partition.
package enum MockBroker {
    /// Serves until standard input is closed; the first line of standard output is the addresses. Each
    /// line of the input is answered by a line, which begins with "ok" or says what is wrong:
    ///
    ///     topic NAME PARTITIONS     makes a topic
    ///     requests                  "ok N": so many requests with records came so far, "ok" if they
    ///                               were too many to be counted
    package static func serve(brokers: Int) throws(MachineError) {
        let client = unsafe try makeClient(RD_KAFKA_PRODUCER, ["log_level": "0"])
        defer { unsafe rd_kafka_destroy(client) }
        guard let cluster = unsafe rd_kafka_mock_cluster_new(client, Int32(brokers)),
            let address = unsafe rd_kafka_mock_cluster_bootstraps(cluster)
        else { throw MachineError("the mock broker does not start: no loopback socket") }
        // The cluster's thread uses the client, so it goes first.
        defer { unsafe rd_kafka_mock_cluster_destroy(cluster) }
        let meter = unsafe ProduceMeter(cluster, brokers: brokers)
        try StandardStream.output.write(unsafe String(cString: address) + "\n")
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 512)
        while true {
            try meter.look()
            var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&input, 1, ProduceMeter.milliseconds) > 0 else { continue }
            let count = unsafe read(0, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: 0x0A) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                let answer = unsafe try obey(line, cluster, meter, brokers: brokers)
                try StandardStream.output.write(answer + "\n")
            }
        }
    }

    private static func obey(
        _ line: String, _ cluster: OpaquePointer, _ meter: ProduceMeter, brokers: Int
    ) throws(MachineError) -> String {
        let words = line.split(separator: " ").map(String.init)
        if words == ["requests"] {
            try meter.look()
            return meter.requests.map { "ok \($0)" } ?? "ok"
        }
        if words.count == 3, words[0] == "topic", let partitions = Int32(words[2]) {
            let code = unsafe rd_kafka_mock_topic_create(
                cluster, words[1], partitions, Int32(min(3, brokers)))
            return code == RD_KAFKA_RESP_ERR_NO_ERROR ? "ok" : reason(code)
        }
        return "no such command: \(line)"
    }
}

/// Counts the requests with records that a mock cluster gets. librdkafka lets a test foresee an error
/// for each of the next requests of a kind; here none is foreseen for a good number of them, and what
/// of these is used up has come. One thread.
@safe
private final class ProduceMeter {
    /// How often to look.
    static let milliseconds: Int32 = 50
    /// So many are foreseen for each broker: 80,000 requests a second, more than one answers.
    private static let ahead = 4_000
    /// Produce, as the protocol numbers requests.
    private static let kind: Int16 = 0

    private let cluster: OpaquePointer
    /// By broker.
    private var foreseen: [Int]
    private var came: [Int]
    private var isComplete = true

    init(_ cluster: OpaquePointer, brokers: Int) {
        unsafe self.cluster = cluster
        foreseen = Array(repeating: 0, count: brokers)
        came = foreseen
    }

    /// At the last look; nil: more came than were foreseen.
    var requests: Int? { isComplete ? came.reduce(0, +) : nil }

    /// Takes notice of those that came, and foresees more.
    func look() throws(MachineError) {
        for index in foreseen.indices {
            let broker = Int32(index + 1)
            var left = 0
            var code = unsafe rd_kafka_mock_broker_error_stack_cnt(
                cluster, broker, Self.kind, &left)
            if left == 0 && foreseen[index] > 0 { isComplete = false }
            came[index] = foreseen[index] - left
            while code == RD_KAFKA_RESP_ERR_NO_ERROR && foreseen[index] - came[index] < Self.ahead {
                code = unsafe shim_mock_foresee(cluster, broker, Self.kind)
                foreseen[index] += 1
            }
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw MachineError("requests of the mock broker: \(reason(code))")
            }
        }
    }
}
