import Model
import Platform

/// Writes documents of one file, with the read time of all of them or each with its own time.
struct JSONRecordEncoder: LineEncoder {
    let template: RecordTemplate
    /// `template.envelope`, counted once.
    let envelope: Int
    /// The text of the read time.
    private let readTime: [24 of UInt8]
    /// The text of the next record's time.
    private var time: [24 of UInt8]
    /// The second, since 1970, whose text that is; nil where it is the read time's.
    private var second: Int64?
    /// Of the next record: the stream that its container wrote it to, as it stands behind the
    /// message; none of what is no container's.
    private var source: [UInt8] = []
    /// An object of strings that its container's runtime wrote along with it.
    private var attributes: [UInt8] = []
    /// The next line is not as its format has it.
    private var isMalformed = false
    /// The next event is of several lines.
    private var isMultiline = false
    /// A limit kept a rule from being told of the next line.
    private var isUndecided = false
    let longestPart: Int
    /// Where lines of JSON become members of documents.
    private let fields: SharedFieldsWriter?
    /// Bytes that the last line would have needed as members, where it did not fit.
    private var neededForFields = 0
    /// The last line was to be members of its document, and something was wrong with it.
    private(set) var isUndecoded = false

    /// `hasRules`: records may say that a limit kept one of them from being told. `hasSource`: they
    /// may say which stream of a container they are of, and that they are malformed.
    init(
        template: RecordTemplate, readTime: Timestamp, longestPart: Int, hasRules: Bool = false,
        hasSource: Bool = false, fields: SharedFieldsWriter? = nil
    ) {
        self.template = template
        self.envelope =
            template.envelope + (hasRules ? RecordFlags.longestOfRules : 0)
            + (hasSource ? Self.longestSource : 0)
            + (fields == nil ? 0 : Self.longestOfFields)
        self.fields = fields
        self.readTime = readTime.text
        self.time = self.readTime
        self.longestPart = longestPart
    }

