import Encoding
import Kafka
import Patterns
import Platform
import Settings
import Tailer

/// An input's settings made ready for its streams and files.
struct InputPlan {
    let settings: Settings.Input
    /// `fields` as JSON; nil when there are none.
    let fields: [UInt8]?
    private let key: Template?
    private let codec: RecordCodec

    init(_ input: Settings.Input, _ kafka: Settings.Kafka) {
        settings = input
        key = kafka.key
        codec = RecordCodec(kafka.codec)
        guard !input.fields.isEmpty else {
            fields = nil
            return
        }
        var text = JSONText()
        FieldValue.map(input.fields).render(into: &text)
        fields = text.bytes
    }

    /// The topic and the key of a stream. A key is never empty: an empty one would go to any
    /// partition, and the stream's order with it.
    func names(
        _ captures: [String: String], stream: String
    ) -> (topic: String, key: [UInt8]) {
        let topic = settings.topic.render { settings.value(of: $0, captures: captures) ?? "" }
        let key = key?.render { settings.value(of: $0, captures: captures) ?? "" } ?? ""
        return (TopicName.legal(topic), Array((key.isEmpty ? stream : key).utf8))
    }

    func encoder(
        _ template: RecordTemplate, path: String, isS6: Bool, longestRecord: Int
    ) throws(EncodingError) -> RecordEncoder {
        try RecordEncoder(
            codec: codec, template: template, path: path, longestRecord: longestRecord,
            keepsEmptyLines: settings.emptyLines == .keep, labels: labels(isS6: isS6))
    }

    /// The labels that lines of an s6 log directory, or of another file, may begin with.
    private func labels(isS6: Bool) -> LabelFormat? {
        switch settings.format {
        case .plain: return nil
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

    /// The same as the Tailer needs it.
    var tailing: TailerInput {
        TailerInput(
            name: settings.name, paths: settings.paths, exclude: settings.exclude,
            maxLine: settings.maxLine, archives: settings.archives,
            sweep: settings.latency.sweep.nanoseconds)
    }
}

extension FieldValue {
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
