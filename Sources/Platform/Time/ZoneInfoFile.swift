/// The content of a file of the tz database (TZif, RFC 8536), version 2 or later: the moments at
/// which clocks were set, and the rule for all that come after the last of them, laid out up to
/// `lastYear`.
package struct ZoneInfoFile {
    /// Seconds ahead of UTC before the first transition.
    let first: Int64
    /// In order.
    let transitions: [ZoneRules.Transition]
    /// Seconds ahead of UTC by what they are called (`CET`); of two meanings the later one.
    let abbreviations: [[UInt8]: Int64]

    /// Clocks stay as they are after it.
    static let lastYear = 2500

    /// The fault of such a file.
    package enum Malformed: String, Error, Hashable, Sendable, CustomStringConvertible {
        case magic = "it does not begin with TZif"
        case version = "it is of version 1, which ends in 2037"
        case short = "it is cut off"
        case leapSeconds = "its clocks count leap seconds; use the zone without right/"
        case types = "it has no local time type, or a transition to one that it has not"
        case offset = "a local time type is more than 26 hours from UTC"
        case order = "its transitions are not in order"
        case rule = "the rule at its end is none"

        package var description: String { rawValue }
    }

    init(_ bytes: [UInt8]) throws(Malformed) {
        var reader = Reader(bytes: bytes)
        let old = try Header(&reader)
        // The first block is for readers that know 32 bits only.
        try reader.skip(old.length(moment: 4))
        let header = try Header(&reader)
        guard header.leapSeconds == 0 else { throw .leapSeconds }
        var moments: [Int64] = []
        for _ in 0..<header.moments {
            moments.append(Int64(bitPattern: try reader.integer(bytes: 8)))
        }
        var typeOfMoment: [Int] = []
        for _ in 0..<header.moments { typeOfMoment.append(Int(try reader.integer(bytes: 1))) }
        var offsets: [Int64] = []
        var names: [Int] = []
        for _ in 0..<header.types {
            let offset = Int64(Int32(truncatingIfNeeded: try reader.integer(bytes: 4)))
            guard abs(offset) <= 26 * 3600 else { throw .offset }
            offsets.append(offset)
            // Whether it is daylight-saving time.
            try reader.skip(1)
            names.append(Int(try reader.integer(bytes: 1)))
        }
        guard let first = offsets.first, typeOfMoment.allSatisfy({ $0 < offsets.count }) else {
            throw .types
        }
        let letters = reader
        try reader.skip(header.lengthBehindTypes(moment: 8))
        var abbreviations: [[UInt8]: Int64] = [:]
        for type in [0] + typeOfMoment where names[type] < header.letters {
            abbreviations[letters.text(names[type], within: header.letters)] = offsets[type]
        }
        self.abbreviations = abbreviations
        var transitions: [ZoneRules.Transition] = []
        for (moment, type) in zip(moments, typeOfMoment) {
            // The largest leave no room for an offset; no clock shows them.
            guard moment < 1 << 60, moment > transitions.last?.moment ?? .min else { throw .order }
            transitions.append(
                ZoneRules.Transition(moment: max(moment, -(1 << 60)), offset: offsets[type]))
        }
        let rule = try reader.footer()
        if !rule.isEmpty {
            guard let zone = PosixZone(rule) else { throw .rule }
            transitions += zone.transitions(after: moments.last, until: Self.lastYear)
        }
        self.first = first
        self.transitions = transitions
    }

    private struct Header {
        let utIndicators, standardIndicators, leapSeconds, moments, types, letters: Int

        init(_ reader: inout Reader) throws(Malformed) {
            guard try reader.integer(bytes: 4) == 0x545A_6966 else { throw .magic }
            guard try reader.integer(bytes: 1) >= UInt64(UInt8(ascii: "2")) else { throw .version }
            try reader.skip(15)
            utIndicators = Int(try reader.integer(bytes: 4))
            standardIndicators = Int(try reader.integer(bytes: 4))
            leapSeconds = Int(try reader.integer(bytes: 4))
            moments = Int(try reader.integer(bytes: 4))
            types = Int(try reader.integer(bytes: 4))
            letters = Int(try reader.integer(bytes: 4))
        }

        /// Bytes of its block, in which a moment has so many. All factors have 32 bits at most.
        func length(moment: Int) -> Int {
            moments * (moment + 1) + types * 6 + lengthBehindTypes(moment: moment)
        }

        func lengthBehindTypes(moment: Int) -> Int {
            letters + leapSeconds * (moment + 4) + standardIndicators + utIndicators
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func skip(_ count: Int) throws(Malformed) {
            guard count <= bytes.count - position else { throw .short }
            position += count
        }

        /// Unsigned, the highest byte first; 8 bytes at most.
        mutating func integer(bytes count: Int) throws(Malformed) -> UInt64 {
            let start = position
            try skip(count)
            return bytes[start..<position].reduce(0) { $0 << 8 | UInt64($1) }
        }

        /// The text from `start` to a zero, of so many letters from here on.
        func text(_ start: Int, within letters: Int) -> [UInt8] {
            let all = bytes[position..<min(bytes.count, position + letters)].dropFirst(start)
            return Array(all.prefix { $0 != 0 })
        }

        /// The text between two newlines.
        mutating func footer() throws(Malformed) -> [UInt8] {
            guard try integer(bytes: 1) == 0x0A else { throw .rule }
            guard let end = bytes[position...].firstIndex(of: 0x0A) else { throw .short }
            return Array(bytes[position..<end])
        }
    }
}
