import Model
import Platform
import Registry
import Tailer
import Testing

@testable import Shipper

@Suite("Counters") struct CountersTests {
    @Test("Sums of the largest sizes stay at the largest number, and metrics can be asked for them")
    func extremes() {
        let counters = Counters()
        let events = CountedEvents(EventLog(Log(level: .error, format: .text) { _ in }))
        for _ in 0..<10 {
            for number in [Int.max, OutsideNumber.most] {
                counters.lost(number, .truncated)
                counters.lost(number, .deletedUnread)
                counters.count(
                    .hole(
                        path: "/a",
                        range: ByteRange(start: Base.none.start, end: LogicalOffset(number))))
                counters.taken(number)
                counters.delivered(records: number, bytes: number)
                counters.sent(records: number)
                events.report(.synced(nanoseconds: .max))
            }
            counters.count(.missed(path: "/a"))
        }
        #expect(counters.bytesLost == .max)
        #expect(counters.bytesLostByReason == [.truncated: .max, .deletedUnread: .max])
        #expect(counters.holeBytes == .max)
        #expect(counters.bytesTaken == .max)
        #expect(counters.bytesDelivered == .max)
        #expect(counters.recordsWaiting == 0)
        #expect(counters.archivesMissed == 10)
        #expect(events.registrySyncs.nanoseconds == .max)

        var figures = Figures()
        figures.unreadBytes = .max
        figures.bytesRead = .max
        figures.bytesDelivered = 1
        figures.bytesLost = counters.bytesLostByReason
        figures.holeBytes = counters.holeBytes
        let page = Metric.page(figures)
        #expect(page.contains("\nshipper_lag_bytes 9223372036854775807\n"))
        #expect(page.contains("\nshipper_hole_bytes_total 9223372036854775807\n"))
    }

    @Test("What a producer leaves behind at its end is neither awaited nor behind any more")
    func settled() {
        let counters = Counters()
        counters.taken(100)
        counters.sent(records: 10)
        counters.delivered(records: 4, bytes: 40)
        counters.settle()
        #expect(counters.recordsWaiting == 0 && counters.bytesUndelivered == 60)
        // They are read again.
        counters.taken(60)
        counters.sent(records: 6)
        #expect(counters.recordsWaiting == 6)
        counters.delivered(records: 6, bytes: 60)
        counters.settle()
        #expect(counters.recordsWaiting == 0 && counters.bytesUndelivered == 60)
        #expect(counters.bytesTaken - counters.bytesDelivered - counters.bytesUndelivered == 0)
    }
}
