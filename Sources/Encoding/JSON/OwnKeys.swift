import Platform

/// The keys that the documents of one file have themselves, and where in the end that all of them
/// share more members may go.
struct OwnKeys: Sendable {
    /// What becomes of a member that a line has of that name.
    enum Place: Hashable, Sendable {
        /// It is left out: the document's own stays.
        case taken
        /// It is the document's time, if anything.
        case time
        /// Members of it go into that object of the document's.
        case object(Int)
        /// Its elements go behind that byte, before the end of the document's array.
        case array(Int)
    }

    /// An object of the document's.
    private struct Object: Sendable {
        var keys: [(key: JSONKey, place: Place)] = []
        /// A bit for each of the keys' hashes.
        var bits: UInt64 = 0
        /// Before its closing bracket, in the end that is shared.
        var end = 0

        mutating func add(_ key: JSONKey, _ place: Place) {
            keys.append((key, place))
            bits |= OwnKeys.bit(key.hash)
        }
    }

    private var objects: [Object] = [Object()]

    private static func bit(_ hash: UInt64) -> UInt64 { 1 << (hash >> 58) }

    /// Of `document`, as all of the file's are, of which the bytes from `shared` on are the end.
    /// A line's `stream` and `docker` are left out where the documents `haveSource`.
    init(document: [UInt8], shared: Int, haveSource: Bool) {
        var names = ["@metadata"]
        if haveSource { names += ["stream", "docker"] }
        add(document, 0..<document.count, shared, to: 0)
        let known = objects[0].keys.map(\.key.bytes)
        for name in names where !known.contains(Array(name.utf8)) {
            objects[0].add(JSONKey(name), .taken)
        }
    }

    private mutating func add(
        _ document: [UInt8], _ range: Range<Int>, _ shared: Int, to object: Int
    ) {
        var read = JSONObject()
        let text = document.span.extracting(range)
        do throws(JSONFault) {
            try read.read(text)
        } catch {
            preconditionFailure("a document of ours is no JSON: \(error.text)")
        }
        objects[object].end = range.upperBound - 1 - shared
        for member in read.members {
            let name = String(
                decoding: document[
                    range.lowerBound + member.key.lowerBound..<range.lowerBound
                        + member.key.upperBound], as: UTF8.self)
            let start = range.lowerBound + member.value.lowerBound
            let end = range.lowerBound + member.value.upperBound
            // What a line says is its message.
            if object == 0, name == "message" { continue }
            objects[object].add(
                JSONKey(name), place(of: name, document, start..<end, shared, in: object))
        }
    }

    private mutating func place(
        of name: String, _ document: [UInt8], _ value: Range<Int>, _ shared: Int, in object: Int
    ) -> Place {
        if object == 0, name == "@timestamp" { return .time }
        // Nothing goes into what stands before the message.
        guard value.upperBound > shared else { return .taken }
        if object == 0, name == "tags", document[value.lowerBound] == UInt8(ascii: "[") {
            // Elements go behind another one.
            return value.count > 2 ? .array(value.upperBound - 1 - shared) : .taken
        }
        guard document[value.lowerBound] == UInt8(ascii: "{"), value.count > 2 else {
            return .taken
        }
        objects.append(Object())
        let below = objects.count - 1
        add(document, value, shared, to: below)
        // Some documents have flags there, and two of one key are refused by Elasticsearch.
        if object == 0, name == "log" { objects[below].add(JSONKey("flags"), .taken) }
        return .object(below)
    }

    /// Before the closing bracket of an object, in the end that is shared.
    func end(of object: Int) -> Int { objects[object].end }

    /// The place of a line's member at the document's root; nil where that is free.
    @inline(__always)
    func place(_ member: JSONObject.Member, of text: Span<UInt8>) -> Place? {
        guard objects[0].bits & Self.bit(member.hash) != 0 else { return nil }
        for known in objects[0].keys
        where known.key.hash == member.hash
            && ByteSearch.isEqual(member.key, of: text, known.key.bytes)
        {
            return known.place
        }
        return nil
    }

    /// The same of a key without escapes, in one of the document's objects; 0 is the document.
    func place(_ key: Range<Int>, of names: Span<UInt8>, in object: Int) -> Place? {
        let hash = ByteSearch.hash(of: key, in: names)
        guard objects[object].bits & Self.bit(hash) != 0 else { return nil }
        for known in objects[object].keys
        where known.key.hash == hash && ByteSearch.isEqual(key, of: names, known.key.bytes) {
            return known.place
        }
        return nil
    }
}
