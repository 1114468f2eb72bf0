import Shipper
import Testing

@Suite("An audit sees every fault")
struct AuditTests {
    private let one = LineSource("one", seed: 7)
    private let two = LineSource("two", seed: 8)

    @Test("Everything once and in order is clean, whatever the order between writers")
    func clean() {
        var audit = expecting()
        for sequence in 0..<100 {
            audit.arrived(two.line(sequence))
            audit.arrived(one.line(99 - (99 - sequence)))
        }
        #expect(audit.report.isClean)
        #expect(audit.report.delivered == 200)
    }

    @Test("One line dropped and another repeated are both reported, by name")
    func dropAndRepeat() {
        var audit = expecting()
        for sequence in 0..<100 {
            if sequence != 41 { audit.arrived(one.line(sequence)) }
            if sequence == 50 { audit.arrived(one.line(17)) }
            audit.arrived(two.line(sequence))
        }
        let report = audit.report
        #expect(!report.isClean && !report.isComplete)
        #expect((report.lost, report.duplicated, report.outOfOrder) == (1, 1, 0))
        #expect("\(report)".contains("one 41..<42: lost"))
        #expect("\(report)".contains("one 17: again"))
    }

    @Test("A line that overtakes another is out of order")
    func overtaking() {
        var audit = expecting()
        for sequence in [1, 0] + Array(2..<100) { audit.arrived(one.line(sequence)) }
        for sequence in 0..<100 { audit.arrived(two.line(sequence)) }
        #expect(audit.report.outOfOrder == 1)
        #expect(!audit.report.isComplete)
    }

    @Test("A damaged, a cut and a strange line are foreign, and the true line is lost")
    func foreign() {
        var audit = expecting()
        for sequence in 0..<100 { audit.arrived(two.line(sequence)) }
        for sequence in 1..<100 { audit.arrived(one.line(sequence)) }
        var damaged = one.line(0)
        damaged[damaged.count - 1] ^= 1
        audit.arrived(damaged)
        audit.arrived(one.line(0).dropLast())
        audit.arrived(Array("three 0 x".utf8))
        audit.arrived([])
        #expect((audit.report.foreign, audit.report.lost) == (4, 1))
    }

    @Test("A source makes the same line again, and other writers other lines")
    func repeatable() {
        #expect(one.line(5) == LineSource("one", seed: 7).line(5))
        #expect(one.line(5).dropFirst(4) != two.line(5).dropFirst(4))
        let lengths = Set((0..<1000).map { one.line($0).count })
        #expect(lengths.count > 200)
    }

    private func expecting() -> Audit {
        var audit = Audit()
        audit.expect(one, lines: 100)
        audit.expect(two, lines: 100)
        return audit
    }
}
