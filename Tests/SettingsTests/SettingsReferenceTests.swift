import TestSupport
import Testing

@testable import Settings

/// The configuration with every key, and the JSON Schema.
@Suite struct SettingsReferenceTests {
    private static let environment = [
        "NODE_NAME": "n", "KAFKA_PASSWORD": "p", "KEY_PASSPHRASE": "k",
    ]
    private let lines = SettingsReference.text().split(
        separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)

    @Test func everyDefaultOfTheReferenceIsWhatCountsWithoutTheKey() throws {
        let minimal = try Settings.parse(
            """
            inputs: [{name: apps, paths: ["/data/logs/{app}/*.log"]}]
            output: {kafka: {brokers: [kafka-0:9092, kafka-1:9092], topic: "logs.{app}"}}
            """, environment: Self.environment)
        let reference = try Settings.parse(
            SettingsReference.text(), environment: Self.environment)
        #expect(reference == minimal)
    }

    /// A commented line without its #, and lines behind it that are deeper in the same comment.
    private func uncommented(at index: Int) -> [String] {
        var result = lines
        let margin = lines[index].prefix { $0 == " " } + "#"
        result[index].remove(at: result[index].firstIndex(of: "#") ?? result[index].startIndex)
        var next = index + 1
        while next < lines.count, lines[next].hasPrefix(margin + "  ") {
            result[next].remove(at: result[next].firstIndex(of: "#") ?? result[next].startIndex)
            next += 1
        }
        return result
    }

    private static func isCommentedKey(_ line: String) -> Bool {
        let rest = line.drop { $0 == " " }
        return rest.hasPrefix("#") && !rest.hasPrefix("# ") && !rest.hasPrefix("#  ")
            && rest.contains(":")
    }

    @Test func everyCommentedKeyIsRightWithoutItsComment() throws {
        let indices = lines.indices.filter { Self.isCommentedKey(lines[$0]) }
        #expect(indices.count > 10)
        for index in indices {
            var text = uncommented(at: index).joined(separator: "\n")
            // A map that is written as an empty one has a key now.
            text = text.replacing("http: {}\n", with: "http:\n")
            if lines[index].contains("listen") == false {
                text = text.replacing("http:\n", with: "http: {}\n")
            }
            if lines[index].contains("partitions_per_node") {
                text = text.replacing("partitioner: murmur2_random", with: "partitioner: node")
            }
            #expect(throws: Never.self, "\(lines[index])") {
                try Settings.parse(text, environment: Self.environment)
            }
        }
    }

    @Test(arguments: ["reference.yaml", "schema.json"])
    func theCopyInTheDocumentsIsTheSame(name: String) throws {
        let text = name.hasSuffix("yaml") ? SettingsReference.text() : SettingsSchema.text()
        #expect(
            try repositoryFile("docs/shipper.\(name)") == text,
            "make documents writes docs/shipper.\(name) anew")
    }

    @Test func everyKeyStandsInReferenceAndSchema() {
        let reference = SettingsReference.text()
        let schema = SettingsSchema.text()
        for (place, keys) in SettingsKeys.maps {
            for key in keys.keys {
                #expect(reference.contains("\(key.name):"), "\(place) \(key.name)")
                #expect(schema.contains("\"\(key.name)\": "), "\(place) \(key.name)")
            }
        }
    }

    static let python = "/usr/bin/python3"
    static let hasValidator: Bool = {
        do {
            let process = try ChildProcess(python, ["-c", "import jsonschema, yaml"])
            return try process.wait() == .code(0)
        } catch {
            return false
        }
    }()

    @Test(
        .enabled(if: hasValidator, "python3-jsonschema and python3-yaml are not installed"),
        .timeLimit(.minutes(1)))
    func shippedConfigurationsAreOfTheSchemaAndWrongOnesAreNot() throws {
        let directory = try TemporaryDirectory()
        let schema = try directory.write("schema.json", SettingsSchema.text())
        let wrong = [
            settingsText(rest: "colour: red"), settingsText(rest: "limits: {in_flight: much}"),
            settingsText(rest: "limits: {topics: 0}"), settingsText(rest: "log: {level: loud}"),
            settingsText(input: "    json: {timestamp: {field: t}}"),
            settingsText(input: "    include_lines: x"), "inputs: []\n",
        ]
        let right = [
            SettingsReference.text(), settingsText(),
            settingsText(rest: "limits: {in_flight: '${MUCH}', topics: '${MANY}'}"),
            settingsText(input: "    multiline: java"),
            settingsText(input: "    multiline: {preset: java, negate: true}\n    json:"),
            settingsText(kafka: "    tls: {verify: false}"),
            settingsText(kafka: "    tls: {verify: 'certificate'}"),
            settingsText(input: "    follow_symlinks: [/var/log/pods]"),
        ]
        var files: [String] = []
        for (index, text) in (right + wrong).enumerated() {
            files.append(try directory.write("\(index).yaml", text))
        }
        let shipped = ["kubernetes", "kafka-sasl-tls", "pod-logs"]
        for name in shipped {
            files.insert(
                try directory.write(
                    "\(name).yaml", try repositoryFile("deploy/\(name)/shipper.yaml")), at: 0)
        }
        let process = try ChildProcess(
            Self.python,
            [
                "-c",
                """
                import json, sys, jsonschema, yaml
                schema = json.load(open(sys.argv[1]))
                jsonschema.Draft7Validator.check_schema(schema)
                validator = jsonschema.Draft7Validator(schema)
                for path in sys.argv[2:]:
                    print("yes" if validator.is_valid(yaml.safe_load(open(path))) else "no")
                """, schema,
            ] + files)
        #expect(try process.wait() == .code(0))
        #expect(process.errors.isEmpty)
        let expected =
            Array(repeating: "yes", count: shipped.count + right.count)
            + Array(repeating: "no", count: wrong.count)
        #expect(process.output.split(separator: "\n").map(String.init) == expected)
    }
}
