import Patterns
import Platform

extension Settings {
    /// The resolved configuration as YAML, every default written out; read again, it is the same
    /// configuration, but for the values of secrets, which are not in it. Without the node's name
    /// it is the same on all nodes that share a file.
    package func described(withNode: Bool = true) -> String {
        var text = YAMLText()
        text.pair("data", data)
        text.key("inputs")
        for input in inputs { text.item { describe(input, &$0) } }
        text.key("output")
        text.indented { text in
            text.key("kafka")
            text.indented { describe(output.kafka, &$0) }
        }
        text.key("limits")
        text.indented { text in
            text.pair("in_flight", Quantity.text(bytes: limits.inFlight))
            text.pair("open_files", .int(limits.openFiles))
            text.pair("held_bytes", Quantity.text(bytes: limits.heldBytes))
            text.pair("topics", .int(limits.topics))
            text.pair("watches", limits.watches.map(FieldValue.int) ?? .string("auto"))
        }
        text.pair("shutdown_timeout", Quantity.text(shutdownTimeout))
        if withNode { text.pair("node", node) }
        text.key("registry")
        text.indented { $0.pair("sync", Quantity.text(registry.sync)) }
        switch http.listen {
        case .standard:
            text.pair("http", .map([]))
            text.indented { $0.comment("listen: \(HTTP.standardAddress), if it is free") }
        case .address(let address):
            text.key("http")
            text.indented { $0.pair("listen", "\(address)") }
        case .none:
            text.key("http")
            text.indented { $0.pair("listen", "none") }
        }
        text.key("log")
        text.indented { text in
            text.pair("level", log.level.rawValue)
            text.pair("format", log.format.rawValue)
        }
        return text.text
    }

    private func describe(_ input: Input, _ text: inout YAMLText) {
        text.pair("name", input.name)
        text.list("paths", input.paths.map(\.text))
        text.list("exclude", input.exclude.map(\.text))
        text.list("archives", input.archives.map(\.text))
        text.pair("start", input.start.rawValue)
        text.pair("latency", Quantity.text(input.latency.most))
        text.pair("format", input.format.rawValue)
        text.pair("stream", input.stream.rawValue)
        text.pair("encoding", input.encoding.name)
        text.pair("max_line", Quantity.text(bytes: input.maxLine))
        if let json = input.json { describe(json, &text) }
        if let multiline = input.multiline { describe(multiline, &text) }
        describe(input.lines, &text)
        if let rotation = input.rotation { describe(rotation, &text) }
        text.pair("fields", .map(input.fields))
        text.pair("fields_under_root", .bool(input.fieldsUnderRoot))
        text.list("tags", input.tags)
        text.pair("empty_lines", input.emptyLines.rawValue)
        text.pair("timezone", input.timezone.name)
        text.pair("tai64n", input.tai64n.rawValue)
        if input.linkRoots.isEmpty {
            text.pair("follow_symlinks", .bool(false))
        } else {
            text.list("follow_symlinks", input.linkRoots)
        }
        text.pair("topic", input.topic.text)
    }

    private func describe(_ kafka: Kafka, _ text: inout YAMLText) {
        switch kafka.brokers {
        case .embedded: text.pair("brokers", "embedded")
        case .addresses(let addresses): text.list("brokers", addresses)
        }
        if let topic = kafka.topic { text.pair("topic", topic.text) }
        if let topic = kafka.deadLetterTopic { text.pair("dead_letter_topic", topic) }
        if let topic = kafka.fallbackTopic { text.pair("fallback_topic", topic) }
        if let key = kafka.key {
            text.pair("key", key.text)
        } else {
            text.comment("key: the stream's identity")
        }
        text.pair("partitioner", kafka.partitioner.rawValue)
        if kafka.partitioner == .node {
            text.pair("partitions_per_node", "\(kafka.partitionsPerNode)")
        }
        if !kafka.headers.isEmpty {
            text.pair(
                "headers",
                .map(kafka.headers.map { Field(name: $0.name, value: .string($0.value.text)) }))
        }
        text.pair("codec", kafka.codec.rawValue)
        text.pair("envelope", kafka.envelope.rawValue)
        text.pair("compression", kafka.compression.rawValue)
        text.pair("acks", kafka.acks.rawValue)
        text.pair("delivery", "at_least_once")
        text.pair("client_id", kafka.clientID.text)
        if let tls = kafka.tls { describe(tls, &text) }
        if let sasl = kafka.sasl { describe(sasl, &text) }
        text.pair(
            "librdkafka",
            .map(
                kafka.librdkafka.map { option in
                    Field(
                        name: option.name,
                        value: .string(option.isSecret ? Passthrough.hidden : option.value))
                }))
    }

    private func describe(_ tls: TLS, _ text: inout YAMLText) {
        text.key("tls")
        text.indented { text in
            if let file = tls.authorities {
                text.pair("ca", file.path)
            } else {
                text.comment("ca: what the system trusts")
            }
            if let file = tls.certificate { text.pair("certificate", file.path) }
            if let file = tls.key { text.pair("key", file.path) }
            if tls.passphrase != nil { text.pair("key_passphrase", Passthrough.hidden) }
            switch tls.verify {
            case .full: text.pair("verify", .bool(true))
            case .certificate: text.pair("verify", "certificate")
            case .none: text.pair("verify", .bool(false))
            }
        }
    }

    private func describe(_ sasl: SASL, _ text: inout YAMLText) {
        text.key("sasl")
        text.indented { text in
            text.pair("mechanism", sasl.mechanism.name)
            if case .oauthBearer(let file, let extensions) = sasl.mechanism {
                text.pair("token_file", file.path)
                text.pair(
                    "extensions",
                    .map(extensions.map { Field(name: $0.name, value: .string($0.value)) }))
            }
            guard let (user, password) = sasl.mechanism.credentials else { return }
            text.pair("username", user)
            switch password {
            case .text: text.pair("password", Passthrough.hidden)
            case .file(let file): text.pair("password_file", file.path)
            }
        }
    }
}

extension Settings.Passthrough {
    /// Shown in a secret's place, whatever its length.
    static let hidden = "********"
}
