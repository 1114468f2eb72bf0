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
    /// A limit kept a rule from being told of the next line.
    private var isUndecided = false
    let longestPart: Int

    /// `hasRules`: records may say that a limit kept one of them from being told.
    init(
        template: RecordTemplate, readTime: Timestamp, longestPart: Int, hasRules: Bool = false
    ) {
        self.template = template
        self.envelope = template.envelope + (hasRules ? RecordFlags.longestOfRules : 0)
        self.readTime = readTime.text
        self.time = self.readTime
        self.longestPart = longestPart
    }

    mutating func setTime(_ milliseconds: Int64?) {
        guard let milliseconds else {
            time = readTime
            return
        }
        time = Timestamp(milliseconds: milliseconds).text
    }

    mutating func setUndecided(_ isUndecided: Bool) { self.isUndecided = isUndecided }

    func encode(
        _ message: Span<UInt8>, offset: Int, isPart: Bool, into slab: PayloadSlab, room: Int
    ) -> LinePart {
        let free = room - envelope
        guard free >= 0 else { return .full }
        let start = slab.count
        slab.append(template.head.span)
        slab.replace(at: start + template.timeAt, with: time.span)
        if let offsetAt = template.offsetAt {
            slab.replaceHex16(at: start + offsetAt, with: UInt64(truncatingIfNeeded: offset))
        }
        let fit = slab.appendJSONString(message, limit: min(free, longestPart))
        let whole = fit.consumed == message.count
        guard whole || free >= longestPart else {
            slab.cut(to: start)
            return .full
        }
        slab.append(template.middle.span)
        slab.appendDecimal(offset)
        var flags: RecordFlags = .none
        if !whole || isPart { flags.insert(.split) }
        if fit.replaced { flags.insert(.invalid) }
        if isUndecided { flags.insert(.undecided) }
        if flags != .none { slab.append(flags.json.span) }
        slab.append(template.tail.span)
        return .encoded(fit.consumed)
    }

    func size(of message: Span<UInt8>) -> Int {
        envelope + PayloadSlab.jsonStringCount(message, limit: longestPart)
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

    private static let texts: [[UInt8]] = (0..<8).map { number in
        let names = ["split", "invalid_utf8", "match_limit"].enumerated()
            .filter { number & (1 << $0.offset) != 0 }.map { #""\#($0.element)""# }
        return names.isEmpty ? [] : Array(#","flags":[\#(names.joined(separator: ","))]"#.utf8)
    }

    var json: [UInt8] { Self.texts[Int(rawValue)] }

    /// Bytes of all that a line without rules may have.
    static let longest = RecordFlags([.split, .invalid]).json.count
    /// Bytes that one with rules may have beyond that.
    static let longestOfRules = RecordFlags([.split, .invalid, .undecided]).json.count - longest
}
