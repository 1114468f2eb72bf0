/// The numbered lines of one writer: `writer sequence payload`, with payloads of random but
/// repeatable letters and lengths, so that a line is checked to the last byte by making it again.
package struct LineSource: Hashable, Sendable {
    /// Without spaces.
    package let writer: String
    package let seed: UInt64
    /// Bytes of a payload.
    package let payload: ClosedRange<Int>

    package init(_ writer: String, seed: UInt64 = 1, payload: ClosedRange<Int> = 20...300) {
        precondition(!writer.contains(" ") && payload.lowerBound > 0, "a line could not be parsed")
        self.writer = writer
        self.seed = seed
        self.payload = payload
    }

    /// The line with this number, from 0, without its newline.
    package func line(_ sequence: Int) -> [UInt8] {
        var random = SplitMix(seed: seed &+ UInt64(sequence) &* 0x9e37_79b9_7f4a_7c15)
        var line = Array("\(writer) \(sequence) ".utf8)
        let count = payload.lowerBound + Int(random.next() % UInt64(payload.count))
        line.reserveCapacity(line.count + count + 1)
        var word: UInt64 = 0
        for index in 0..<count {
            if index % 8 == 0 { word = random.next() }
            line.append(UInt8(ascii: "a") + UInt8((word & 0xff) % 26))
            word >>= 8
        }
        return line
    }

    /// The lines of a range of numbers, each with its newline.
    package func lines(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        for sequence in range {
            bytes += line(sequence)
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }
}

/// A small repeatable random generator (SplitMix64).
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
