import YAML

/// `output.kafka`.
extension SettingsReader {
    /// The output, and where its templates stand, which are checked against every input.
    struct KafkaOutput {
        let settings: Settings.Kafka
        /// Nil where the key is not there.
        let topic: Value?
        let key: Value?
        /// The values of the headers.
        let headers: [Value]
    }

    /// Nil where there is no such map.
    mutating func kafka(_ root: Section) -> KafkaOutput? {
        guard let value = root["output"] else {
            fault(root.mark, "output", "missing; expected a map with kafka")
            return nil
        }
        guard let output = section(value, .output) else { return nil }
        guard let value = output["kafka"] else {
            fault(output.mark, "output.kafka", "missing; expected a map with brokers")
            return nil
        }
        guard let kafka = section(value, .kafka) else { return nil }
        let brokers = self.brokers(kafka)
        let topic = template(kafka["topic"], takesDates: true)
        let key = template(kafka["key"])
        let headers = self.headers(kafka["headers"])
        let codec: Settings.Codec = choice(kafka["codec"], default: .json)
        let envelope: Settings.Envelope = choice(kafka["envelope"], default: .full)
        if let value = kafka["envelope"], codec == .raw, envelope != .full {
            fault(
                value.node.mark, value.path,
                "with codec: raw there is no envelope; leave the key out")
        }
        fixed(kafka["delivery"], only: "at_least_once", later: ["exactly_once"])
        let partitioner: Settings.Partitioner = choice(
            kafka["partitioner"], default: .murmur2Random)
        if let value = kafka["partitions_per_node"], partitioner != .node {
            fault(value.node.mark, value.path, "without partitioner: node it does nothing")
        }
        let librdkafka = passthrough(kafka["librdkafka"])
        twice(librdkafka, in: kafka)
        let settings = Settings.Kafka(
            brokers: brokers, topic: topic,
            deadLetterTopic: topicName(kafka["dead_letter_topic"]),
            fallbackTopic: topicName(kafka["fallback_topic"]), key: key,
            partitioner: partitioner,
            partitionsPerNode: count(kafka["partitions_per_node"], .partitionsPerNode),
            headers: headers.map(\.header), codec: codec, envelope: envelope,
            compression: choice(kafka["compression"], default: .lz4),
            acks: acks(kafka["acks"]),
            clientID: clientID(kafka["client_id"]),
            tls: tls(kafka["tls"]),
            sasl: sasl(kafka["sasl"]),
            librdkafka: librdkafka)
        return KafkaOutput(
            settings: settings, topic: kafka["topic"], key: kafka["key"],
            headers: headers.map(\.value))
    }

    /// A topic, key or the like.
    mutating func template(_ value: Value?, takesDates: Bool = false) -> Template? {
        guard let value, let text = text(value, "a text, as in logs.{app}") else { return nil }
        do throws(TemplateError) {
            let template = try Template(text)
            if template.isDated, !takesDates { throw TemplateError.dated }
            return template
        } catch {
            fault(value.node.mark, value.path, error.description)
            return nil
        }
    }

    /// Every record has them all.
    private static let mostHeaders = 32

    private mutating func headers(
        _ value: Value?
    ) -> [(header: Settings.Header, value: Value)] {
        let expected = "a map of names to texts, as in path: \"{path}\""
        guard let value else { return [] }
        guard case .map(let entries) = value.node.content else {
            if case .scalar(let scalar) = value.node.content, scalar.isNull { return [] }
            fault(value.node.mark, value.path, "\(found(value.node)); expected \(expected)")
            return []
        }
        if entries.count > Self.mostHeaders {
            fault(
                value.node.mark, value.path,
                "\(entries.count) headers; expected \(Self.mostHeaders) at the most")
        }
        var headers: [(header: Settings.Header, value: Value)] = []
        for entry in entries.prefix(Self.mostHeaders) {
            let item = Value(
                path: "\(value.path).\(shown(entry.key))", keyMark: entry.keyMark,
                node: entry.value)
            if entry.key.isEmpty || entry.key.utf8.contains(0) {
                fault(entry.keyMark, item.path, "no header's name; expected \(expected)")
            }
            guard let template = template(item) else { continue }
            headers.append((Settings.Header(name: entry.key, value: template), item))
        }
        return headers
    }

