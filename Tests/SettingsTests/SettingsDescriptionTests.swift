import Settings
import TestSupport
import Testing

@Suite struct SettingsDescriptionTests {
    static let full = """
        data: /d
        inputs:
          - name: pods
            paths: ["/logs/{namespace}/[a-c]*.log", "/var/log/{namespace}/ü: #/x"]
            exclude: ["**/*.gz"]
            archives: ["/logs/old/{namespace}/*.log*"]
            start: end
            max_line: 1000
            fields: {a: [1, {b: [2.5, [true, ~]], c: {}}, []], d: {e: "5", "f: g": "x\\ny\\u202e"}, '': ' '}
            tags: ["true", "0x1F", "a#b", "- c", "'", "1e3", ".inf", "a:", "99999999999999999999"]
            include_lines: ['^a', '\\bü$']
            exclude_lines: [':']
            drop: {older_than: 36h}
            mask: [{pattern: '\\d{16}', with: '****'}, {pattern: x, with: ''}]
            fields_under_root: true
            empty_lines: keep
            format: s6
            timezone: America/New_York
            tai64n: daemontools
            topic: "{namespace}.{input}"
          - name: other
            paths: [/a/b]
        output:
          kafka:
            brokers: ["kafka-0:9092", "[::1]:9093"]
            topic: logs
            key: "{input}"
            partitioner: consistent_random
            codec: raw
            compression: none
            client_id: logs
            tls: {ca: /t/ca.pem, certificate: /t/c.pem, key: /t/c.key, verify: certificate}
            sasl: {mechanism: SCRAM-SHA-256, username: u, password_file: /t/password}
            librdkafka: {linger.ms: 50}
        limits: {in_flight: 256KiB, open_files: 16, held_bytes: 64KiB, watches: 100}
        shutdown_timeout: 1500ms
        node: "node 17"
        registry: {sync: 2m}
        http: {listen: "[::]:9600"}
        log: {level: debug, format: json}
        """

