import Encoding
import Kafka
import Model
import Settings

extension DeadLetters {
    /// Bytes of a line that a letter has: little enough for a topic of small messages, and enough
    /// to know the line again.
    static let longestHead = 8 * 1024

    /// Nil where the settings name no topic for them. `path` knows files by their numbers.
    static func from(
        _ settings: Settings, path: @escaping @Sendable (FileID) -> String?
    ) -> DeadLetters? {
        guard let topic = settings.output.kafka.deadLetterTopic else { return nil }
        let codec = RecordCodec(settings.output.kafka.codec)
        return DeadLetters(topic: topic) { batch, record, refused in
            let head = batch.withValue(of: record) {
                RecordLine.head(of: $0, codec: codec, limit: longestHead)
            }
            let file = path(refused.file) ?? "file \(refused.file.number)"
            let headers = [
                ("reason", "\(refused.code): \(refused.text)"), ("topic", refused.topic),
                ("file", file), ("offset", "\(refused.offset.bytes)"), ("size", "\(refused.size)"),
                ("_id", batch.id(of: record)),
            ]
            return DeadLetter(
                value: head,
                headers: RecordHeaders(
                    headers.map { RecordHeaders.Header($0, .bytes(Array($1.utf8))) }))
        }
    }
}

extension RecordCodec {
    init(_ codec: Settings.Codec) {
        self =
            switch codec {
            case .json: .json
            case .raw: .raw
            }
    }
}
