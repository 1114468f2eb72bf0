import Encoding
import Kafka
import Model
import Patterns
import Platform
import Settings
import Tailer

/// An input's settings made ready for its streams and files.
struct InputPlan {
    let settings: Settings.Input
    /// `fields` as JSON; nil when there are none, or they stand beside the document's own keys.
    let fields: [UInt8]?
    private let rootFields: [RootField]
    private let key: Template?
    let codec: RecordCodec
    private let headerTemplates: [Settings.Header]
    private let isMinimal: Bool
    private let rules: LineRules
    private let multiline: Multiline?
    private let json: JSONFields?

    /// The files that the agent's own pod writes, which are left out: each line that the agent logs
    /// would be one more to ship. None where it runs in no pod.
    let own: [PathGlob]

    init(_ input: Settings.Input, _ kafka: Settings.Kafka, pod: OwnPod? = .current) {
        settings = input
        own = pod?.logs(of: input.paths) ?? []
        key = kafka.key
        codec = RecordCodec(kafka.codec)
        headerTemplates = kafka.headers
        isMinimal = kafka.envelope == .minimal
        multiline = input.multiline.map { Multiline($0) }
        json = input.json.map { JSONFields($0) }
        rules = LineRules(input.lines, longestLine: input.maxLine)
        fields =
            input.fields.isEmpty || input.fieldsUnderRoot
            ? nil : FieldValue.map(input.fields).rendered
        rootFields =
            input.fieldsUnderRoot
            ? input.fields.map { RootField($0) } : []
    }

    /// Whether the log says that lines are no objects of JSON.
    var tellsUndecoded: Bool { settings.json?.ignoresDecodingError == false }

    /// Whether the topic of a record hangs on its day.
    var isDated: Bool { settings.topic.isDated }

    /// The topic of a stream on a day, counted from 1970-01-01 on, and its key. A key is never
    /// empty: an empty one would go to any partition, and the stream's order with it.
    func names(
        _ captures: [String: String], stream: String, day: Int
    ) -> (topic: TopicPool.Wish, key: [UInt8]) {
        let topic = settings.topic.render(day: day) {
            settings.value(of: $0, captures: captures) ?? ""
        }
        // Times of lines make names as pieces of paths do.
        let isMadeOutside = isDated || settings.topic.names.contains { captures[$0] != nil }
        let wish = TopicPool.Wish(
            name: topic, topic: TopicName.legal(topic),
            group: isMadeOutside ? group(of: stream) : nil)
        let key = key?.render { settings.value(of: $0, captures: captures) ?? "" } ?? ""
        return (wish, Array((key.isEmpty ? stream : key).utf8))
    }

    /// The first directory that is not fixed in the patterns, or the last that is, where the stream
    /// lies there.
    private func group(of stream: String) -> String {
        let prefix =
            settings.paths.map(\.prefix).filter { stream.hasPrefix($0 + "/") }
            .max { $0.utf8.count < $1.utf8.count } ?? ""
        let below = stream.utf8.dropFirst(prefix.utf8.count + 1)
        guard let end = below.firstIndex(of: UInt8(ascii: "/")) else { return prefix }
        return String(Substring(stream.utf8[..<end]))
    }

    /// The headers of the records of a file.
    func headers(path: String, captures: [String: String]) -> RecordHeaders {
        RecordHeaders(
            headerTemplates.map { header in
                let parts: [RecordHeaders.Value] = header.value.parts.map { part in
                    switch part {
                    case .literal(let text): .bytes(Array(text.utf8))
                    // No header has one.
                    case .date: .bytes([])
                    case .reference("path"): .bytes(Array(path.utf8))
                    case .reference("offset"): .offset
                    case .reference("id"): .id
                    case .reference(let name):
                        .bytes(Array((settings.value(of: name, captures: captures) ?? "").utf8))
                    }
                }
                return RecordHeaders.Header(
                    header.name, parts.count == 1 ? parts[0] : .all(parts))
            })
    }

    /// The constant part of the documents of a file.
    func template(
        path: String, captures: [String: String], device: UInt64, inode: UInt64,
        generation: GenerationID, node: String, agent: AgentIdentity
    ) -> RecordTemplate {
        RecordTemplate(
            path: path, captures: captures, device: device, inode: inode, generation: generation,
            node: node, fields: fields, tags: settings.tags, agent: agent, isMinimal: isMinimal,
            rootFields: rootFields)
    }

    /// Headers count for the length of a record, too; the room that is left for a key is theirs
    /// where they are short. Whole kilobytes, as a file's name may be in them, and where a line is
    /// cut must not hang on that.
    private func reserve(for headers: RecordHeaders) -> Int {
        headers.most <= 512 ? 0 : (headers.most + 1023) / 1024 * 1024
    }

