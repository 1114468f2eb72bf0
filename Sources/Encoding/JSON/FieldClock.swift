import Platform

/// The time that a line of JSON says itself, where it is to be its document's.
struct FieldClock {
    /// What a line says.
    enum Reading: Hashable {
        /// Nothing, or nothing is asked.
        case none
        /// Milliseconds since 1970.
        case time(Int64)
        /// Something that is no time.
        case wrong
    }

    private let isRead: Bool
    private var clock = RFC3339Clock()
    private static let key = JSONKey("@timestamp")

    init(_ fields: JSONFields) { isRead = fields.overwritesKeys && fields.target.isEmpty }

    /// Of the object that was read from `text`.
    mutating func read(_ object: JSONObject, of text: Span<UInt8>) -> Reading {
        guard isRead, let member = object.member(Self.key, in: text) else { return .none }
        guard let string = member.string(in: text),
            let read = clock.time(
                text.extracting(0..<string.upperBound), from: string.lowerBound),
            read.end == string.upperBound
        else { return .wrong }
        return .time(read.milliseconds)
    }
}
