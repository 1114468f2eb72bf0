import Machine

/// Lines of the corpus' lengths that begin with their number, so that each can be made again, and
/// compared, whatever became of the file it was written to: `0000000042 03:38:00.123Z INFO  …`.
struct NumberedLines: Sendable {
    /// What stands behind the numbers, in turns; newlines included.
    private let bodies: [[UInt8]]
    private static let variety = 1_021
    private static let digits = 10

    init(seed: UInt64) {
        var generator = Corpus.Generator(state: seed)
        bodies = (0..<Self.variety).map { number in
            var line: [UInt8] = []
            Corpus.appendLine(number, &generator, to: &line)
            return [0x20] + line.dropFirst(Self.digits + 1)
        }
    }

    /// Puts a line at the end of the buffer.
    func append(_ number: Int, to buffer: inout [UInt8]) {
        appendDecimal(number, Self.digits, to: &buffer)
        buffer += bodies[number % bodies.count]
    }

    /// Which line these bytes are, without their newline; nil: they are none.
    func number(of line: ArraySlice<UInt8>) -> Int? {
        guard line.count > Self.digits else { return nil }
        var number = 0
        for place in line.startIndex..<line.startIndex + Self.digits {
            let digit = line[place] &- 0x30
            guard digit < 10 else { return nil }
            number = number &* 10 &+ Int(digit)
        }
        let body = bodies[number % bodies.count]
        let begin = line.startIndex + Self.digits
        guard line.endIndex - begin == body.count - 1 else { return nil }
        for place in 0..<body.count - 1 where line[begin + place] != body[place] { return nil }
        return number
    }
}
