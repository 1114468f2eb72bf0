/// An input of the configuration that is being written, while the keys of Filebeat's are gone
/// through.
struct FilebeatInput {
    let name: String
    /// The kind that Filebeat calls it.
    let type: String
    /// As they will be written.
    var paths: [String] = []
    var exclude: [String] = []
    var linkRoots: [String] = []
    var start: String?
    var format: String?
    var stream: String?
    var encoding: String?
    var maxLine: Int?
    var json: ConvertedMap?
    var multiline: ConvertedMap?
    var include: [String] = []
    var excludeLines: [String] = []
    /// In an object `fields`.
    var fields: [Field] = []
    /// Beside the document's own.
    var rootFields: [Field] = []
    var tags: [String] = []
    /// The input's own; nil: the output's.
    var topic: String?
    /// Of one of its paths, pieces that a processor cuts out of it: by Filebeat's name of the field
    /// the capture here.
    var captured: [String: String] = [:]
    /// Something that is not carried over may give events fields or tags.
    var isOpen = false
    var notes: [FilebeatNote] = []

    /// Whether lines come from a container's runtime.
    var isContainer: Bool { format != "plain" && format != nil }

    /// Adds a field, in the place of one that is there; of two maps all is kept.
    mutating func add(_ field: Field, underRoot: Bool) {
        if underRoot {
            Self.add(field, to: &rootFields)
        } else {
            Self.add(field, to: &fields)
        }
    }

    private static func add(_ field: Field, to fields: inout [Field]) {
        guard let index = fields.firstIndex(where: { $0.name == field.name }) else {
            fields.append(field)
            return
        }
        var value = field.value
        if case .map(var all) = fields[index].value, case .map(let more) = field.value {
            for inner in more { add(inner, to: &all) }
            value = .map(all)
        }
        fields[index] = Field(name: field.name, value: value)
    }

    /// What conditions and topics know of it: all scalars of its fields by their whole names.
    var constants: FilebeatCondition.Constants {
        var known: [String: String] = [:]
        var open: Set<String> = []
        func add(_ name: String, _ value: FieldValue) {
            switch value {
            case .map(let fields): for field in fields { add("\(name).\(field.name)", field.value) }
            case .list, .null: open.insert(name)
            case .string(let text) where EnvironmentReferences.stand(in: text): open.insert(name)
            case .string, .int, .double, .bool: known[name] = value.text
            }
        }
        for field in fields { add("fields.\(field.name)", field.value) }
        for field in rootFields { add(field.name, field.value) }
        known["input.type"] = type
        for name in captured.keys where known[name] == nil { open.insert(name) }
        return FilebeatCondition.Constants(
            fields: known, open: open, tags: tags, mayHaveMore: isOpen || json != nil)
    }

    /// What stands in a template for a field of Filebeat's: a name in braces, or its text.
    func piece(of field: String) -> String? {
        if let capture = captured[field], paths.allSatisfy({ $0.contains("{\(capture)}") }) {
            return "{\(capture)}"
        }
        if let capture = Self.captures[field], paths.allSatisfy({ $0.contains("{\(capture)}") }) {
            return "{\(capture)}"
        }
        let isNested = field.hasPrefix("fields.")
        let name = isNested ? String(field.dropFirst("fields.".count)) : field
        let own = (isNested ? fields : rootFields).first { $0.name == name }
        // As the file writes it, only one of both is there.
        if let own, own.value.text != nil, Template.isName(name),
            fields.isEmpty || rootFields.isEmpty
        {
            return "{\(name)}"
        }
        if let text = constants.fields[field], !text.contains("{"), !text.contains("}") {
            return text
        }
        return nil
    }

    private static let captures = [
        "kubernetes.namespace": "namespace", "kubernetes.pod.name": "pod",
        "kubernetes.pod.uid": "uid", "kubernetes.container.name": "container",
        "container.id": "container_id",
    ]

    /// As it is written.
    var map: ConvertedMap {
        var map = ConvertedMap()
        map.pair("name", name)
        map.list("paths", paths)
        map.list("exclude", exclude)
        map.list("follow_symlinks", linkRoots)
        map.pair("start", start)
        map.pair("format", format)
        map.pair("stream", stream)
        map.pair("encoding", encoding)
        map.pair("max_line", maxLine.map { Quantity.text(bytes: $0) })
        map.map("multiline", multiline)
        map.map("json", json)
        map.list("include_lines", include)
        map.list("exclude_lines", excludeLines)
        let isUnderRoot = fields.isEmpty && !rootFields.isEmpty
        let written = isUnderRoot ? rootFields : fields
        if !written.isEmpty { map.pair("fields", .map(written)) }
        if isUnderRoot { map.pair("fields_under_root", .bool(true)) }
        map.list("tags", tags)
        map.pair("topic", topic)
        for note in notes { map.comment(note) }
        return map
    }
}
