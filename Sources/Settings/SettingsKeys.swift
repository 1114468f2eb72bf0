/// The keys of the configuration's maps: what may stand where, in which form, within which bounds
/// and with which default. The messages, the schema and the reference are made of it, and readers
/// take their bounds from where it does; how a value is read stands with them.
struct SettingsKeys: Sendable {
    struct Key: Sendable {
        let name: String
        let form: Form
        let standard: Standard
        /// What it does, in sentences without the last full stop.
        let help: String

        /// Known, but refused as "not supported yet".
        var isLater: Bool { if case .later = form { true } else { false } }
    }

    /// What may stand there as a value.
    indirect enum Form: Sendable {
        case text
        case truth
        case choice([String])
        case count(ClosedRange<Int>)
        case size(ClosedRange<Int>)
        case duration(ClosedRange<Duration>)
        /// A list of texts.
        case texts
        /// Names of the user's own, each with a text.
        case names
        /// Names of the user's own, each with anything.
        case values
        case map(SettingsKeys)
        /// A list of maps.
        case list(SettingsKeys)
        case either(Form, Form)
        /// No value, which is as if the key did not stand there.
        case nothing
        case later
    }

    /// What is without the key.
    enum Standard: Sendable {
        /// It has to stand there.
        case required(example: String)
        /// The value in YAML, as it could be written.
        case value(String)
        /// Nothing; the reference has the example all the same, because without it or something
        /// beside it the map would be refused.
        case shown(example: String)
        /// Nothing that could be written. The example is YAML; `without` says what is then.
        case none(example: String, without: String?)
    }

    /// In the order in which they are shown.
    let keys: [Key]

    /// The text to write in the place of keys that Filebeat has in such a map.
    let filebeat: [String: String]

    init(_ keys: [Key], filebeat: [String: String] = [:]) {
        self.keys = keys
        self.filebeat = filebeat
    }

    subscript(name: String) -> Key? { keys.first { $0.name == name } }

    /// The maps that `name` is a key of, as a message names them; nil if there is none.
    static func homes(of name: String) -> String? {
        let homes = maps.filter { $0.keys[name] != nil }.map(\.place)
        return homes.isEmpty ? nil : homes.joined(separator: " or ")
    }

    /// Every map with the place where it may stand.
    static let maps: [(place: String, keys: SettingsKeys)] = [
        ("the top of the file", root), ("inputs[]", input), ("inputs[].json", json),
        ("inputs[].json.timestamp", timestamp), ("inputs[].multiline", multiline),
        ("inputs[].drop", drop), ("inputs[].mask[]", mask), ("inputs[].rotation", rotation),
        ("output", output), ("output.kafka", kafka), ("output.kafka.tls", tls),
        ("output.kafka.sasl", sasl), ("limits", limits), ("registry", registry), ("http", http),
        ("log", log),
    ]
}

extension SettingsKeys.Key {
    static func required(
        _ name: String, _ form: SettingsKeys.Form, _ example: String, _ help: String
    ) -> Self {
        Self(name: name, form: form, standard: .required(example: example), help: help)
    }

    static func key(
        _ name: String, _ form: SettingsKeys.Form, default standard: String, _ help: String
    ) -> Self {
        Self(name: name, form: form, standard: .value(standard), help: help)
    }

    /// A key without a default that could be written.
    static func optional(
        _ name: String, _ form: SettingsKeys.Form, _ example: String, without: String? = nil,
        _ help: String
    ) -> Self {
        Self(
            name: name, form: form, standard: .none(example: example, without: without), help: help
        )
    }

    /// A key without a default, which or whose neighbour has to stand there.
    static func shown(
        _ name: String, _ form: SettingsKeys.Form, _ example: String, _ help: String
    ) -> Self {
        Self(name: name, form: form, standard: .shown(example: example), help: help)
    }

    /// One of the cases, of which `standard` is what counts without the key.
    static func choice<Choice>(_ name: String, _ standard: Choice, _ help: String) -> Self
    where Choice: RawRepresentable<String> & CaseIterable {
        key(name, choice(of: Choice.self), default: standard.rawValue, help)
    }

    static func choice<Choice>(of type: Choice.Type) -> SettingsKeys.Form
    where Choice: RawRepresentable<String> & CaseIterable {
        .choice(Choice.allCases.map(\.rawValue))
    }

    static func truth(_ name: String, _ standard: Bool, _ help: String) -> Self {
        key(name, .truth, default: "\(standard)", help)
    }

    static func size(_ name: String, _ bounds: Bounds<Int>, _ help: String) -> Self {
        key(name, .size(bounds.range), default: Quantity.text(bytes: bounds.standard), help)
    }

    static func count(_ name: String, _ bounds: Bounds<Int>, _ help: String) -> Self {
        key(name, .count(bounds.range), default: "\(bounds.standard)", help)
    }

    static func duration(_ name: String, _ bounds: Bounds<Duration>, _ help: String) -> Self {
        key(name, .duration(bounds.range), default: Quantity.text(bounds.standard), help)
    }

    static func map(_ name: String, _ keys: SettingsKeys, _ help: String) -> Self {
        key(name, .map(keys), default: "{}", help)
    }

    static func later(_ name: String) -> Self {
        optional(name, .later, "null", "Not supported yet")
    }
}
