import Settings
import TestSupport
import Testing

@testable import Shipper

@Suite("The difference of two configurations") struct SettingsChangeTests {
    private func settings(
        _ inputs: [String], kafka: String = "", rest: String = ""
    ) throws -> Settings {
        let list = inputs.map { "  - \($0)\n" }.joined()
        return try Settings.parse(
            """
            inputs:
            \(list)output: {kafka: {brokers: [a:9092], topic: logs\(kafka)}}
            \(rest)

            """)
    }
    private let a = "{name: a, paths: [/a/*.log]}"
    private let b = "{name: b, paths: [/b/*.log]}"
    private let c = "{name: c, paths: [/c/*.log]}"

    @Test("Inputs are told apart by their names, wherever they stand")
    func inputs() throws {
        let other = "{name: b, paths: [/b/*.log], tags: [x]}"
        let change = try SettingsChange(from: settings([a, b]), to: settings([c, other]))
        #expect(change.added == ["c"] && change.changed == ["b"] && change.removed == ["a"])
        #expect(change.sections.isEmpty && change.isApplicable)
        #expect(
            "\(change.logged)".contains("inputs_added"), "\(change.logged)")
        let turned = try SettingsChange(from: settings([a, b]), to: settings([b, a]))
        #expect(turned.sections.isEmpty && !turned.isApplicable)
    }

    @Test("Comments, order and place make no difference")
    func same() throws {
        let kafka =
            ", librdkafka: {queue.buffering.max.kbytes: 1000}, tls: {ca: /ca.pem}"
        let old = try settings([a], kafka: kafka, rest: "limits: {topics: 5}\nnode: n")
        let new = try settings([a], kafka: kafka, rest: "# more\nnode: n\nlimits: {topics: 5}")
        let change = SettingsChange(from: old, to: new)
        #expect(change.sections.isEmpty && !change.isApplicable && !change.connectsElsewhere)
        // The certificate is another one by now.
        let renewed = SettingsChange(from: old, to: new, filesDiffer: true)
        #expect(renewed.isApplicable && renewed.connectsElsewhere)
        let plain = try SettingsChange(from: settings([a]), to: settings([a]))
        #expect(!plain.isApplicable && !plain.connectsElsewhere)
    }

    @Test(
        "Each other section is named",
        arguments: [
            ("limits: {topics: 5}", "limits"), ("registry: {sync: 2s}", "registry"),
            ("shutdown_timeout: 3s", "shutdown_timeout"), ("node: other", "node"),
            ("http: {listen: none}", "http"), ("log: {level: debug}", "log"),
        ])
    func sections(text: String, key: String) throws {
        let change = try SettingsChange(from: settings([a]), to: settings([a], rest: text))
        #expect(change.sections == [key] && !change.connectsElsewhere)
        #expect(change.isApplicable == (key != "log"))
    }

    @Test("A changed output changes the inputs that have its topic")
    func output() throws {
        let change = try SettingsChange(
            from: settings([a]), to: settings([a], kafka: ", codec: raw"))
        #expect(change.sections == ["output"] && change.changed.isEmpty)
        #expect(change.isApplicable && !change.connectsElsewhere)
        let secret = try SettingsChange(
            from: settings([a], kafka: ", sasl: {mechanism: PLAIN, username: u, password: one}"),
            to: settings([a], kafka: ", sasl: {mechanism: PLAIN, username: u, password: two}"))
        #expect(secret.connectsElsewhere)
        let other = try SettingsChange(
            from: settings([a]),
            to: settings([a], kafka: ", librdkafka: {socket.timeout.ms: 1000}"))
        #expect(other.connectsElsewhere)
    }

    @Test("The data directory stays")
    func data() throws {
        let change = try SettingsChange(from: settings([a]), to: settings([a], rest: "data: /x"))
        #expect(change.untouchable == ["data"])
    }

    @Test("A hash is of what a configuration means, and the same on every node")
    func hash() throws {
        let first = Reloads.hash(of: try settings([a], rest: "node: one"))
        #expect(first == Reloads.hash(of: try settings([a], rest: "# comment\nnode: two")))
        #expect(first != Reloads.hash(of: try settings([a, b], rest: "node: one")))
        #expect(first < 1 << 48)
    }
}
