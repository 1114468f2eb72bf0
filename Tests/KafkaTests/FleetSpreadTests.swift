import Testing

@testable import Kafka

@Suite("Nodes of a fleet connect each in its own time") struct FleetSpreadTests {
    @Test("Five thousand nodes are spread over a second and over ten, each the same each time")
    func even() {
        var starts = Array(repeating: 0, count: 10)
        var backOffs = Array(repeating: 0, count: 10)
        for number in 0..<5_000 {
            let spread = FleetSpread(node: "node-\(number)", isFleet: true)
            #expect(spread == FleetSpread(node: "node-\(number)", isFleet: true))
            guard (0..<1_000).contains(spread.start), (10_000...20_000).contains(spread.backOff)
            else {
                Issue.record("\(spread)")
                continue
            }
            starts[spread.start / 100] += 1
            backOffs[min(9, (spread.backOff - 10_000) / 1_000)] += 1
        }
        // 500 in each, a quarter more or less.
        for count in starts + backOffs { #expect((375...625).contains(count), "\(count)") }
    }

    @Test("A node on its own connects at once")
    func alone() {
        #expect(FleetSpread(node: "node-1", isFleet: false).start == 0)
    }

    @Test("The back-off is the client's, and the pass-through's counts more")
    func property() throws {
        var settings = KafkaSettings(brokers: ["127.0.0.1:1"])
        settings.spread = FleetSpread(node: "node-1", isFleet: true)
        func longest() throws -> Int? {
            try ClientConfiguration.producer(settings, connecting: false)
                .number("reconnect.backoff.max.ms")
        }
        #expect(try longest() == settings.spread?.backOff)
        settings.properties = [.init("reconnect.backoff.max.ms", "700")]
        #expect(try longest() == 700)
        #expect(settings.faults().isEmpty)
    }
}
