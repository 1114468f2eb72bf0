import Patterns
import Platform
@testable import Settings
import TestSupport
import Testing
import YAML

@Suite struct SettingsTests {
    @Test func whatIsNotWrittenHasTheDocumentedDefault() throws {
        let settings = try Settings.parse(
            """
            inputs: [{name: a, paths: [/a/b]}]
            output: {kafka: {brokers: embedded, topic: t}}
            """)
        #expect(settings.file == "f.yaml")
        #expect(settings.data == "/var/lib/shipper")
        #expect(settings.limits.inFlight == 32 * 1024 * 1024)
        #expect(settings.limits.openFiles == 4096)
        #expect(settings.limits.heldBytes == 4 << 30)
        #expect(settings.limits.watches == nil)
        #expect(settings.registry.sync == .seconds(1))
        #expect(settings.shutdownTimeout == .seconds(10))
        #expect(try settings.node == ProcessContext.hostName())
        #expect(settings.http.listen == .standard)
        #expect(Settings.HTTP.standardAddress.description == "127.0.0.1:9600")
        #expect(settings.log.level == .info)
        #expect(settings.log.format == .text)
        let kafka = settings.output.kafka
        #expect(kafka.brokers == .embedded)
        #expect(kafka.topic?.text == "t")
        #expect(kafka.key == nil)
        #expect(kafka.partitioner == .murmur2Random)
        #expect(kafka.codec == .json)
        #expect(kafka.compression == .lz4)
        #expect(kafka.acks == .all)
        #expect(kafka.librdkafka.isEmpty)
        let input = try #require(settings.inputs.first)
        #expect(settings.inputs.count == 1)
        #expect(input.name == "a")
        #expect(input.paths.map(\.text) == ["/a/b"])
        #expect(input.exclude.map(\.text) == ["**/*.gz"])
        #expect(input.start == .beginning)
        #expect(input.latency.most == .milliseconds(250))
        #expect(input.fields.isEmpty)
        #expect(input.tags.isEmpty)
        #expect(input.topic.text == "t")
        #expect(input.maxLine == 256 * 1024)
        #expect(input.emptyLines == .skip)
        #expect(input.format == .auto)
        #expect(input.timezone == .utc)
        #expect(input.tai64n == .skalibs)
    }

    @Test(
        "exclude adds to what is always left out, which may be written as well",
        arguments: [
            ("[]", []), ("['*.gz']", []), ("['**/*.gz', 'current']", ["current"]),
            (
                "['/logs/*/debug-*/**/*', '/logs/x/*/current']",
                ["/logs/*/debug-*/**/*", "/logs/x/*/current"]
            ),
        ])
    func exclude(list: String, added: [String]) throws {
        let settings = try Settings.parse(settingsText(input: "    exclude: \(list)"))
        #expect(settings.inputs.map { $0.exclude.map(\.text) } == [["**/*.gz"] + added])
    }

    @Test func everySupportedKeyIsRead() throws {
        let settings = try Settings.parse(
            """
            data: /d
            inputs:
              - name: pods
                paths: ["/logs/{namespace}/{app}/*.log", "/var/log/{namespace}/{app}.log"]
                exclude: ["**/*.gz", "/logs/x/*/*"]
                start: end
                format: s6
                max_line: 1KB
                fields: {cluster: eu-1}
                tags: [k8s, 5]
                empty_lines: keep
                timezone: Europe/Berlin
                tai64n: daemontools
                topic: "{namespace}.{cluster}"
            output:
              kafka:
                brokers: [kafka-0:9092, "[::1]:9093"]
                key: "{namespace}/{input}"
                partitioner: consistent_random
                codec: raw
                compression: zstd
                acks: all
                librdkafka: {linger.ms: 50, client.id: "x"}
            limits: {in_flight: 256KiB, open_files: 1000, held_bytes: 4096GiB, watches: 2000}
            shutdown_timeout: 100ms
            node: node-17
            registry: {sync: 2m}
            http: {listen: "[::1]:0"}
            log: {level: debug, format: json}
            """)
        let address = try #require(InternetAddress(host: "::1", port: 0))
        #expect(settings.http.listen == .address(address))
        #expect(settings.data == "/d")
        let input = try #require(settings.inputs.first)
        #expect(input.paths.map(\.prefix) == ["/logs", "/var/log"])
        #expect(input.exclude.map(\.text) == ["**/*.gz", "/logs/x/*/*"])
        #expect(input.start == .end)
        #expect(input.maxLine == 1_000)
        #expect(input.fields == [Field(name: "cluster", value: .string("eu-1"))])
        #expect(input.tags == ["k8s", "5"])
        #expect(input.emptyLines == .keep)
        #expect(input.format == .s6)
        #expect(input.timezone.name == "Europe/Berlin")
        #expect(input.timezone != .utc)
        #expect(input.tai64n == .daemontools)
        #expect(input.topic.text == "{namespace}.{cluster}")
        let kafka = settings.output.kafka
        #expect(kafka.brokers == .addresses(["kafka-0:9092", "[::1]:9093"]))
        #expect(kafka.topic == nil)
        #expect(kafka.key?.text == "{namespace}/{input}")
        #expect(kafka.partitioner == .consistentRandom)
        #expect(kafka.codec == .raw)
        #expect(kafka.compression == .zstd)
        #expect(kafka.librdkafka.map(\.name) == ["linger.ms", "client.id"])
        #expect(kafka.librdkafka.map(\.value) == ["50", "x"])
        #expect(kafka.librdkafka.map(\.mark.description) == ["23:18", "23:33"])
        #expect(settings.limits.inFlight == 256 * 1024)
        #expect(settings.limits.openFiles == 1000)
        #expect(settings.limits.heldBytes == 4 << 40)
        #expect(settings.limits.watches == 2000)
        #expect(settings.shutdownTimeout == .milliseconds(100))
        #expect(settings.node == "node-17")
        #expect(settings.registry.sync == .seconds(120))
        #expect(settings.log.level == .debug)
        #expect(settings.log.format == .json)
    }

