@testable import Settings
import TestSupport
import Testing

@Suite("The time that a line may wait, and its parts") struct LatencyBudgetTests {
    @Test("Looks and linger together take nine tenths of it, so that it can be kept")
    func parts() {
        for most in [5, 10, 250, 1_000] {
            let budget = LatencyBudget(most: .milliseconds(most))
            #expect(budget.sweep + budget.linger == .milliseconds(most) * 9 / 10)
            #expect(budget.sweep == budget.linger * 8)
        }
        let longest = LatencyBudget(most: .seconds(10))
        #expect(longest.sweep == .seconds(8) && longest.linger == .milliseconds(100))
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
        #expect(settings.linger == .milliseconds(4))
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
