import Shipper
import TestSupport
import Testing

extension KafkaFaultTests {
    /// 1. Somebody writes in the name of the agent's producer, as its later life.
    /// 2. The broker refuses the agent's own records from then on (INVALID_PRODUCER_EPOCH), of any
    ///    number up to that.
    @Test("A producer that is fenced is made anew by itself: none lost, none twice, in order")
    func fencedProducer() throws {
        let kafka = try FaultyKafka.current.cluster
        for name in ["fenced", "beside"] {
            try kafka.createTopic("logs.\(name)", partitions: 2)
        }
        let flows = try TopicFlows(kafka, topics: ["fenced", "beside"])
        for fence in 1...2 {
            try flows.waitForLines("fenced", "beside")
            let (partition, last) = try flows.newest("fenced")
            try kafka.impersonate(
                producer: last.producer, epoch: last.epoch + 1_000, topic: "logs.fenced",
                partition: partition)
            try eventually("a producer of another number; \(flows.agent.said)") {
                try flows.pieces(of: "fenced").contains { piece in
                    piece.partition == partition
                        && (piece.records.last?.producer ?? 0) > last.producer
                }
            }
            #expect(flows.agent.said.contains("INVALID_PRODUCER_EPOCH"), "\(fence)")
        }
        try flows.waitForLines("fenced", "beside")
        try flows.waitForReadiness()
        try flows.finish()
        try flows.expectExactly("fenced", "beside")
    }

    /// What a disk loses that said that it had it is lost; the sequence numbers of what comes next
    /// do not follow then, and the client dies of it.
    @Test("A broker comes back without its last records: on by itself, and no other line is lost")
    func shortenedLog() throws {
        let kafka = try FaultyKafka.current.cluster
        for name in ["cut", "whole"] {
            try kafka.createTopic("logs.\(name)", partitions: 2)
        }
        let flows = try TopicFlows(
            kafka, topics: ["cut", "whole"], properties: "reconnect.backoff.max.ms: \"500\"",
            more: "limits: {in_flight: 256KiB}")
        try flows.waitForLines("cut", "whole")
        let (partition, last) = try flows.newest("cut")
        kafka.kill()
        let lost = try kafka.cut(5, batchesOf: "logs.cut", partition: partition)
        try kafka.restart()
        try flows.waitForLog("producer failed; making a new one", "OUT_OF_ORDER_SEQUENCE_NUMBER")
        try flows.waitForLines("cut", "whole")
        try flows.waitForReadiness()
        try flows.finish()
        #expect(try flows.newest("cut").record.producer > last.producer)
        let (cut, whole) = (try flows.report("cut"), try flows.report("whole"))
        #expect(cut.foreign == 0 && cut.outOfOrder == 0 && whole.isComplete, "\(cut) \(whole)")
        // What was on its way when the broker was killed may be there, and is sent again.
        #expect(cut.lost <= lost.count, "\(cut), \(lost.count) cut\n\(flows.agent.said)")
        // Of the credit each record takes 200 bytes beside its own.
        let inFlight = 256 * 1024 / 200
        #expect(cut.duplicated + whole.duplicated <= inFlight, "\(cut) \(whole)")
    }

    @Test("Records are deleted under a producer, with all that its broker knew of it: goes on")
    func deletedRecords() throws {
        let kafka = try FaultyKafka.current.cluster
        try kafka.createTopic("logs.emptied", partitions: 1)
        let flows = try TopicFlows(kafka, topics: ["emptied"])
        for _ in 0..<3 {
            try flows.waitForLines("emptied")
            try kafka.deleteRecords(of: "logs.emptied")
        }
        try flows.waitForLines("emptied")
        try flows.finish()
        // The segment keeps what its offsets leave out.
        try flows.expectExactly("emptied")
    }
}
