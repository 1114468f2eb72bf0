import Testing

@testable import Kafka

@Suite("What an audit has seen") struct AuditReportTests {
    @Test(
        "Offsets that a broker may name, the largest and negative ones too, are counted and stop nothing"
    )
    func extremes() {
        let offsets: [Int64] = [
            .min, -1, 0, 1, (1 << 60) - 1, 1 << 60, (1 << 60) + 1, .max - 1, .max,
        ]
        for expected in offsets {
            var report = AuditConsumer.Report()
            for offset in offsets {
                let following = report.take(offset, expected: expected)
                #expect((following == nil) == (offset < expected))
                #expect(report.missing >= 0)
            }
            #expect(report.records + report.repeated == offsets.count)
        }
        #expect(AuditConsumer.Extent(low: .min, high: .max).held == .max)
        #expect(AuditConsumer.Extent(low: .max, high: .min).held == .min)
    }

    @Test("A gap counts what is missing, and a second time counts as repeated")
    func counts() {
        var report = AuditConsumer.Report()
        #expect(report.take(0, expected: 0) == 1)
        #expect(report.take(5, expected: 1) == 6)
        #expect(report.take(5, expected: 6) == nil)
        #expect((report.records, report.missing, report.repeated) == (2, 4, 1))
    }
}
