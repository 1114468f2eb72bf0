import Patterns
import Settings
import Shipper
import Testing

@Suite("A demo is as big as it was told to be")
struct DemoPlanTests {
    @Test(
        "The lines of all writers and all rounds are the lines of the plan, each once",
        arguments: [1, 3, 999, 40_000, 500_000], [1, 3, 4, 256])
    func everyLineIsInOneRound(lines: Int, writers: Int) {
        let plan = DemoPlan(lines: lines, writers: writers)
        #expect(plan.writers.count == writers)
        #expect(plan.writers.reduce(0) { $0 + $1.lines } == lines)
        for writer in plan.writers {
            var next = 0
            for number in 0..<max(1, plan.rounds(writer)) {
                let round = plan.round(number, of: writer)
                #expect(round.lowerBound == next)
                next = round.upperBound
            }
            #expect(next == writer.lines)
        }
    }

    @Test("No two writers have the same name or directory")
    func namesAreUnique() {
        let plan = DemoPlan(writers: 256)
        #expect(Set(plan.writers.map(\.pod)).count == 256)
        #expect(Set(plan.writers.map(\.source.writer)).count == 256)
    }

    @Test("With the usual size each round is half again as large as an archive may be")
    func roundsAreLargerThanArchives() {
        for lines in [16_000, 40_000, 500_000, 5_000_000] {
            let plan = DemoPlan(lines: lines, writers: 4)
            for writer in plan.writers {
                #expect(plan.rounds(writer) >= DemoPlan.leastRotations)
                for number in 0..<plan.rounds(writer) {
                    let bytes = writer.source.lines(plan.round(number, of: writer)).count
                    #expect(bytes * 4 > plan.archiveBytes(writer) * 5)
                    if lines > 100_000 { break }
                }
            }
        }
    }

    @Test("The lines are 194 bytes long on average")
    func lineLength() {
        let writer = DemoPlan().writers[0]
        let bytes = writer.source.lines(0..<writer.lines / 10).count
        #expect((189...199).contains(bytes * 10 / writer.lines))
    }

    @Test("The configuration is one that the settings take, wherever the directory is")
    func configuration() throws {
        for root in ["/tmp/demo", "/tmp/it's [a] {strange} *place*?", #"/tmp/back\slash"#] {
            let text = DemoPlan().configuration(root: root, brokers: ["127.0.0.1:9092", "h:1"])
            let settings = try Settings.parse(
                Array(text.utf8), file: "demo", environment: [:])
            #expect(settings.data == "\(root)/data")
            #expect(settings.output.kafka.brokers == .addresses(["127.0.0.1:9092", "h:1"]))
            let path = "\(root)/logs/shop/orders/orders-1/log/current"
            #expect(
                settings.inputs[0].paths[0].match(path)
                    == ["namespace": "shop", "app": "orders", "pod": "orders-1"])
        }
    }
}
