import Platform

/// What rules want to know of lines of JSON before they are members of a document: the text of the
/// message's key, and the line's own time.
struct FieldsLook {
    private let messageKey: JSONKey?
    private var object = JSONObject()
    private var clock: FieldClock
    /// The message, where it is not in the line as it is.
    private(set) var decoded: [UInt8] = []

    /// Where the message is.
    enum Place: Hashable {
        case line(Range<Int>)
        case decoded
    }

    init(_ fields: JSONFields) {
        messageKey = fields.messageKey.map { JSONKey($0) }
        clock = FieldClock(fields)
    }

    /// The line itself is the message where it is no object, or none of its members is asked for;
    /// it has none where it has no such text. `now` in milliseconds since 1970.
    mutating func read(_ line: Span<UInt8>, now: Int64) -> (message: Place, time: Int64?) {
        let all = Place.line(0..<line.count)
        do throws(JSONFault) {
            try object.read(line)
        } catch {
            return (all, nil)
        }
        var time: Int64?
        if case .time(let read) = clock.read(object, of: line, now: now) { time = read }
        guard let messageKey else { return (all, time) }
        guard let string = object.member(messageKey, in: line)?.string(in: line) else {
            return (.line(0..<0), time)
        }
        let text = line.extracting(string)
        if ByteSearch.quoteOrBackslash(in: text, from: 0) == text.count {
            return (.line(string), time)
        }
        decoded.removeAll(keepingCapacity: true)
        _ = JSONString.decode(text, into: &decoded)
        return (.decoded, time)
    }
}
