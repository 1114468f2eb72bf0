package import Platform

/// What an input does with lines that are objects of JSON.
extension Settings {
    /// `json` of an input.
    package struct JSON: Hashable, Sendable {
        /// The names of the objects, within one another, that members go into; none: they stand
        /// beside the document's own.
        package let target: [String]
        /// The member whose text is the message.
        package let messageKey: String?
        /// A member `@timestamp` is the document's time.
        package let overwritesKeys: Bool
        /// Names with dots become objects within one another.
        package let expandsKeys: Bool
        /// A document says what was wrong with its line.
        package let addsErrorKey: Bool
        /// The log does not say that lines are no objects.
        package let ignoresDecodingError: Bool
        /// A member that is the document's time; nil: none but `@timestamp` may be.
        package let timestamp: FieldTimestamp?
    }

    /// `json.timestamp`: which member is a document's time, and how it is written there.
    package struct FieldTimestamp: Hashable, Sendable {
        /// Its name, with dots between those of objects within one another.
        package let field: String
        /// At least one; the first that fits a text counts.
        package let layouts: [TimeLayout]
        /// Of times that name no zone.
        package let timezone: ZoneRules
    }

    /// `stream` of an input.
    package enum ContainerStream: String, Hashable, Sendable, CaseIterable {
        case all, stdout, stderr
    }

    func describe(_ json: JSON, _ text: inout YAMLText) {
        text.key("json")
        text.indented { text in
            text.pair("target", json.target.joined(separator: "."))
            if let key = json.messageKey { text.pair("message_key", key) }
            text.pair("overwrite_keys", .bool(json.overwritesKeys))
            text.pair("expand_keys", .bool(json.expandsKeys))
            text.pair("add_error_key", .bool(json.addsErrorKey))
            text.pair("ignore_decoding_error", .bool(json.ignoresDecodingError))
            guard let timestamp = json.timestamp else { return }
            text.key("timestamp")
            text.indented { text in
                text.pair("field", timestamp.field)
                text.list("layouts", timestamp.layouts.map(\.text))
                text.pair("timezone", timestamp.timezone.name)
            }
        }
    }
}