    @Test func whatTheProgramDoesAnywayMayBeWritten() throws {
        let text = settingsText(
            input: """
                    multiline:
                    include_lines: []
                    exclude_lines: []
                    follow_symlinks: false
                    rotation: null
                """,
            kafka: """
                    dead_letter_topic: ~
                    headers: {}
                    envelope: full
                    delivery: at_least_once
                    acks: all
                """, rest: "limits: {readers: 1}")
        #expect(faults(text).isEmpty)
        // Nobody writes these to have nothing done.
        for key in ["mask", "json"] {
            let found = faults(settingsText(input: "    \(key):"))
            #expect(found.count == 1, "\(found)")
            #expect(found.first?.hasPrefix("f.yaml:5:10: inputs[0].\(key): nothing; ") == true)
        }
    }

    @Test func everyKeyOfTheDocumentationIsReadOrRefusedAsNotSupportedYet() throws {
        let text = try fixture("settings/all-keys.yaml")
        let environment = ["KAFKA_PASSWORD": "p", "NODE_NAME": "n"]
        let found = faults(text, environment: environment)
        let later = [
            (35, "date_suffix"), (37, "su"),
        ]
        #expect(
            found
                == later.map { line, key in
                    "f.yaml:\(line):7: inputs[0].rotation.\(key): not supported yet; leave the key out"
                })
    }

    @Test func manyFaultsAreCutWithTheirNumber() {
        let text = (0..<70).map { "key\($0): 1\n" }.joined()
        let found = faults(text)
        #expect(found.count == SettingsError.shown + 1)
        #expect(found.last == "f.yaml: and 22 more")
    }

    @Test func bytesThatAreNoTextAreNamedWithTheirPlace() {
        #expect(
            faults([0x61, 0x3A, 0x20, 0xFF])
                == ["f.yaml:1:4: not UTF-8: byte 0xff cannot stand here; save the file as UTF-8"])
    }

    @Test func aDocumentTooDeepIsRefused() {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(
            faults(settingsText(input: "    fields: {a: \(deep)}"))
                == ["f.yaml:5:77: lists and maps more than 64 deep"])
    }

    @Test func noBytesTrap() {
        var random = SplitMix(seed: 0xC0FFEE)
        let valid = Array(
            settingsText(
                input: "    fields: {a: [1, {b: ~}]}\n    topic: '{ns}-{input}'",
                kafka: "    librdkafka: {linger.ms: '${MS:-5}'}", rest: "log: {level: info}"
            ).utf8)
        let pieces = ["{", "}", "[", "]", ": ", "- ", "\n  ", "${", "&x ", "*x", "'", "\"", "~"]
            .map { Array($0.utf8) }
        var read = 0
        for _ in 0..<2_000 {
            var bytes = valid
            for _ in 0..<random.next() % 4 {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 3 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1:
                    let end = min(bytes.count, place + Int(random.next() % 20))
                    bytes.removeSubrange(place..<end)
                default:
                    let piece = pieces[Int(random.next() % UInt64(pieces.count))]
                    bytes.insert(contentsOf: piece, at: place)
                }
            }
            let found = faults(bytes)
            if found.isEmpty { read += 1 }
            #expect(found.allSatisfy { $0.hasPrefix("f.yaml:") })
        }
        // Neither all refused nor all taken, or the test would show nothing.
        #expect((100..<1_900).contains(read))
    }
}

