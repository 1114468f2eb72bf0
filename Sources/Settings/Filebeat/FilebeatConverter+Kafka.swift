/// `output.kafka`.
extension FilebeatConverter {
    mutating func kafka() -> ConvertedMap {
        var map = ConvertedMap()
        guard let value = tree.take("output.kafka"), value.entries != nil,
            FilebeatTree(value).look("enabled")?.bool != false
        else {
            map.comment(
                note(missing: "output.kafka", "there is none; write your brokers, and the topic"))
            map.list("brokers", ["kafka.example:9092"])
            map.pair("topic", "filebeat")
            return map
        }
        var tree = FilebeatTree(value)
        _ = tree.take("enabled")
        brokers(tree.take("hosts"), &map)
        topics(&tree, &map)
        key(tree.take("key"), &tree, &map)
        headers(tree.take("headers"), &map)
        codec(&tree, &map)
        compression(&tree, &map)
        if let value = tree.take("required_acks"), value.text != "-1" {
            map.comment(
                note(
                    value,
                    "acks is always all: a line counts as delivered when no broker's crash takes "
                        + "it away", hand: false))
        }
        if let value = tree.take("client_id"), let id = text(value) {
            if id.replacing("${", with: "").contains("{") {
                map.comment(note(value, "braces stand for {node} alone"))
            } else {
                map.pair("client_id", id)
            }
        }
        tls(&tree, &map)
        sasl(&tree, &map)
        librdkafka(&tree, &map)
        for (value, advice) in tree.told(behind: "output.kafka.", by: FilebeatAdvice.ofKafka) {
            map.comment(note(value, advice.text, hand: advice.needsHand))
        }
        return map
    }

    private mutating func brokers(_ value: FilebeatTree.Value?, _ map: inout ConvertedMap) {
        var brokers: [String] = []
        for item in value?.items ?? [] {
            guard let text = text(item) else { continue }
            for host in FilebeatText.hosts(text) {
                // A list within the braces: what the variable holds may be one, too.
                if host.contains(","), let start = host.firstRange(of: ":-") {
                    map.comment(
                        note(
                            item,
                            "a variable is one HOST:PORT; its default is written, and what it "
                                + "holds is not"))
                    for one in host[start.upperBound...].split(whereSeparator: { ",}".contains($0) }
                    ) {
                        brokers.append(one.contains(":") ? String(one) : "\(one):9092")
                    }
                    continue
                }
                // Behind a variable, whose default may have a colon as well.
                let end = host.lastIndex(of: "}").map { host[$0...].dropFirst() } ?? host[...]
                let hasPort = end.last != "]" && end.contains(":")
                if host.hasSuffix("}") {
                    map.comment(
                        note(
                            item,
                            "a variable is one HOST:PORT; where it holds several, or no port, "
                                + "write that"))
                    brokers.append(host)
                } else {
                    brokers.append(hasPort ? host : "\(host):9092")
                }
            }
        }
        if brokers.isEmpty {
            map.comment(note(missing: "output.kafka.hosts", "no broker is named; write yours"))
            brokers = ["kafka.example:9092"]
        }
        map.list("brokers", brokers)
    }

    // MARK: Topics

    /// What stands in a topic for something that Filebeat has and we have not.
    private static let placeholder = "filebeat"

    private mutating func topics(_ tree: inout FilebeatTree, _ map: inout ConvertedMap) {
        let topic = tree.take("topic")
        let rules = tree.take("topics")?.items ?? []
        var names: [String?] = []
        var comments: [FilebeatNote] = []
        for index in inputs.indices {
            names.append(self.topic(of: inputs[index], topic, rules, &comments))
        }
        for note in comments { map.comment(note) }
        let missing = names.contains { $0 == nil }
        if missing {
            map.comment(
                note(
                    missing: "output.kafka.topic",
                    "an input has no topic; it gets the name "
                        + Self.placeholder))
        }
        let all = names.map { $0 ?? Self.placeholder }
        // The one that most have is the output's.
        let common = all.max { a, b in all.count { $0 == a } < all.count { $0 == b } }
        map.pair("topic", common ?? Self.placeholder)
        for index in inputs.indices where all[index] != common {
            inputs[index].topic = all[index]
        }
    }

