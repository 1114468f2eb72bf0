/// The numbered lines of one writer: `writer sequence payload`, with payloads of random but
/// repeatable letters and lengths, so that a line is checked to the last byte by making it again.
package struct LineSource: Hashable, Sendable {
    /// Without spaces.
    package let writer: String
    /// Another seed gives other payloads; the same one gives the same lines again.
    package let seed: UInt64
    /// Bytes of a payload.
    package let payload: ClosedRange<Int>

    /// A writer with a space in its name, or an empty payload, is our own mistake and stops the
    /// process.
    package init(_ writer: String, seed: UInt64 = 1, payload: ClosedRange<Int> = 20...300) {
        precondition(!writer.contains(" ") && payload.lowerBound > 0, "a line could not be parsed")
        self.writer = writer
        self.seed = seed
        self.payload = payload
    }

    /// The line with this number, from 0, without its newline.
    package func line(_ sequence: Int) -> [UInt8] {
        var line: [UInt8] = []
        append(sequence, to: &line)
        return line
    }

    /// The lines of a range of numbers, each with its newline.
    package func lines(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count * (writer.utf8.count + 16 + payload.upperBound))
        for sequence in range {
            append(sequence, to: &bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    private func append(_ sequence: Int, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: writer.utf8)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: String(sequence).utf8)
        bytes.append(UInt8(ascii: " "))
        var state = seed &+ UInt64(sequence) &* 0x9e37_79b9_7f4a_7c15
        let count = payload.lowerBound + Int(Self.next(&state) % UInt64(payload.count))
        var word: UInt64 = 0
        for index in 0..<count {
            if index % 8 == 0 { word = Self.next(&state) }
            bytes.append(UInt8(ascii: "a") + UInt8(((word & 0xff) * 26) >> 8))
            word >>= 8
        }
    }

    /// SplitMix64: numbers that repeat for the same seed.
    private static func next(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