    func encoder(
        _ template: RecordTemplate, path: String, isS6: Bool, container: ContainerFormat?,
        longestRecord: Int, headers: RecordHeaders
    ) throws(EncodingError) -> RecordEncoder {
        try RecordEncoder(
            codec: codec, template: template, path: path,
            longestRecord: longestRecord - reserve(for: headers),
            keepsEmptyLines: settings.emptyLines == .keep, labels: labels(isS6: isS6),
            rules: rules, container: container, multiline: multiline, fields: json,
            channel: settings.stream.channel,
            longestMessage: min(settings.maxLine, settings.multiline?.mostBytes ?? .max))
    }

    /// How a container runtime wrote a file, if one did: as the settings have it, or with `auto` as
    /// its first bytes tell.
    func container(isS6: Bool, head: Span<UInt8>) -> ContainerFormat? {
        switch settings.format {
        case .auto: isS6 ? nil : ContainerFormat.guess(head)
        case .plain, .s6: nil
        case .cri: .cri
        case .docker: .docker
        }
    }

    /// Whether a file's first bytes tell what wrote it.
    func guesses(isS6: Bool) -> Bool { settings.format == .auto && !isS6 }

    /// The labels that lines of an s6 log directory, or of another file, may begin with.
    private func labels(isS6: Bool) -> LabelFormat? {
        switch settings.format {
        case .plain, .cri, .docker: return nil
        case .auto where !isS6: return nil
        case .auto, .s6:
            // An application that writes such a time itself is likelier than a svlogd -ttt.
            let tai64n: LabelFormat.TAI64N =
                switch settings.tai64n {
                case .skalibs: .skalibs
                case .daemontools: .daemontools
                }
            return LabelFormat(
                tai64n: tai64n, zone: settings.timezone, takesT: settings.format == .s6)
        }
    }

    /// Bytes of a container runtime's line that are read as one at least: a piece of 16 KiB, and
    /// what stands before it.
    private static let pieces = 256 * 1024

    private var isContainer: Bool { settings.format == .cri || settings.format == .docker }

    /// The same as the Tailer needs it.
    var tailing: TailerInput {
        TailerInput(
            name: settings.name, paths: settings.paths, exclude: settings.exclude + own,
            maxLine: isContainer ? max(settings.maxLine, Self.pieces) : settings.maxLine,
            form: settings.encoding.isWide
                ? .wide : settings.encoding.hasLongCharacters ? .longCharacters : .ascii,
            archives: settings.archives, linkRoots: settings.linkRoots,
            sweep: settings.latency.sweep.nanoseconds)
    }
}

extension JSONFields {
    init(_ settings: Settings.JSON) {
        self.init(
            target: settings.target, messageKey: settings.messageKey,
            overwritesKeys: settings.overwritesKeys, expandsKeys: settings.expandsKeys,
            addsError: settings.addsErrorKey,
            time: settings.timestamp.map {
                Time(field: $0.field, layouts: $0.layouts, zone: $0.timezone)
            })
    }
}

extension Settings.ContainerStream {
    /// The one whose lines become records; nil: those of both.
    var channel: Channel? {
        switch self {
        case .all: nil
        case .stdout: .stdout
        case .stderr: .stderr
        }
    }
}

extension Multiline {
    init(_ settings: Settings.Multiline) {
        let grouping: Grouping =
            switch settings.grouping {
            case .count(let count): .count(count)
            case .pattern(let pattern, let negate, let match):
                .pattern(pattern, negate: negate, match: match == .after ? .after : .before)
            }
        self.init(
            grouping, flush: settings.flush, mostLines: settings.mostLines,
            silence: settings.timeout.nanoseconds, skipsNewline: settings.skipsNewline)
    }
}

extension LineRules {
    init(_ lines: Settings.Lines, longestLine: Int) {
        self.init(
            include: lines.include, exclude: lines.exclude,
            masks: lines.masks.map { Mask(pattern: $0.pattern, replacement: Array($0.with.utf8)) },
            longestAgo: lines.dropOlderThan.map { $0.components.seconds * 1000 },
            longestLine: longestLine)
    }
}

extension RootField {
    init(_ field: Field) {
        var members: [(name: String, value: [UInt8])]?
        if case .map(let fields) = field.value {
            members = fields.map { ($0.name, $0.value.rendered) }
        }
        self.init(name: field.name, value: field.value.rendered, members: members)
    }
}

extension FieldValue {
    /// As JSON.
    var rendered: [UInt8] {
        var text = JSONText()
        render(into: &text)
        return text.bytes
    }

    /// Appends the value as JSON.
    func render(into text: inout JSONText) {
        switch self {
        case .string(let value): text.string(value)
        case .int(let value): text.integer(value)
        case .double(let value): text.number(value)
        case .bool(let value): text.boolean(value)
        case .null: text.null()
        case .list(let values):
            text.openArray()
            for value in values { value.render(into: &text) }
            text.closeArray()
        case .map(let fields):
            text.openObject()
            for field in fields {
                text.key(field.name)
                field.value.render(into: &text)
            }
            text.closeObject()
        }
    }
}