    /// The name of one topic, the same for every input; nil where there is none.
    mutating func topicName(_ value: Value?) -> String? {
        guard let value else { return nil }
        if case .scalar(let scalar) = value.node.content, scalar.isNull { return nil }
        let expected = "the name of one topic, as in logs.dead"
        guard let name = word(value, expected) else { return nil }
        let isLegal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        if !isLegal || name == "." || name == ".." || name.utf8.count > Self.longestTopic {
            fault(
                value.node.mark, value.path,
                "\(quoted(name)) is no name that Kafka takes: 1 to \(Self.longestTopic) letters, digits, "
                    + "., _ and -; expected \(expected)")
        }
        return name
    }

    /// Kafka's own limit.
    private static let longestTopic = 249

    private mutating func brokers(_ kafka: Section) -> Settings.Brokers {
        let expected = "a list of HOST:PORT, or embedded"
        guard let value = kafka["brokers"] else {
            fault(kafka.mark, kafka.path("brokers"), "missing; expected \(expected)")
            return .embedded
        }
        switch value.node.content {
        case .list(let items) where !items.isEmpty: break
        case .list:
            fault(value.node.mark, value.path, "an empty list; expected \(expected)")
            return .embedded
        case .map:
            fault(value.node.mark, value.path, "a map; expected \(expected)")
            return .embedded
        case .scalar:
            if let text = text(value, expected), text != "embedded" {
                fault(value.node.mark, value.path, "the text \(quoted(text)); expected \(expected)")
            }
            return .embedded
        }
        var addresses: [String] = []
        for item in items(value, of: "HOST:PORT") ?? [] {
            guard let address = word(item, "HOST:PORT, as in kafka-0:9092") else { continue }
            if let problem = Self.problem(address: address) {
                fault(
                    item.node.mark, item.path,
                    "\(quoted(address)) \(problem); expected HOST:PORT, as in kafka-0:9092")
            }
            addresses.append(address)
        }
        return .addresses(addresses)
    }

    /// The reason why `address` is not `HOST:PORT`, an IPv6 host standing in brackets.
    private static func problem(address: String) -> String? {
        guard let colon = address.lastIndex(of: ":") else { return "has no port" }
        let host = address[..<colon]
        let port = address[address.index(after: colon)...]
        guard let number = UInt16(port), number > 0, port.utf8.first != UInt8(ascii: "+") else {
            return "has no port from 1 to 65535"
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let inner = host.dropFirst().dropLast()
            let fits = inner.utf8.allSatisfy { byte in
                byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
                    || Int(String(UnicodeScalar(byte)), radix: 16) != nil
            }
            return fits && inner.contains(":") ? nil : "has no IPv6 address in its brackets"
        }
        let fits = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            default:
                false
            }
        }
        return fits && !host.isEmpty ? nil : "has no host name"
    }

    /// Idempotent producing, which order and bounded duplicates rest on, is only with `all`.
    private mutating func acks(_ value: Value?) -> Settings.Acks {
        guard let value else { return .all }
        if let text = text(value, "all"), text != Settings.Acks.all.rawValue {
            fault(
                value.node.mark, value.path,
                "\(quoted(text)) would take lines for delivered that a broker can still lose; "
                    + "expected all")
        }
        return .all
    }

    private mutating func passthrough(_ value: Value?) -> [Settings.Passthrough] {
        guard let value else { return [] }
        guard case .map(let entries) = value.node.content else {
            fault(
                value.node.mark, value.path,
                "\(found(value.node)); expected a map of librdkafka's properties")
            return []
        }
        var options: [Settings.Passthrough] = []
        for entry in entries {
            let item = Value(
                path: "\(value.path).\(shown(entry.key))", keyMark: entry.keyMark,
                node: entry.value)
            guard let text = text(item, "the property's value as a text or number") else {
                continue
            }
            if entry.key.isEmpty || entry.key.utf8.contains(0) || text.utf8.contains(0) {
                fault(entry.keyMark, item.path, "no property; expected its name and a value")
            }
            options.append(
                Settings.Passthrough(name: entry.key, value: text, mark: entry.keyMark))
        }
        return options
    }
}