@Suite struct SettingsValueTests {
    static let sizes: [(String, Int)] = [
        ("1", 1), ("1B", 1), ("2KiB", 2_048), ("2MiB", 2_097_152), ("3KB", 3_000),
        ("3MB", 3_000_000), ("67108864", 67_108_864),
    ]

    @Test(arguments: sizes)
    func sizesTakeTheirUnits(text: String, bytes: Int) throws {
        let settings = try Settings.parse(
            settingsText(input: "    max_line: \(text)", rest: "limits: {in_flight: 1GiB}"))
        #expect(settings.inputs.first?.maxLine == bytes)
        #expect(settings.limits.inFlight == 1 << 30)
    }

    @Test func gigabytesAreTaken() throws {
        let settings = try Settings.parse(settingsText(rest: "limits: {in_flight: 2GB}"))
        #expect(settings.limits.inFlight == 2_000_000_000)
    }

    static let durations: [(String, Duration)] = [
        ("100ms", .milliseconds(100)), ("5s", .seconds(5)), ("2m", .seconds(120)),
        ("1h", .seconds(3_600)),
    ]

    @Test(arguments: durations)
    func durationsTakeTheirUnits(text: String, duration: Duration) throws {
        let settings = try Settings.parse(settingsText(rest: "shutdown_timeout: \(text)"))
        #expect(settings.shutdownTimeout == duration)
    }

    @Test func fieldsKeepTheirOrderAndTheirTypes() throws {
        let settings = try Settings.parse(
            settingsText(
                input: """
                        fields:
                          z: text
                          a: "5"
                          ints: [5, -5, +5, 0o17, 0xFf, 9223372036854775807]
                          doubles: [1.5, -.5, 1., 1e3, 1.5E-2]
                          words: [true, False, yes, no, 0b1, 1_000, 1.2.3, ., +, e5, 0o8, 0x, 1e]
                          nothing: [~, null, '']
                          deep: {b: {c: [{d: 1}]}}
                    """))
        func strings(_ texts: String...) -> [FieldValue] { texts.map { .string($0) } }
        #expect(
            settings.inputs.first?.fields == [
                Field(name: "z", value: .string("text")),
                Field(name: "a", value: .string("5")),
                Field(
                    name: "ints",
                    value: .list([.int(5), .int(-5), .int(5), .int(15), .int(255), .int(.max)])),
                Field(
                    name: "doubles",
                    value: .list([
                        .double(1.5), .double(-0.5), .double(1), .double(1_000), .double(0.015),
                    ])),
                Field(
                    name: "words",
                    value: .list(
                        [.bool(true), .bool(false)]
                            + strings(
                                "yes", "no", "0b1", "1_000", "1.2.3", ".", "+", "e5", "0o8", "0x",
                                "1e"))),
                Field(name: "nothing", value: .list([.null, .null, .string("")])),
                Field(
                    name: "deep",
                    value: .map([
                        Field(
                            name: "b",
                            value: .map([
                                Field(
                                    name: "c",
                                    value: .list([.map([Field(name: "d", value: .int(1))])]))
                            ]))
                    ])),
            ])
    }

    @Test func theEnvironmentFillsInValues() throws {
        let settings = try Settings.parse(
            settingsText(
                input:
                    "    fields: {a: \"${A}\", b: '${B:-x}', c: 'pre-${A}-${C:-}-post', d: $A $}",
                rest: "node: ${NODE:-none}\nlimits: {in_flight: '${SIZE}'}"),
            environment: ["A": "5", "B": "", "NODE": "${A}: [", "SIZE": "1MiB"])
        // A text even where it looks like a number: types do not change with the host.
        #expect(
            settings.inputs.first?.fields == [
                Field(name: "a", value: .string("5")), Field(name: "b", value: .string("x")),
                Field(name: "c", value: .string("pre-5--post")),
                Field(name: "d", value: .string("$A $")),
            ])
        // What comes from the environment is neither YAML nor looked at again.
        #expect(settings.node == "${A}: [")
        #expect(settings.limits.inFlight == 1 << 20)
    }

    @Test func aTemplateIsFilledFromCapturesThenFieldsThenTheInputsName() throws {
        let settings = try Settings.parse(
            settingsText(
                input: """
                        fields: {ns: field, zone: eu, rack: 7}
                        topic: "a.{ns}.{zone}-{rack}.{input}"
                    """))
        let input = try #require(settings.inputs.first)
        #expect(input.topic.names == ["ns", "zone", "rack", "input"])
        #expect(
            input.topic.render { input.value(of: $0, captures: ["ns": "shop"]) ?? "?" }
                == "a.shop.eu-7.pods")
    }
}
