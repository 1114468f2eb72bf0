internal import CMachine

/// What the writer puts into a line so that whoever reads it knows when it was written and which one
/// it is: `written=00000000001234567890 line=0000000042`.
package struct Stamp: Hashable, Sendable {
    /// As `Instant.nanoseconds`.
    package let nanoseconds: Int64
    /// From 0.
    package let number: Int

    /// How many bytes it has in a line.
    package static let length = mark.utf8.count + 20 + next.utf8.count + 10
    private static let mark = "written="
    private static let next = " line="

    /// Of a line that is written now.
    package init(number: Int) {
        nanoseconds = Instant.now.nanoseconds
        self.number = number
    }

    /// The stamp in a record, wherever it stands in it; nil: there is none.
    init?(in record: UnsafeRawBufferPointer) {
        let found = Int(unsafe cmachine_find(record.baseAddress, record.count, Self.mark))
        guard found >= 0, record.count - found >= Self.length else { return nil }
        let time = found + Self.mark.utf8.count
        let line = time + 20 + Self.next.utf8.count
        guard let nanoseconds = unsafe Self.decimal(record, time..<time + 20),
            unsafe zip(record[(time + 20)..<line], Self.next.utf8).allSatisfy({ $0 == $1 }),
            let number = unsafe Self.decimal(record, line..<line + 10)
        else { return nil }
        self.nanoseconds = Int64(nanoseconds)
        self.number = number
    }

    /// Puts it at the end of a line.
    package func append(to line: inout [UInt8]) {
        line += Self.mark.utf8
        appendDecimal(Int(nanoseconds), 20, to: &line)
        line += Self.next.utf8
        appendDecimal(number, 10, to: &line)
    }

    private static func decimal(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var number = 0
        for index in range {
            let digit = unsafe bytes[index] &- 0x30
            guard digit < 10 else { return nil }
            number = number &* 10 &+ Int(digit)
        }
        return number
    }
}

/// Appends the last `digits` digits of a number, with leading zeros.
package func appendDecimal(_ number: Int, _ digits: Int, to buffer: inout [UInt8]) {
    let begin = buffer.count
    var rest = number
    for _ in 0..<digits {
        buffer.append(0)
    }
    for place in stride(from: begin + digits - 1, through: begin, by: -1) {
        buffer[place] = 0x30 + UInt8(rest % 10)
        rest /= 10
    }
}