    private mutating func topic(
        of input: FilebeatInput, _ topic: FilebeatTree.Value?, _ rules: [FilebeatTree.Value],
        _ comments: inout [FilebeatNote]
    ) -> String? {
        func add(_ note: FilebeatNote) { if !comments.contains(note) { comments.append(note) } }
        for rule in rules {
            var tree = FilebeatTree(rule)
            if let mappings = tree.take("mappings") {
                add(note(mappings, "topics are not looked up by values; write an input for each"))
                continue
            }
            switch FilebeatCondition(tree.take("when"), input.constants) {
            case .no: continue
            case .yes:
                guard let value = tree.take("topic") else { continue }
                return name(value, input, &comments)
            case .message, .notMessage, .unknown:
                add(
                    note(
                        rule,
                        "a line's topic does not hang on what is in it; give an input its own topic"
                    ))
            }
        }
        return topic.flatMap { name($0, input, &comments) }
    }

    private mutating func name(
        _ value: FilebeatTree.Value, _ input: FilebeatInput, _ comments: inout [FilebeatNote]
    ) -> String? {
        guard let text = value.text, let format = FilebeatFormatString(text) else {
            let note = note(value, "no name of a topic")
            if !comments.contains(note) { comments.append(note) }
            return nil
        }
        switch format.template(date: true, { input.piece(of: $0) }) {
        case .success(let name): return name.isEmpty ? nil : name
        case .failure(let missing):
            let note = note(
                value,
                "\(missing.name) is nothing that input \(input.name) has for each line; use a "
                    + "capture of its paths, as {app}, or one of its fields")
            if !comments.contains(note) { comments.append(note) }
            return nil
        }
    }

    // MARK: Keys and headers

    private mutating func key(
        _ value: FilebeatTree.Value?, _ tree: inout FilebeatTree, _ map: inout ConvertedMap
    ) {
        guard let value, let text = value.text, !text.isEmpty,
            let format = FilebeatFormatString(text)
        else {
            _ = tree.take("partition.hash.reachable_only")
            return
        }
        // The stream's path is the key where there is none.
        if format.onlyField == "log.file.path" { return }
        var keys: [String] = []
        for input in inputs {
            switch format.template(date: false, { input.piece(of: $0) }) {
            case .success(let key): if !keys.contains(key) { keys.append(key) }
            case .failure(let missing):
                map.comment(
                    note(
                        value,
                        "\(missing.name) is nothing that input \(input.name) has for each line; "
                            + "without a key the stream's path is it, so that its lines keep "
                            + "their order"
                    ))
                return
            }
        }
        guard let key = keys.first, keys.count == 1 else {
            map.comment(
                note(
                    value,
                    "inputs would need keys of their own; use {input} or a field that all have"))
            return
        }
        map.pair("key", key)
        if tree.look("partition.random") == nil, tree.look("partition.round_robin") == nil,
            tree.look("partition.hash.hash") == nil
        {
            map.pair("partitioner", "filebeat")
        }
    }

    private mutating func headers(_ value: FilebeatTree.Value?, _ map: inout ConvertedMap) {
        var headers: [Field] = []
        for item in value?.items ?? [] {
            var tree = FilebeatTree(item)
            guard let key = tree.take("key")?.text, let value = tree.take("value"),
                let text = text(value), !text.replacing("${", with: "").contains("{"),
                tree.leaves.isEmpty, headers.count < 32, !text.isEmpty
            else {
                map.comment(note(item, "a header is a name and a text for all records"))
                continue
            }
            headers.removeAll { $0.name == key }
            headers.append(Field(name: key, value: .string(text)))
        }
        if !headers.isEmpty { map.pair("headers", .map(headers)) }
    }

    // MARK: The client

    private mutating func codec(_ tree: inout FilebeatTree, _ map: inout ConvertedMap) {
        guard let value = tree.take("codec.format") else { return }
        let text = FilebeatTree(value).look("string")?.text
        let joins = inputs.contains {
            $0.multiline != nil || $0.json != nil || $0.stream != nil || $0.isContainer
        }
        if text == "%{[message]}", !joins {
            map.pair("codec", "raw")
        } else {
            map.comment(
                note(
                    value,
                    "records are documents, or with codec: raw lines as they are, which joins "
                        + "and reads nothing; take them apart behind Kafka"))
        }
    }

