/// The keys of the configuration's maps: what may stand where. How a value is read stands with the
/// readers.
struct SettingsKeys: Sendable {
    enum Key: Sendable {
        /// Read by this version.
        case built
        /// Read by this version; its map has these keys.
        case map(SettingsKeys)
        /// A list of maps with these keys.
        case list(SettingsKeys)
        /// Known, but refused as "not supported yet". The keys of its map are known as well; nil
        /// where it is no map, or one whose keys are free.
        case later(SettingsKeys?)
    }

    /// In the order in which they are shown.
    let keys: [(name: String, key: Key)]

    /// The text to write in the place of keys that Filebeat has in such a map.
    let filebeat: [String: String]

    private init(_ keys: [(name: String, key: Key)], filebeat: [String: String] = [:]) {
        self.keys = keys
        self.filebeat = filebeat
    }

    private static func built(_ names: String...) -> [(name: String, key: Key)] {
        names.map { ($0, .built) }
    }

    private static func later(_ names: String...) -> [(name: String, key: Key)] {
        names.map { ($0, .later(nil)) }
    }

    subscript(name: String) -> Key? { keys.first { $0.name == name }?.key }

    static let root = SettingsKeys(
        built("data") + [("inputs", .list(input)), ("output", .map(output))]
            + [("limits", .map(limits))] + built("shutdown_timeout", "node")
            + [("registry", .map(registry))]
            + [("http", .map(http)), ("log", .map(log))])

    static let input = SettingsKeys(
        built("name", "paths", "exclude", "archives", "start", "latency", "format", "stream")
            + built("encoding", "max_line")
            + [("json", .map(json)), ("multiline", .built)]
            + built("include_lines", "exclude_lines") + [
                ("drop", .map(drop)), ("mask", .list(mask)),
            ]
            + built("fields", "fields_under_root", "tags", "empty_lines")
            + built("timezone", "tai64n", "follow_symlinks", "topic")
            + [("rotation", .map(rotation))],
        filebeat: [
            "type": "leave it out: every input follows files",
            "id": "expected name",
            "enabled": "leave it out, or the whole input",
            "exclude_files": "expected exclude, whose items are globs and no regular expressions",
            "include_files": "expected paths, which are globs",
            "recursive_glob": "leave it out: ** in paths is always understood",
            "tail_files": "expected start, beginning or end",
            "parsers": "expected json for ndjson, multiline, and format for container",
            "ignore_older": "leave it out: a file at rest costs nothing",
            "close_inactive": "leave it out: a file at rest costs nothing",
            "clean_removed": "leave it out: positions of files that are gone are forgotten",
        ])

    static let json = SettingsKeys(
        built("target", "keys_under_root", "message_key", "overwrite_keys", "expand_keys")
            + built("add_error_key", "ignore_decoding_error")
            + [("timestamp", .map(timestamp))],
        filebeat: [
            "document_id": "leave it out: each document has an id of its place in the file",
            "max_depth": "leave it out: objects of any depth up to 32 are read",
            "process_array": "leave it out: arrays stay as they are",
        ])

    static let timestamp = SettingsKeys(
        built("field", "layouts", "timezone", "test"),
        filebeat: [
            "target_field": "leave it out: the time becomes @timestamp",
            "ignore_missing": "leave it out: a line without the field has the time of its reading",
            "ignore_failure": "leave it out: a line with a wrong time is shipped, and flagged",
        ])

    static let multiline = SettingsKeys(
        built("type", "pattern", "negate", "match", "flush_pattern", "preset", "count_lines")
            + built("max_lines", "max_bytes", "timeout", "skip_newline"))

    static let drop = SettingsKeys(built("older_than"))

    static let mask = SettingsKeys(built("pattern", "with"))

    static let rotation = SettingsKeys(
        built("size", "schedule", "age", "keep", "max_age", "max_total")
            + built("compress", "delay_compress") + later("date_suffix") + built("method")
            + later("su") + built("missing_ok", "not_empty") + later("max_backlog"))

    static let output = SettingsKeys([("kafka", .map(kafka))])

    static let kafka = SettingsKeys(
        built("brokers", "topic", "dead_letter_topic", "fallback_topic")
            + built(
                "key", "partitioner", "partitions_per_node", "headers", "codec", "envelope",
                "compression", "acks")
            + built("delivery", "client_id") + [("tls", .map(tls)), ("sasl", .map(sasl))]
            + built("librdkafka"),
        filebeat: [
            "hosts": "expected brokers", "ssl": "expected tls", "required_acks": "expected acks",
            "username": "expected sasl.username", "password": "expected sasl.password",
        ])

    static let tls = SettingsKeys(
        built("ca", "certificate", "key", "key_passphrase", "verify"),
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

    static let sasl = SettingsKeys(
        built("mechanism", "username", "password", "password_file", "token_file", "extensions"))

    static let limits = SettingsKeys(
        built("in_flight", "open_files", "held_bytes", "watches", "readers", "topics"))

    static let registry = SettingsKeys(built("sync"))

    /// The maps that `name` is a key of, as a message names them; nil if there is none.
    static func homes(of name: String) -> String? {
        let maps = [
            ("the top of the file", root), ("inputs[]", input), ("inputs[].json", json),
            ("inputs[].json.timestamp", timestamp),
            ("inputs[].multiline", multiline),
            ("inputs[].drop", drop), ("inputs[].mask[]", mask), ("inputs[].rotation", rotation),
            ("output", output), ("output.kafka", kafka),
            ("output.kafka.tls", tls), ("output.kafka.sasl", sasl), ("limits", limits),
            ("registry", registry), ("http", http),
            ("log", log),
        ]
        let homes = maps.filter { $0.1[name] != nil }.map(\.0)
        return homes.isEmpty ? nil : homes.joined(separator: " or ")
    }

    static let http = SettingsKeys(built("listen"))

    static let log = SettingsKeys(built("level", "format"))
}
