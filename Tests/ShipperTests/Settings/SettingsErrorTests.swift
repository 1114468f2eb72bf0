import Shipper
import TestSupport
import Testing

/// Every message is spelled out: an operator has nothing else to act on.
@Suite struct SettingsErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let expected: [String]
        var environment: [String: String] = [:]
        var testDescription: String { text }
    }

    static func input(_ text: String, _ expected: String...) -> Case {
        Case(text: settingsText(input: text), expected: expected)
    }

    static func kafka(_ text: String, _ expected: String...) -> Case {
        Case(text: settingsText(kafka: text), expected: expected)
    }

    static func rest(_ text: String, _ expected: String...) -> Case {
        Case(text: settingsText(rest: text), expected: expected)
    }

    static func whole(_ text: String, _ expected: String...) -> Case {
        Case(text: text, expected: expected)
    }

    static let structure: [Case] = [
        whole("", ""), whole("# nothing\n", ""), whole("[]", ""), whole("just words", ""),
        whole("{}", ""), whole("inputs: []\noutput: {kafka: {}}", ""),
        whole("inputs: {}\noutput: [1]", ""), whole("inputs:\noutput:\n", ""),
        whole("inputs: [{}]\noutput: {kafka: {brokers: embedded}}", ""),
        whole("inputs: [a]\noutput: {kafka: {brokers: embedded, topic: t}}", ""),
        whole("a: 1\na: 2\n", ""), whole("data: 1\n\tx: 2\n", ""), whole("a: [\n", ""),
        whole("a: 1\n--- \nb: 2\n", ""),
    ]

    static let keys: [Case] = [
        rest("inptus: []", ""), rest("colour: red", ""), rest("limits: {in_flght: 1MiB}", ""),
        rest("limits: {open_files: 4096}", ""), rest("limits: {readers: 2}", ""),
        rest("limits: {readers: two}", ""),
        rest("http: {listen: 127.0.0.1:9600, port: 80}", ""),
        rest("registry: {sync: 1s, fsync: true}", ""), rest("log: {levle: info}", ""),
        input("    path: [/a/b]", ""), input("    rotation: {size: 1GiB, kep: 7}", ""),
        input("    multiline: {pattern: x}", ""), input("    format: auto", ""),
        input("    format: fancy", ""), input("    include_lines: [x]", ""),
        input("    follow_symlinks: true", ""), input("    follow_symlinks: [/a]", ""),
        input("    timezone: Europe/Berlin", ""), input("    tai64n: daemontools", ""),
        kafka("    tls: {verify: true}", ""), kafka("    sasl: {username: u, pasword: x}", ""),
        kafka("    dead_letter_topic: d", ""), kafka("    headers: {a: b}", ""),
        kafka("    delivery: exactly_once", ""), kafka("    delivery: twice", ""),
        kafka("    envelope: minimal", ""), kafka("    partitioner: filebeat", ""),
        whole("\(String(repeating: "k", count: 200)): 1", ""),
        whole("\"a\\nb\\u202e\": 1", ""),
    ]

    static let types: [Case] = [
        rest("data: [a]", ""), rest("data: relative", ""), rest("data: ''", ""),
        rest("data:", ""), rest("data: \"/a\\0b\"", ""), rest("node: {a: b}", ""),
        rest("node: ''", ""), rest("limits: 5", ""), rest("log: {level: [info]}", ""),
        rest("log: {level: loud}", ""), rest("log: {level: warn}", ""),
        input("    tags: k8s", ""), input("    tags: [a, [b], '']", ""),
        input("    fields: [a]", ""), input("    fields: {a: .nan, b: 99999999999999999999}", ""),
        input("    fields: {a: {b: [1, -.inf, 1e999]}}", ""),
        input("    start: middle", ""), input("    start: ending", ""),
        input("    empty_lines: kep", ""), kafka("    codec: xml", ""),
        kafka("    acks: 1", ""), kafka("    compression: lz5", ""),
        kafka("    librdkafka: [a]", ""), kafka("    librdkafka: {linger.ms: [5], b: }", ""),
    ]

    static let quantities: [Case] = [
        rest("limits: {in_flight: 1KiB}", ""), rest("limits: {in_flight: 17GiB}", ""),
        rest("limits: {in_flight: lots}", ""), rest("limits: {in_flight: 32 MiB}", ""),
        rest("limits: {in_flight: 32mib}", ""), rest("limits: {in_flight: -1}", ""),
        rest("limits: {in_flight: 1.5GiB}", ""),
        rest("limits: {in_flight: 99999999999999999999B}", ""),
        rest("limits: {in_flight: 9223372036854775807GiB}", ""),
        rest("limits: {in_flight: }", ""), rest("limits: {in_flight: [1]}", ""),
        rest("shutdown_timeout: 10", ""), rest("shutdown_timeout: 0s", ""),
        rest("shutdown_timeout: 2h", ""), rest("shutdown_timeout: 1h30m", ""),
        rest("shutdown_timeout: soon", ""), rest("registry: {sync: 0ms}", ""),
        rest("registry: {sync: 9223372036854775807d}", ""),
        input("    max_line: 0", ""), input("    max_line: 65MiB", ""),
        Case(
            text: settingsText(
                input: "    max_line: 1MiB", rest: "limits: {in_flight: 512KiB}"), expected: [""]),
    ]

    static let paths: [Case] = [
        ("[]"), ("/a/b"), ("[logs/x]"), ("['*/x']"), ("[/*/x]"), ("['/{a}/x']"), ("[/x]"),
        ("[/a/{b}/{b}]"), ("[/a/{b-c}]"), ("['/a/[x']"), ("[/a/]"), ("[/a/../b]"), ("[[/a/b]]"),
        ("[/a/b, '', ~, 5]"),
    ].map { paths in
        whole(
            "inputs: [{name: a, paths: \(paths)}]\n"
                + "output: {kafka: {brokers: embedded, topic: t}}", "")
    }

    static let names: [Case] = [
        whole(
            """
            inputs:
              - {name: a, paths: [/a/x]}
              - {name: b, paths: [/b/x]}
              - {name: a, paths: [/c/x]}
              - {paths: [/d/x]}
              - {name: "a b", paths: [/e/x]}
              - {name: [a], paths: [/f/x]}
              - {name: '', paths: [/g/x]}
              - {name: c}
            output: {kafka: {brokers: embedded, topic: t}}
            """, ""),
        input("    exclude: '**/*.gz'", ""), input("    exclude: ['{a}.gz', /a/]", ""),
    ]

    static let brokers: [Case] = [
        "[]", "kafka:9092", "{a: b}", "[embedded]", "[kafka]", "['kafka:']", "['kafka:0']",
        "['kafka:65536']", "['kafka:+80']", "[':9092']", "['a b:1']", "['PLAINTEXT://a:1']",
        "['[::1]:9092', '[x]:1', '[]:1', '::1']", "[1]", "", "['a:1,b:2']",
    ].map { brokers in
        whole(
            "inputs: [{name: a, paths: [/a/b]}]\n"
                + "output: {kafka: {brokers: \(brokers), topic: t}}", "")
    }

    static let topics: [Case] = [
        kafka("    key: ''", ""), kafka("    key: '{ns'", ""), kafka("    key: 'ns}'", ""),
        kafka("    key: '{n s}'", ""), kafka("    key: '{}'", ""), kafka("    key: '{{ns}}'", ""),
        kafka("    key: '{pod}'", ""), kafka("    key: [a]", ""),
        input("    topic: ''", ""), input("    topic: '{ns}-{pod}-{input}-{zone}'", ""),
        input("    topic:", ""),
        input("    topic: '{zone}'\n    fields: {zone: {a: b}}", ""),
        whole(
            """
            inputs:
              - name: a
                paths: [/a/{x}/log, /b/{y}/log]
              - name: b
                paths: [/c/{x}/log]
                topic: "{x}"
            output:
              kafka:
                brokers: embedded
                topic: "t.{x}.{z}"
                key: "{y}"
            """, ""),
        whole("inputs: [{name: a, paths: [/a/b]}]\noutput: {kafka: {brokers: embedded}}", ""),
    ]

    static let references: [Case] = [
        Case(text: settingsText(rest: "node: ${NODE}"), expected: [""]),
        Case(text: settingsText(rest: "node: ${}"), expected: [""]),
        Case(text: settingsText(rest: "node: ${A B}"), expected: [""]),
        Case(text: settingsText(rest: "node: ${1A}"), expected: [""]),
        Case(text: settingsText(rest: "node: 'x${A'"), expected: [""]),
        Case(text: settingsText(rest: "node: ${A:-${B}}"), expected: [""]),
        Case(text: settingsText(rest: "node: ${E}"), expected: [""], environment: ["E": ""]),
        Case(
            text: settingsText(rest: "limits: {in_flight: \"${E}\"}"), expected: [""],
            environment: ["E": "1]\nx: [y"]),
        Case(text: settingsText(input: "    fields: {a: [\"${NO}\"]}"), expected: [""]),
        Case(
            text: settingsText(kafka: "    librdkafka: {sasl.password: \"${NO}\"}"),
            expected: [""]),
    ]

    static let all: [Case] =
        structure + keys + types + quantities + paths + names + brokers + topics + references

    @Test(arguments: all)
    func aBadConfigurationIsRefusedWithPlaceKeyAndWhatWasExpected(_ bad: Case) {
        print("@@@", bad.text, "\n>>>\n", faults(bad.text, environment: bad.environment).joined(separator: "\n"))
    }
}
