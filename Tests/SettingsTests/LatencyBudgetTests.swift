@testable import Settings
import TestSupport
import Testing

@Suite("The time that a line may wait, and its parts") struct LatencyBudgetTests {
    @Test(
        "Looks and linger leave a tenth of it for the work, 10 ms at the most, so that it can be kept",
        arguments: [(5, 500), (10, 1_000), (100, 10_000), (250, 10_000), (10_000, 10_000)])
    func parts(most: Int, work: Int) {
        let budget = LatencyBudget(most: .milliseconds(most))
        #expect(budget.sweep + budget.linger == .milliseconds(most) - .microseconds(work))
        #expect(budget.linger == min(.milliseconds(most) / 20, .milliseconds(2)))
    }

    @Test("The input in the greatest hurry decides how long records wait for others")
    func shortest() throws {
        let inputs = ["10s", "40ms", "1s"].enumerated().map {
            "  - {name: i\($0), paths: [/logs/\($0)/*], latency: \($1)}"
        }
        let text =
            "inputs:\n" + inputs.joined(separator: "\n")
            + "\noutput: {kafka: {brokers: [127.0.0.1:1], topic: t}}\n"
        let settings = try Settings.parse(text)
        #expect(settings.linger == .milliseconds(2))
    }

    @Test(
        "A time that cannot be kept, or makes no sense, is refused with its bounds",
        arguments: ["4ms", "11s", "0", "soon"])
    func refused(latency: String) throws {
        let text = """
            inputs: [{name: a, paths: [/a/b], latency: \(latency)}]
            output: {kafka: {brokers: embedded, topic: t}}
            """
        let error = #expect(throws: SettingsError.self) { try Settings.parse(text) }
        #expect(error?.description.contains("expected a duration from 5ms to 10s") ?? false)
    }
}
