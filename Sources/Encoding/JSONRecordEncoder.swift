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
    let longestPart: Int

    init(template: RecordTemplate, readTime: Timestamp, longestPart: Int) {
        self.template = template
        self.envelope = template.envelope
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
        let split = !whole || isPart
        if split || fit.replaced {
            slab.append(RecordFlags.json(split: split, invalid: fit.replaced))
        }
        slab.append(template.tail.span)
        return .encoded(fit.consumed)
    }

    func size(of message: Span<UInt8>) -> Int {
        envelope + PayloadSlab.jsonStringCount(message, limit: longestPart)
    }
}

/// `log.flags` as it stands between `log.offset` and `log.file`.
enum RecordFlags {
    private static let split = Array(#","flags":["split"]"#.utf8)
    private static let invalid = Array(#","flags":["invalid_utf8"]"#.utf8)
    private static let both = Array(#","flags":["split","invalid_utf8"]"#.utf8)
    /// Bytes of all of them.
    static let longest = both.count

    static func json(split: Bool, invalid: Bool) -> [UInt8] {
        switch (split, invalid) {
        case (true, true): both
        case (true, false): Self.split
        case (false, true): Self.invalid
        case (false, false): []
        }
    }
}