    @Test(arguments: [
        full, settingsText(), settingsText(rest: "http: {listen: none}"),
        full.replacing(
            "{mechanism: SCRAM-SHA-256, username: u, password_file: /t/password}",
            with: "{mechanism: OAUTHBEARER, token_file: /t/token, extensions: {logicalCluster: l}}"),
        settingsText().replacing("[a:9092]", with: "embedded"),
        settingsText(
            input:
                "    multiline: {pattern: '^\\s', match: before, flush_pattern: x, max_bytes: 1KiB}"
        ),
        settingsText(input: "    multiline: {preset: python, max_lines: 7, skip_newline: true}"),
        settingsText(input: "    multiline: {type: count, count_lines: 3, timeout: 2s}"),
        settingsText(input: "    multiline: timestamp"),
        settingsText(input: "    json: {}"),
        settingsText(
            input:
                "    rotation: {size: 1GiB, schedule: '* * * * *', age: 1d, keep: 7, max_age: 14d, "
                + "max_total: 9GiB, compress: gzip, delay_compress: true, missing_ok: false}"),
        settingsText(input: "    rotation: {age: 90m, keep: 1}"),
        settingsText(input: "    format: cri\n    stream: stderr\n    encoding: shift_jis"),
        settingsText(
            input: "    json: {timestamp: {field: t, layouts: [UNIX, RFC3339], timezone: UTC}}"),
        settingsText(input: "    json: {keys_under_root: false, add_error_key: true}"),
        settingsText(input: "    json: {target: a.b, message_key: msg, expand_keys: true}"),
    ])
    func whatIsDescribedIsTheSameConfigurationWhenReadAgain(text: String) throws {
        let settings = try Settings.parse(text)
        let again = try Settings.parse(settings.described())
        #expect(again.described() == settings.described())
        #expect(again.data == settings.data)
        #expect(again.inputs == settings.inputs)
        #expect(again.output.kafka.brokers == settings.output.kafka.brokers)
        #expect(again.output.kafka.topic == settings.output.kafka.topic)
        #expect(again.output.kafka.key == settings.output.kafka.key)
        #expect(again.output.kafka.partitioner == settings.output.kafka.partitioner)
        #expect(again.output.kafka.codec == settings.output.kafka.codec)
        #expect(again.output.kafka.compression == settings.output.kafka.compression)
        #expect(again.output.kafka.clientID == settings.output.kafka.clientID)
        #expect(again.output.kafka.files.map(\.path) == settings.output.kafka.files.map(\.path))
        #expect(again.output.kafka.tls?.verify == settings.output.kafka.tls?.verify)
        #expect(
            again.output.kafka.sasl?.mechanism.name == settings.output.kafka.sasl?.mechanism.name)
        if case .oauthBearer(let file, let extensions)? = settings.output.kafka.sasl?.mechanism {
            guard case .oauthBearer(let fileAgain, extensions)? = again.output.kafka.sasl?.mechanism
            else {
                Issue.record("other extensions, or none")
                return
            }
            #expect(fileAgain.path == file.path && file.path == "/t/token")
            #expect(extensions.map(\.name) == ["logicalCluster"])
        }
        #expect(
            again.output.kafka.librdkafka.map(\.value)
                == settings.output.kafka.librdkafka.map(\.value))
        #expect(again.limits == settings.limits)
        #expect(again.registry == settings.registry)
        #expect(again.shutdownTimeout == settings.shutdownTimeout)
        #expect(again.node == settings.node)
        #expect(again.http == settings.http)
        #expect(again.log == settings.log)
    }

    @Test func theDefaultsAreWrittenOut() throws {
        let text = try Settings.parse(settingsText(rest: "node: n")).described()
        #expect(
            text == """
                data: /var/lib/shipper
                inputs:
                  - name: pods
                    paths:
                      - "/logs/{ns}/{app}/current"
                    exclude:
                      - "**/*.gz"
                    archives: []
                    start: beginning
                    latency: 250ms
                    format: auto
                    stream: all
                    encoding: utf-8
                    max_line: 256KiB
                    include_lines: []
                    exclude_lines: []
                    fields: {}
                    fields_under_root: false
                    tags: []
                    empty_lines: skip
                    timezone: UTC
                    tai64n: skalibs
                    follow_symlinks: false
                    topic: logs
                output:
                  kafka:
                    brokers:
                      - a:9092
                    topic: logs
                    # key: the stream's identity
                    partitioner: murmur2_random
                    codec: json
                    envelope: full
                    compression: lz4
                    acks: all
                    delivery: at_least_once
                    client_id: "shipper-{node}"
                    librdkafka: {}
                limits:
                  in_flight: 32MiB
                  open_files: 4096
                  held_bytes: 4GiB
                  topics: 1000
                  watches: auto
                shutdown_timeout: 10s
                node: n
                registry:
                  sync: 1s
                http: {}
                  # listen: 127.0.0.1:9600, if it is free
                log:
                  level: info
                  format: text

                """)
    }

    @Test(arguments: [
        "sasl.password", "ssl.key.password", "ssl.keystore.password", "SSL.Key.Pem",
        "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret", "ssl_key.pem",
    ])
    func secretsAreNeverShown(name: String) throws {
        let settings = try Settings.parse(
            settingsText(kafka: "    librdkafka: {\(name): \"${SECRET}\", client.id: seen}"),
            environment: ["SECRET": "geheim"])
        #expect(settings.output.kafka.librdkafka.first?.value == "geheim")
        let text = settings.described()
        #expect(!text.contains("geheim"))
        #expect(text.contains("client.id: seen"))
        #expect(text.contains("********"))
    }

    @Test func aPasswordAndAPassphraseAreNeverShown() throws {
        let settings = try Settings.parse(
            settingsText(
                kafka: """
                        tls: {certificate: /c.pem, key: /c.key, key_passphrase: "${ONE}"}
                        sasl: {mechanism: PLAIN, username: seen, password: "${TWO}"}
                    """), environment: ["ONE": "geheim", "TWO": "verborgen"])
        #expect(settings.output.kafka.tls?.passphrase == "geheim")
        let text = settings.described()
        #expect(!text.contains("geheim") && !text.contains("verborgen"))
        #expect(text.contains("key_passphrase: \"********\"\n"))
        #expect(text.contains("username: seen\n      password: \"********\"\n"))
    }
}
