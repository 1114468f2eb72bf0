import TestSupport
import Testing

@testable import Shipper

@Suite("deploy/prometheus/alerts.yaml") struct AlertTests {
    private static let repository = #filePath.split(separator: "/").dropLast(4).joined(
        separator: "/")
    private static let rules = "/\(repository)/deploy/prometheus/alerts.yaml"
    /// Of the Debian package prometheus, which also brings a server: it is not installed for a test.
    private static let promtool = try? findProgram("promtool", package: "prometheus")

    @Test("Every metric that an alert goes by is one that the agent has, also with its labels")
    func metrics() throws {
        let text = String(decoding: try readFile(Self.rules), as: UTF8.self)
        let names = Set(Metric.all.map(\.name))
        let expressions = text.split(separator: "\n").filter { !$0.contains("# ") }
        let words = expressions.joined(separator: "\n").split { character in
            !(character.isASCII && (character.isLetter || character.isNumber || character == "_"))
        }
        let used = Set(words.filter { $0.hasPrefix("shipper_") || $0.hasPrefix("process_") })
        for name in used { #expect(names.contains(String(name)), "\(name)") }
        #expect(used.count == 11)
        // No selector, which would have to fit the labels.
        #expect(!text.contains("_total{"))
    }

    @Test(
        "promtool takes the rules, and each alert fires when it should and not before",
        .enabled(if: promtool != nil, "promtool is not installed (Debian package prometheus)"))
    func rules() throws {
        let promtool = try #require(Self.promtool)
        let tests = "/\(Self.repository)/Tests/Fixtures/prometheus/alerts-test.yaml"
        for arguments in [["check", "rules", Self.rules], ["test", "rules", tests]] {
            let process = try ChildProcess(promtool, arguments)
            #expect(try process.wait() == .code(0), "\(process.output)\(process.errors)")
        }
    }
}
