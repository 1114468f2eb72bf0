import Model
import Platform

/// The line that is being encoded, as far as rules are concerned, and what has to be known of it
/// where its next part begins.
struct RuledLine: ~Copyable {
    private let rules: LineRules?
    private var masker: LineMasker
    /// The line's own, in milliseconds since 1970, where it has one.
    var time: Int64?
    /// The line does not become a record.
    private(set) var isLeftOut: Bool
    var counts = LineCounts.none
    /// Where the last encoding did not fit, the bytes that it needs.
    private(set) var needed: Int?
    private var isUndecided = false
    /// Where lines are members of documents, and rules ask of them.
    private var look: FieldsLook?

    /// `time` and `isLeftOut` of the line that the first frame goes on with.
    init(_ rules: LineRules?, _ fields: JSONFields?, time: Int64?, isLeftOut: Bool) {
        self.rules = rules
        masker = LineMasker(rules?.masks ?? [])
        if let rules, rules.looksAtLines { look = fields.map { FieldsLook($0) } }
        self.time = time
        self.isLeftOut = isLeftOut
    }

    var hasRules: Bool { rules != nil }

    /// Whether a frame's line goes on in the next one. The last part of a file that ends without a
    /// newline looks like a cut, but is short: a cut leaves out three bytes of a character at most.
    func goesOn(behind frame: Frame) -> Bool {
        // What is decoded is never cut within, so nothing may be left for the next part.
        if frame.flags.contains(.decoded) { return false }
        return frame.isCut && frame.count + 3 >= rules?.longestLine ?? 0
    }

    /// Decides about a line by its first part; the message begins `label` bytes behind its start.
    mutating func judge(_ part: Span<UInt8>, behind label: Int, now: Int64) {
        guard let rules else { return }
        let message = part.extracting(label..<part.count)
        let verdict = verdict(rules, message, now)
        isLeftOut = verdict == .leftOut
        isUndecided = verdict == .undecided
        if isLeftOut { counts.leftOut += 1 }
    }

    private mutating func verdict(
        _ rules: LineRules, _ message: Span<UInt8>, _ now: Int64
    ) -> LineRules.Verdict {
        guard let read = look?.read(message, now: now) else {
            return rules.verdict(message, time: time, now: now)
        }
        let time = read.time ?? time
        switch read.message {
        case .line(let text):
            return rules.verdict(message.extracting(text), time: time, now: now)
        case .decoded:
            let decoded = look?.decoded ?? []
            return rules.verdict(decoded.span, time: time, now: now)
        }
    }

    /// A record was made of a line that was to be members of it, with something wrong in it.
    mutating func noteUndecoded(_ offset: LogicalOffset) {
        counts.undecoded += 1
        counts.firstUndecoded = counts.firstUndecoded ?? offset
    }

    /// As the encoder's, with masks. `isOpen`: the line goes on behind `part`.
    mutating func encode(
        _ part: Span<UInt8>, behind label: Int, by encoder: inout some LineEncoder, offset: Int,
        isPart: Bool, isOpen: Bool, into slab: PayloadSlab, room: Int
    ) -> LinePart {
        needed = nil
        if masker.isEmpty {
            encoder.setUndecided(isUndecided)
            let outcome = encoder.encode(
                part, offset: offset, isPart: isPart, into: slab, room: room)
            if case .encoded = outcome { noteEncoded() }
            return outcome
        }
        let isMasked = masker.apply(part, from: label, isOpen: isOpen)
        isUndecided = isUndecided || masker.isLimited
        encoder.setUndecided(isUndecided)
        let start = slab.count
        var outcome =
            isMasked
            ? encoder.encode(
                masker.bytes.span, offset: offset, isPart: isPart, into: slab, room: room)
            : encoder.encode(
                part.extracting(0..<masker.end), offset: offset, isPart: isPart, into: slab,
                room: room)
        if isMasked, case .encoded(let count) = outcome,
            let begin = masker.begin(ofPieceOver: count)
        {
            slab.cut(to: start)
            outcome = encoder.encode(
                masker.bytes.span.extracting(0..<begin), offset: offset, isPart: true, into: slab,
                room: room)
        }
        guard case .encoded(let count) = outcome else {
            needed =
                isMasked
                ? encoder.size(of: masker.bytes.span)
                : encoder.size(of: part.extracting(0..<masker.end))
            return .full
        }
        counts.masked += masker.count
        noteEncoded()
        return .encoded(isMasked ? masker.original(count) : count)
    }

    private mutating func noteEncoded() {
        guard isUndecided else { return }
        counts.undecided += 1
        // Further parts are told of as far as they are undecided themselves.
        isUndecided = false
    }
}
