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

    private let readsOwn: Bool
    private var clock = RFC3339Clock()
    private static let own = JSONKey("@timestamp")
    private let layouts: [TimeLayout]
    private var local: LocalClock
    /// The field's name as it is, and the names that dots divide.
    private let field: JSONKey?
    private let path: [JSONKey]

    init(_ fields: JSONFields) {
        readsOwn = fields.overwritesKeys && fields.target.isEmpty
        layouts = fields.time?.layouts ?? []
        local = LocalClock(fields.time?.zone ?? .utc)
        field = (fields.time?.field).map { JSONKey($0) }
        path = (fields.time?.field ?? "").split(separator: ".").map { JSONKey(String($0)) }
    }

    /// Of the object that was read from `text`; `now` in milliseconds since 1970.
    mutating func read(_ object: JSONObject, of text: Span<UInt8>, now: Int64) -> Reading {
        if let value = find(in: object, text) { return time(text, value, now) }
        guard readsOwn, let member = object.member(Self.own, in: text) else { return .none }
        guard let string = member.string(in: text),
            let read = clock.time(
                text.extracting(0..<string.upperBound), from: string.lowerBound),
            read.end == string.upperBound
        else { return .wrong }
        return .time(read.milliseconds)
    }

    /// Where the field's value stands.
    private func find(in object: JSONObject, _ text: Span<UInt8>) -> Range<Int>? {
        guard let field else { return nil }
        if let member = object.member(field, in: text) { return member.value }
        guard path.count > 1, var value = object.member(path[0], in: text)?.value else {
            return nil
        }
        for key in path.dropFirst() {
            var below = JSONObject()
            let part = text.extracting(value)
            do throws(JSONFault) {
                try below.read(part)
            } catch {
                return nil
            }
            guard let member = below.member(key, in: part) else { return nil }
            value =
                value.lowerBound + member.value.lowerBound..<value.lowerBound
                + member.value.upperBound
        }
        return value
    }

    /// A text, or a number.
    private mutating func time(
        _ text: Span<UInt8>, _ value: Range<Int>, _ now: Int64
    ) -> Reading {
        let isString = text[value.lowerBound] == UInt8(ascii: "\"")
        let inner =
            isString ? value.lowerBound + 1..<value.upperBound - 1 : value
        for layout in layouts {
            if let time = layout.time(text.extracting(inner), &local, now: now) {
                return .time(time)
            }
        }
        return .wrong
    }
}
