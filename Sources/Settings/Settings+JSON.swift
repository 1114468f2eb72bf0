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
        }
    }
}
