import Platform

/// Makes members of a document out of one line after the other.
///
/// What is not to be changed is copied from the line as it stands there, in as few pieces as there
/// are: with a line of which nothing is the document's own already, in one.
struct FieldsWriter {
    private let fields: JSONFields
    private let own: OwnKeys
    private let messageKey: JSONKey?
    private let message = JSONKey("message")
    private static let error = JSONKey("error")
    /// `"a":{"b":`, and the brackets that end it.
    private let target: [UInt8]
    private let targetEnd: [UInt8]
    private let addsError: Bool
    private var object = JSONObject()
    private var tree = JSONTree()
    private var clock: FieldClock
    private let now: Int64

    /// Of the last line: members that are copied, each run with the commas within it.
    private var runs: [Range<Int>] = []
    /// Members that stand behind those.
    private var made: [UInt8] = []
    /// What goes into the document's own objects, and where.
    private var inserted: [UInt8] = []
    private var insertions: [(at: Int, bytes: Range<Int>)] = []
    /// The line's own time, in milliseconds since 1970, if it is to be the document's.
    private var time: Int64?
    /// It has one that could not be read.
    private var isMistimed = false
    /// The line has an `error` itself.
    private var hasError = false
    /// The error that is to be in the document.
    private var fault: String?

    /// `now` in milliseconds since 1970.
    init(_ fields: JSONFields, own: OwnKeys, now: Int64) {
        self.now = now
        self.fields = fields
        self.own = own
        clock = FieldClock(fields)
        messageKey = fields.messageKey.map { JSONKey($0) }
        // A field of the user's that has this name stays.
        let error = Self.error.bytes
        addsError =
            fields.addsError && own.place(0..<error.count, of: error.span, in: 0) == nil
        var target: [UInt8] = []
        for (depth, name) in fields.target.enumerated() {
            if depth > 0 { target.append(UInt8(ascii: "{")) }
            target.append(UInt8(ascii: "\""))
            JSONString.encode(Array(name.utf8).span, into: &target)
            target.append(contentsOf: #"":"#.utf8)
        }
        self.target = target
        targetEnd = [UInt8](
            repeating: UInt8(ascii: "}"), count: max(0, fields.target.count - 1))
    }

    /// Bytes that an error takes in a document.
    static let longestError =
        errorBegin.count + errorEnd.count + max(JSONFault.longest, longestOwnError)
    private static let errorBegin = Array(#","error":{"message":""#.utf8)
    private static let errorEnd = Array(#"","type":"json"}"#.utf8)
    private static let missing = "The key of the message was not found"
    private static let noString = "The value of the message's key is not a string"
    private static let mistimed = "The time could not be read"
    private static let conflicting = "A key with dots could not become an object"
    private static let longestOwnError =
        [missing, noString, mistimed, conflicting].map(\.utf8.count).max() ?? 0

    /// What a document says of a line that was not taken in; nothing where that is not asked for.
    func error(_ fault: JSONFault) -> [UInt8] {
        addsError ? Self.errorBegin + Array(fault.text.utf8) + Self.errorEnd : []
    }

    // MARK: Reading

    /// Makes ready what `append` and `appendTail` write of a line: the bytes of that, at most
    /// `limit`; the line's own time, in milliseconds since 1970; and whether that could not be
    /// read.
    mutating func read(
        _ text: Span<UInt8>, limit: Int
    ) throws(JSONFault) -> (count: Int, time: Int64?, isMistimed: Bool) {
        // What is empty mostly stays so.
        if !runs.isEmpty { runs.removeAll(keepingCapacity: true) }
        if !made.isEmpty { made.removeAll(keepingCapacity: true) }
        if !inserted.isEmpty {
            inserted.removeAll(keepingCapacity: true)
            insertions.removeAll(keepingCapacity: true)
        }
        (time, isMistimed, fault, hasError) = (nil, false, nil, false)
        try object.read(text)
        let hasMessage: Bool
        if fields.target.isEmpty {
            hasMessage = readRoot(text)
        } else {
            readTarget(text)
            hasMessage = false
        }
        addMessage(text, isThere: hasMessage)
        switch clock.read(object, of: text, now: now) {
        case .none: break
        case .time(let read): time = read
        case .wrong:
            isMistimed = true
            fault = fault ?? Self.mistimed
        }
        addError(text)
        let count = count
        if count > limit { throw JSONFault(reason: .tooLong, place: text.count) }
        return (count, time, isMistimed)
    }

    /// Bytes that are written beside what all documents have.
    private var count: Int {
        var count = made.count + inserted.count + 1
        for run in runs { count += run.count + 1 }
        return count
    }

    private mutating func readTarget(_ text: Span<UInt8>) {
        separate()
        made.append(contentsOf: target)
        if object.isPlain, !fields.expandsKeys {
            made.append(UInt8(ascii: "{"))
            made.append(text.extracting(object.inner))
            made.append(UInt8(ascii: "}"))
        } else {
            tree.read(text, expands: fields.expandsKeys)
            if tree.conflict != nil { fault = Self.conflicting }
            tree.write(0, of: text, into: &made)
        }
        made.append(contentsOf: targetEnd)
    }

    /// Whether there is a `message` among the members.
    private mutating func readRoot(_ text: Span<UInt8>) -> Bool {
        var isTree = !object.isPlain || fields.expandsKeys
        var hasMessage = false
        if !isTree {
            var run: Range<Int>?
            for member in object.members {
                switch own.place(member, of: text) {
                case nil:
                    if member.hash == message.hash,
                        ByteSearch.isEqual(member.key, of: text, message.bytes)
                    {
                        hasMessage = true
                    }
                    let begin = run?.lowerBound ?? member.key.lowerBound - 1
                    run = begin..<member.value.upperBound
                    continue
                case .taken, .time: break
                case .object, .array: isTree = true
                }
                if isTree { break }
                if let run { runs.append(run) }
                run = nil
            }
            if let run { runs.append(run) }
        }
        return isTree ? readTree(text) : hasMessage
    }

    private mutating func readTree(_ text: Span<UInt8>) -> Bool {
        runs.removeAll(keepingCapacity: true)
        tree.read(text, expands: fields.expandsKeys)
        if tree.conflict != nil { fault = Self.conflicting }
        var hasMessage = false
        var next = tree.nodes[0].first
        while next >= 0 {
            let node = next
            next = tree.nodes[node].next
            let key = tree.nodes[node].key
            switch own.place(key, of: tree.names.span, in: 0) {
            case nil:
                if ByteSearch.isEqual(key, of: tree.names.span, message.bytes) {
                    hasMessage = true
                }
                if ByteSearch.isEqual(key, of: tree.names.span, Self.error.bytes) {
                    hasError = true
                }
                separate()
                tree.writeMember(node, of: text, into: &made)
            case .taken, .time: break
            case .object(let object): join(node, to: object, text)
            case .array(let end): join(node, toArrayAt: end, text)
            }
        }
        return hasMessage
    }

    private mutating func separate() {
        if !made.isEmpty { made.append(UInt8(ascii: ",")) }
    }

    /// What an object has beside the members of the document's own goes into that.
    private mutating func join(_ node: Int, to object: Int, _ text: Span<UInt8>) {
        guard tree.nodes[node].isObject else { return }
        var next = tree.nodes[node].first
        while next >= 0 {
            let member = next
            next = tree.nodes[member].next
            let key = tree.nodes[member].key
            switch own.place(key, of: tree.names.span, in: object) {
            case nil:
                let start = inserted.count
                inserted.append(UInt8(ascii: ","))
                tree.writeMember(member, of: text, into: &inserted)
                insertions.append((own.end(of: object), start..<inserted.count))
            case .taken, .time, .array: break
            case .object(let below): join(member, to: below, text)
            }
        }
    }

    /// The elements of an array, or a text by itself.
    private mutating func join(_ node: Int, toArrayAt end: Int, _ text: Span<UInt8>) {
        let node = tree.nodes[node]
        guard !node.isObject, node.isClean else { return }
        var value = node.text
        if text[value.lowerBound] == UInt8(ascii: "[") {
            value = value.lowerBound + 1..<value.upperBound - 1
            while let first = value.first, text[first] == 0x20 || text[first] == 0x09 {
                value = first + 1..<value.upperBound
            }
        } else if text[value.lowerBound] != UInt8(ascii: "\"") {
            return
        }
        guard !value.isEmpty else { return }
        let start = inserted.count
        inserted.append(UInt8(ascii: ","))
        inserted.append(text.extracting(value))
        insertions.append((end, start..<inserted.count))
    }

    /// The text of the message's key is the message, unless the line has a `message` itself.
    private mutating func addMessage(_ text: Span<UInt8>, isThere: Bool) {
        guard let messageKey else { return }
        let member = object.member(messageKey, in: text)
        if member == nil { fault = fault ?? Self.missing }
        let string = member?.string(in: text)
        if member != nil, string == nil { fault = fault ?? Self.noString }
        if isThere || member != nil && string == nil { return }
        if string == nil, !fields.target.isEmpty { return }
        separate()
        made.append(contentsOf: #""message":""#.utf8)
        if let string {
            if member?.isClean == true {
                made.append(text.extracting(string))
            } else {
                JSONString.repair(text.extracting(string), into: &made)
            }
        }
        made.append(UInt8(ascii: "\""))
    }

    private mutating func addError(_ text: Span<UInt8>) {
        guard addsError, let fault else { return }
        // What the line says of its own error is not replaced.
        if fields.target.isEmpty, hasError || object.member(Self.error, in: text) != nil { return }
        separate()
        made.append(contentsOf: Self.errorBegin.dropFirst())
        made.append(contentsOf: fault.utf8)
        made.append(contentsOf: Self.errorEnd)
    }

    // MARK: Writing

    /// Appends the members of the line that was read last, each with a comma before it.
    mutating func append(_ text: Span<UInt8>, to slab: PayloadSlab) {
        for run in runs {
            slab.append(UInt8(ascii: ","))
            slab.append(text.extracting(run))
        }
        guard !made.isEmpty else { return }
        slab.append(UInt8(ascii: ","))
        slab.append(made.span)
    }

    /// Appends the end that all documents share, with what the line has to its objects.
    mutating func appendTail(_ tail: [UInt8], to slab: PayloadSlab) {
        guard !insertions.isEmpty else { return slab.append(tail.span) }
        var done = 0
        for insertion in insertions.sorted(by: { $0.at < $1.at }) {
            slab.append(tail.span.extracting(done..<insertion.at))
            slab.append(inserted.span.extracting(insertion.bytes))
            done = insertion.at
        }
        slab.append(tail.span.extracting(done..<tail.count))
    }
}

/// The writer of one batch. A class, so that encoders without one are as small as they were. What
/// is asked of the writer changes it: else all of it would be copied for that.
final class SharedFieldsWriter {
    var writer: FieldsWriter

    init(_ writer: FieldsWriter) { self.writer = writer }
}
