import TestSupport
import Testing

@Suite("Killed at any moment, the shipper loses nothing and repeats little", .serialized)
struct KillTests {
    @Test("T31: 30 times SIGKILL under live s6-log writers: nothing lost, repeats within in_flight")
    func kills() throws {
        let broker = try BrokerProcess(partitions: 3, topics: ["logs"])
        try KilledAgent(broker, topic: "logs").run(kills: 30)
    }
}
