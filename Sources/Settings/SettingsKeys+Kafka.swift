/// `output` and what is below it.
extension SettingsKeys {
    static let output = SettingsKeys([
        .required("kafka", .map(kafka), "", "A cluster of Kafka, the only output so far")
    ])

    static let kafka = SettingsKeys(
        [
            .required(
                "brokers", .either(.texts, .choice(["embedded"])), "[kafka-0:9092, kafka-1:9092]",
                "HOST:PORT of brokers that are asked first, or embedded: a broker in this process, "
                    + "to try things out"),
            .shown(
                "topic", .text, "\"logs.{app}\"",
                "For inputs without a topic of their own: a text with captures of paths, fields, "
                    + "{input} and a date, as in {+yyyy.MM.dd}"),
            .optional(
                "dead_letter_topic", .text, "logs.dead",
                without: "a record that its topic refuses for ever stops its stream",
                "Where records go that their topics refuse for ever"),
            .optional(
                "fallback_topic", .text, "logs.unknown",
                without: "such streams wait",
                "Where streams go that do not get the topic that their path names"),
            .optional(
                "key", .text, "\"{app}\"", without: "the stream's path",
                "Of records, of which those with one key stay in order: a text as in topic"),
            .choice(
                "partitioner", Settings.Partitioner.murmur2Random,
                "How a key chooses its partition; node: each node writes to a few partitions of "
                    + "each topic, the choice for fleets"),
            .optional(
                "partitions_per_node", .count(Bounds<Int>.partitionsPerNode.range),
                "\(Bounds<Int>.partitionsPerNode.standard)",
                without: "\(Bounds<Int>.partitionsPerNode.standard)",
                "With partitioner node, partitions of each topic that a node writes to"),
            .key(
                "headers", .either(.names, .nothing), default: "{}",
                "Of each record, 32 at the most: texts as in topic, and {path}, {offset}, {id}"),
            .choice(
                "codec", Settings.Codec.json,
                "json: documents as Filebeat writes them; raw: the line as it is"),
            .choice(
                "envelope", Settings.Envelope.full,
                "minimal: documents of @timestamp, message, log and kubernetes alone"),
            .choice("compression", Settings.Compression.lz4, "Of batches"),
            .choice(
                "acks", Settings.Acks.all,
                "Who has to have a record before it counts as delivered; nothing less is accepted"),
            .key("delivery", .choice(["at_least_once"]), default: "at_least_once", "The promise"),
            .key(
                "client_id", .text, default: "\"\(Template.standardClientID.text)\"",
                "The name that brokers know the client by; their quotas are for each of them"),
            .optional(
                "tls", .map(tls), "{}", without: "connections are not encrypted",
                "That it stands there, as in tls: {}, turns TLS on"),
            .optional(
                "sasl", .map(sasl), "", without: "the client does not prove who it is",
                "How the client proves who it is"),
            .key(
                "librdkafka", .names, default: "{}",
                "Properties of librdkafka's, by its own names; what the agent must own is refused"),
        ],
        filebeat: [
            "hosts": "expected brokers", "ssl": "expected tls", "required_acks": "expected acks",
            "username": "expected sasl.username", "password": "expected sasl.password",
        ])

    static let tls = SettingsKeys(
        [
            .optional(
                "ca", .text, "/etc/shipper/tls/ca.pem", without: "what the system trusts",
                "A file with the authorities' certificates in PEM"),
            .optional(
                "certificate", .text, "/etc/shipper/tls/client.pem",
                "The client's own, in PEM, with key"),
            .optional(
                "key", .text, "/etc/shipper/tls/client.key", "Of certificate, in PEM"),
            .optional("key_passphrase", .text, "\"${KEY_PASSPHRASE}\"", "Of key, if it has one"),
            .choice(
                "verify", Settings.Verification.full,
                "certificate: any host's will do; false: anybody's"),
        ],
        filebeat: [
            "enabled": "leave it out: that tls stands there turns it on",
            "certificate_authorities": "expected ca, the path of one file with all of them",
            "verification_mode":
                "expected verify: true for full, certificate, or false for none",
            "ca_sha256": "leave it out: expected ca, the authority's certificate",
            "ca_trusted_fingerprint": "leave it out: expected ca, the authority's certificate",
            "supported_protocols": "expected ssl.cipher.suites under librdkafka, if anything",
            "cipher_suites": "expected ssl.cipher.suites under librdkafka",
            "curve_types": "expected ssl.curves.list under librdkafka",
        ])

    static let sasl = SettingsKeys([
        .required(
            "mechanism", SettingsReader.mechanisms, "SCRAM-SHA-512",
            "GSSAPI takes sasl.kerberos.* under librdkafka"),
        .shown("username", .text, "shipper", "With PLAIN and SCRAM"),
        .shown(
            "password", .text, "\"${KAFKA_PASSWORD}\"", "With PLAIN and SCRAM, or password_file"),
        .optional(
            "password_file", .text, "/etc/shipper/kafka/password",
            "A file with the password, read again when a broker refuses what was in it"),
        .optional(
            "token_file", .text, "/var/run/secrets/kafka/token",
            "With OAUTHBEARER: a file with a JWT, read again when it changes"),
        .optional(
            "extensions", .either(.names, .nothing), "{logicalCluster: lkc-1}",
            "With OAUTHBEARER: names and texts that some brokers want, 16 at the most"),
    ])
}
