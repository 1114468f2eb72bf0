import Kafka
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
        codec =
            switch kafka.codec {
            case .json: .json
            case .raw: .raw
            }
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
        _ template: RecordTemplate, path: String, longestRecord: Int
    ) throws(EncodingError) -> RecordEncoder {
        try RecordEncoder(
            codec: codec, template: template, path: path, longestRecord: longestRecord,
            keepsEmptyLines: settings.emptyLines == .keep)
    }

    /// The same as the Tailer needs it.
    var tailing: TailerInput {
        TailerInput(
            name: settings.name, paths: settings.paths, exclude: settings.exclude,
            maxLine: settings.maxLine)
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
