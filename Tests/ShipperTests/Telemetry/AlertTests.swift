import TestSupport
import Testing

@testable import Shipper

@Suite("deploy/prometheus/alerts.yaml") struct AlertTests {
    private static let repository = #filePath.split(separator: "/").dropLast(4).joined(
        separator: "/")
    private static let rules = "/\(repository)/deploy/prometheus/alerts.yaml"
    private static let tests = "/\(repository)/Tests/Fixtures/prometheus/alerts-test.yaml"
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

    /// Also where there is no promtool.
    @Test(
        "Each alert has a condition, a severity and a summary, and is tried when all is well and when not"
    )
    func complete() throws {
        let rules = String(decoding: try readFile(Self.rules), as: UTF8.self)
        let alerts = rules.split(separator: "      - alert: ").dropFirst()
        #expect(alerts.count == 8)
        for alert in alerts {
            let lines = alert.split(separator: "\n")
            #expect(lines.count { $0.hasPrefix("        expr: ") } == 1, "\(alert)")
            let severity = lines.filter { $0.hasPrefix("          severity: ") }
                .map { $0.dropFirst("          severity: ".count) }
            #expect(severity == ["critical"] || severity == ["warning"], "\(alert)")
            #expect(lines.count { $0.hasPrefix("          summary: ") } == 1, "\(alert)")
        }
        let names = Set(alerts.compactMap { $0.split(separator: "\n").first })
        #expect(names.count == alerts.count)
        let cases = String(decoding: try readFile(Self.tests), as: UTF8.self)
            .split(separator: "    name: ").dropFirst()
        let tried = cases.map { text in
            Set(
                text.split(separator: "alertname: ").dropFirst().compactMap { rest in
                    rest.split { !$0.isLetter }.first
                })
        }
        let isWell = cases.map { $0.hasPrefix("all is well\n") }
        #expect(isWell.first == true)
        #expect(tried.first == names)
        #expect(tried.dropFirst().reduce(into: []) { $0.formUnion($1) } == names)
    }

    @Test(
        "promtool takes the rules, and each alert fires when it should and not before",
        .enabled(if: promtool != nil, "promtool is not installed (Debian package prometheus)"))
    func rules() throws {
        let promtool = try #require(Self.promtool)
        for arguments in [["check", "rules", Self.rules], ["test", "rules", Self.tests]] {
            let process = try ChildProcess(promtool, arguments)
            #expect(try process.wait() == .code(0), "\(process.output)\(process.errors)")
        }
    }
}