    mutating func setTime(_ milliseconds: Int64?) {
        guard let milliseconds else {
            time = readTime
            second = nil
            return
        }
        let (whole, fraction) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        // Most lines are of the second of the one before.
        if whole == second, fraction >= 0 {
            time[20] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction / 100)
            time[21] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction / 10 % 10)
            time[22] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction % 10)
            return
        }
        time = Timestamp(milliseconds: milliseconds).text
        second = milliseconds >= 0 ? whole : nil
    }

    mutating func setUndecided(_ isUndecided: Bool) { self.isUndecided = isUndecided }

    /// Bytes that a record with a source takes beyond the template's envelope.
    static let longestSource =
        stdout.count + RecordFlags([.split, .invalid, .malformed, .multiline]).json.count
        - RecordFlags.longest
    private static let stdout = Array(#"","stream":"stdout"#.utf8)
    private static let stderr = Array(#"","stream":"stderr"#.utf8)
    private static let beforeAttributes = Array(#"","docker":{"attrs":"#.utf8)
    private static let afterAttributes = Array("}".utf8)
    /// Bytes that attributes take beside themselves: a quote of what follows goes.
    private static let aroundAttributes = beforeAttributes.count

    /// Bytes of the next record that are its attributes'.
    private var attributeBytes: Int {
        attributes.isEmpty ? 0 : attributes.count + Self.aroundAttributes
    }

    /// What is said of the records from now on beside their time.
    mutating func setSource(
        _ channel: Channel, _ attributes: [UInt8] = [], isMalformed: Bool = false,
        isMultiline: Bool = false
    ) {
        self.isMultiline = isMultiline
        self.isMalformed = isMalformed
        self.attributes = attributes
        switch channel {
        case .log: source = []
        case .stdout: source = Self.stdout
        case .stderr: source = Self.stderr
        }
    }

    /// Bytes of a message in a record; more than `longestPart` where one has no room for it.
    func messageSize(of message: Span<UInt8>) -> Int {
        PayloadSlab.jsonStringCount(message, limit: longestPart + 1)
    }

    mutating func encode(
        _ message: Span<UInt8>, offset: Int, isPart: Bool, into slab: PayloadSlab, room: Int
    ) -> LinePart {
        guard let fields else { return encodeText(message, offset, isPart, into: slab, room) }
        (isUndecoded, neededForFields) = (false, 0)
        if isPart || isMalformed || message.isEmpty {
            return encodeText(message, offset, isPart, into: slab, room)
        }
        do throws(JSONFault) {
            // A text that is longer than a record takes longer to read than it is worth.
            guard message.count <= longestPart else {
                throw JSONFault(reason: .tooLong, place: longestPart)
            }
            let read = try fields.writer.read(message, limit: longestPart - attributeBytes)
            return encodeFields(message, read, offset, by: fields, into: slab, room)
        } catch {
            isUndecoded = true
            return encodeText(
                message, offset, isPart, into: slab, room, error: fields.writer.error(error))
        }
    }

    /// Bytes that a record of a line of JSON takes beyond the template's envelope.
    static let longestOfFields =
        FieldsWriter.longestError + RecordFlags.longestOfAll - RecordFlags.longest

    /// A line as members of its document.
    private mutating func encodeFields(
        _ line: Span<UInt8>, _ read: (count: Int, time: Int64?, isMistimed: Bool), _ offset: Int,
        by fields: SharedFieldsWriter, into slab: PayloadSlab, _ room: Int
    ) -> LinePart {
        let needed = envelope + attributeBytes + read.count
        guard needed <= room else {
            neededForFields = needed
            return .full
        }
        isUndecoded = read.isMistimed
        begin(offset, slab, time: read.time.map { Timestamp(milliseconds: $0).text })
        slab.cut(to: slab.count - Self.messageBegin)
        fields.writer.append(line, to: slab)
        appendMiddle(slab, isBehindQuote: false)
        var flags = flags
        if read.isMistimed { flags.insert(.mistimed) }
        end(flags, offset, slab)
        fields.writer.appendTail(template.tail, to: slab)
        return .encoded(line.count)
    }

    /// Bytes of `,"message":"`.
    private static let messageBegin = 12

    private func encodeText(
        _ message: Span<UInt8>, _ offset: Int, _ isPart: Bool, into slab: PayloadSlab,
        _ room: Int, error: [UInt8] = []
    ) -> LinePart {
        let longestPart = longestPart - attributeBytes
        let free = room - envelope - attributeBytes
        guard free >= 0 else { return .full }
        let start = slab.count
        begin(offset, slab, time: nil)
        let fit = slab.appendJSONString(message, limit: min(free, longestPart))
        let whole = fit.consumed == message.count
        guard whole || free >= longestPart else {
            slab.cut(to: start)
            return .full
        }
        if error.isEmpty {
            appendMiddle(slab, isBehindQuote: true)
        } else {
            slab.append(UInt8(ascii: "\""))
            slab.append(error.span)
            appendMiddle(slab, isBehindQuote: false)
        }
        var flags = flags
        if !whole || isPart { flags.insert(.split) }
        if fit.replaced { flags.insert(.invalid) }
        if isUndecoded { flags.insert(.malformed) }
        end(flags, offset, slab)
        slab.append(template.tail.span)
        return .encoded(fit.consumed)
    }

    @inline(__always)
    private func begin(_ offset: Int, _ slab: PayloadSlab, time own: [24 of UInt8]?) {
        let start = slab.count
        slab.append(template.head.span)
        let time = own ?? time
        slab.replace(at: start + template.timeAt, with: time.span)
        if let offsetAt = template.offsetAt {
            slab.replaceHex16(at: start + offsetAt, with: UInt64(truncatingIfNeeded: offset))
        }
    }

    /// What stands between the message, whose quote is still open where it `isBehindQuote`, and
    /// the offset.
    @inline(__always)
    private func appendMiddle(_ slab: PayloadSlab, isBehindQuote: Bool) {
        let start = isBehindQuote ? 0 : 1
        if source.isEmpty, attributes.isEmpty {
            return slab.append(template.middle.span.extracting(start..<template.middle.count))
        }
        // Each ends the text before it with its quote, and has none of its own.
        var first = start
        if !source.isEmpty {
            slab.append(source.span.extracting(first..<source.count))
            first = 0
        }
        if attributes.isEmpty {
            slab.append(template.middle.span)
        } else {
            slab.append(Self.beforeAttributes.span.extracting(first..<Self.beforeAttributes.count))
            slab.append(attributes.span)
            // What stands before them is ended by their quote, so not by that of what follows.
            slab.append(Self.afterAttributes.span)
            slab.append(template.middle.span.extracting(1..<template.middle.count))
        }
    }

    private var flags: RecordFlags {
        var flags: RecordFlags = .none
        if isMultiline { flags.insert(.multiline) }
        if isUndecided { flags.insert(.undecided) }
        if isMalformed { flags.insert(.malformed) }
        return flags
    }

    @inline(__always)
    private func end(_ flags: RecordFlags, _ offset: Int, _ slab: PayloadSlab) {
        slab.appendDecimal(offset)
        if flags != .none { slab.append(flags.json.span) }
    }

    func size(of message: Span<UInt8>) -> Int {
        let text =
            envelope + attributeBytes
            + PayloadSlab.jsonStringCount(message, limit: longestPart - attributeBytes)
        return max(text, neededForFields)
    }

    /// Bytes of room with which a whole line is encoded, members or text.
    func sizeAsFields(of line: Span<UInt8>) -> Int {
        guard let fields else { return size(of: line) }
        do throws(JSONFault) {
            let read = try fields.writer.read(line, limit: longestPart - attributeBytes)
            return max(size(of: line), envelope + attributeBytes + read.count)
        } catch {
            return size(of: line)
        }
    }
}

/// `log.flags` as it stands between `log.offset` and `log.file`.
struct RecordFlags: OptionSet {
    let rawValue: UInt8

    /// No literal, as for `Frame.Flags`.
    static var none: RecordFlags { RecordFlags(rawValue: 0) }
    /// A part of a line, or of an event, that was too long for one record or not finished.
    static var split: RecordFlags { RecordFlags(rawValue: 1) }
    /// Bytes that are no UTF-8 were replaced.
    static var invalid: RecordFlags { RecordFlags(rawValue: 2) }
    /// A limit kept a rule from being told.
    static var undecided: RecordFlags { RecordFlags(rawValue: 4) }
    /// The line is not as its format has it.
    static var malformed: RecordFlags { RecordFlags(rawValue: 8) }

    /// An event of several lines.
    static var multiline: RecordFlags { RecordFlags(rawValue: 16) }
    /// A time in the line could not be read.
    static var mistimed: RecordFlags { RecordFlags(rawValue: 32) }

    private static let names = [
        "split", "invalid_utf8", "match_limit", "parse_error", "multiline", "timestamp_error",
    ]
    private static let texts: [[UInt8]] = (0..<64).map { number in
        let names = names.enumerated()
            .filter { number & (1 << $0.offset) != 0 }.map { #""\#($0.element)""# }
        return names.isEmpty ? [] : Array(#","flags":[\#(names.joined(separator: ","))]"#.utf8)
    }

    var json: [UInt8] { Self.texts[Int(rawValue)] }

    /// Bytes of all of them.
    static let longestOfAll = texts.map(\.count).max() ?? 0
    /// Bytes of all that a line without rules, and of no format, may have.
    static let longest = RecordFlags([.split, .invalid]).json.count
    /// Bytes that one with rules may have beyond that.
    static let longestOfRules = RecordFlags([.split, .invalid, .undecided]).json.count - longest
}
