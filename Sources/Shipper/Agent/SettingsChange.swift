import Settings

/// What differs between the configuration that runs and another one, for people and for whoever
/// applies it.
struct SettingsChange: Hashable, Sendable {
    /// Inputs by their names, in the order of the newer configuration.
    let added: [String]
    /// Inputs of both that are not the same; one without a topic of its own changes with the
    /// output's.
    let changed: [String]
    /// Inputs of the older configuration, in its order.
    let removed: [String]
    /// Other sections that differ, by their keys.
    let sections: [String]
    /// Sections that differ, and that only a start can change.
    let untouchable: [String]
    /// Whether brokers that cannot be reached may be reached with the newer one: the connection
    /// differs, or what its files hold, as of certificates that are renewed.
    let connectsElsewhere: Bool
    private let filesDiffer: Bool

    /// `filesDiffer`: the files that are named hold something else by now, or are others.
    init(from old: Settings, to new: Settings, filesDiffer: Bool = false) {
        let before = Dictionary(uniqueKeysWithValues: old.inputs.map { ($0.name, $0) })
        let names = Set(new.inputs.map(\.name))
        added = new.inputs.map(\.name).filter { before[$0] == nil }
        changed = new.inputs.filter { before[$0.name] != nil && before[$0.name] != $0 }
            .map(\.name)
        removed = old.inputs.map(\.name).filter { !names.contains($0) }
        let differs: [(String, Bool)] = [
            ("output", old.output != new.output), ("limits", old.limits != new.limits),
            ("registry", old.registry != new.registry),
            ("shutdown_timeout", old.shutdownTimeout != new.shutdownTimeout),
            ("node", old.node != new.node || old.isNodeNamed != new.isNodeNamed),
            ("http", old.http != new.http), ("log", old.log != new.log),
        ]
        sections = differs.filter(\.1).map(\.0)
        let (a, b) = (old.output.kafka, new.output.kafka)
        self.filesDiffer = filesDiffer
        connectsElsewhere =
            filesDiffer || a.brokers != b.brokers || a.tls != b.tls || a.sasl != b.sasl
            || a.librdkafka != b.librdkafka
        untouchable = old.data == new.data ? [] : ["data"]
    }

    /// Whether the newer one is worth a new pipeline: what files hold may differ where nothing else
    /// does, and what takes effect at a start alone does not count.
    var isApplicable: Bool {
        filesDiffer || !added.isEmpty || !changed.isEmpty || !removed.isEmpty
            || sections.contains { $0 != "log" }
    }

    /// For a line of the log.
    var logged: KeyValuePairs<String, Log.Value> {
        [
            "inputs_added": .text(Self.list(added)), "inputs_changed": .text(Self.list(changed)),
            "inputs_removed": .text(Self.list(removed)), "sections": .text(Self.list(sections)),
        ]
    }

    /// Of names, in a line of the log.
    private static let mostNames = 20

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(mostNames).joined(separator: ",")
        let more = names.count - mostNames
        return names.isEmpty ? "none" : more > 0 ? "\(shown),and_\(more)_more" : shown
    }
}