    private mutating func compression(_ tree: inout FilebeatTree, _ map: inout ConvertedMap) {
        guard let value = tree.take("compression") else { return }
        if let text = value.text, Settings.Compression(rawValue: text) != nil {
            map.pair("compression", text)
        } else {
            map.comment(note(value, "expected none, gzip, snappy, lz4 or zstd"))
        }
    }

    private mutating func librdkafka(_ tree: inout FilebeatTree, _ map: inout ConvertedMap) {
        var options: [Field] = []
        func number(_ name: String, _ property: String, _ range: ClosedRange<Int>) {
            guard let value = tree.look(name), let number = value.text.flatMap({ Int($0) }),
                range.contains(number)
            else { return }
            _ = tree.take(name)
            options.append(Field(name: property, value: .string(String(number))))
        }
        number("max_message_bytes", "message.max.bytes", 1_000...1_000_000_000)
        number("compression_level", "compression.level", 0...12)
        if !options.isEmpty { map.pair("librdkafka", .map(options)) }
    }

    private mutating func tls(_ tree: inout FilebeatTree, _ map: inout ConvertedMap) {
        guard let ssl = tree.look("ssl"), !ssl.isNull else { return }
        if let enabled = tree.take("ssl.enabled"), enabled.bool != true {
            guard enabled.bool == nil, enabled.text != nil else {
                _ = tree.take("ssl")
                return
            }
            map.comment(
                note(enabled, "whether TLS is on hangs on the environment; it is taken for on"))
        }
        var tls = ConvertedMap()
        let authorities = tree.take("ssl.certificate_authorities")
        let files = authorities?.items ?? []
        if let authorities, files.count > 1 {
            tls.comment(note(authorities, "tls.ca is one file; put all authorities into it"))
        } else if let file = files.first {
            self.file(file, "ca", &tls)
        }
        let certificate = tree.take("ssl.certificate")
        let key = tree.take("ssl.key")
        if let certificate, let key {
            var both = ConvertedMap()
            self.file(certificate, "certificate", &both)
            self.file(key, "key", &both)
            // One without the other would be refused.
            if both.has("certificate"), both.has("key") {
                if let value = tree.take("ssl.key_passphrase"), let text = text(value) {
                    both.pair("key_passphrase", text)
                }
                tls.append(both)
            } else {
                for entry in both.entries {
                    if case .comment(let text) = entry { tls.comment(text) }
                }
            }
        } else if let one = certificate ?? key {
            tls.comment(
                note(one, "a certificate and its key belong together; write the other one, too"))
        }
        _ = tree.take("ssl.key_passphrase")
        if let mode = tree.take("ssl.verification_mode") {
            switch mode.text {
            case "full", "strict", nil: break
            case "certificate": tls.pair("verify", "certificate")
            case "none": tls.pair("verify", .bool(false))
            default: tls.comment(note(mode, "expected verify: true, certificate or false"))
            }
        }
        map.map("tls", tls)
    }

    /// Only the path of a file can stand there.
    private mutating func file(
        _ value: FilebeatTree.Value, _ name: String, _ map: inout ConvertedMap
    ) {
        guard let text = text(value), !text.contains("-----BEGIN"),
            text.hasPrefix("/") || text.hasPrefix("${")
        else {
            map.comment(
                note(
                    value,
                    "tls.\(name) is the absolute path of a file; write what stands here into one"))
            return
        }
        map.pair(name, text)
    }

    private mutating func sasl(_ tree: inout FilebeatTree, _ map: inout ConvertedMap) {
        let user = tree.take("username")
        let password = tree.take("password")
        let mechanism = tree.take("sasl.mechanism")
        guard let user, !(user.text ?? "").isEmpty else { return }
        let name = (mechanism?.text ?? "").isEmpty ? "PLAIN" : mechanism?.text ?? "PLAIN"
        guard ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].contains(name.uppercased()),
            let password, let secret = text(password), let known = text(user), !secret.isEmpty
        else {
            map.comment(
                note(mechanism ?? user, "sasl needs a mechanism, a username and a password"))
            return
        }
        var sasl = ConvertedMap()
        sasl.pair("mechanism", name.uppercased())
        sasl.pair("username", known)
        sasl.pair("password", secret)
        map.map("sasl", sasl)
        if !EnvironmentReferences.stand(in: secret) {
            map.comment(
                note(
                    password, "it stands here as it is; password_file names a file with it",
                    hand: false))
        }
    }
}
