import Model

/// Places in what was read of a file, and the bytes before each: where its last lines begin, and
/// places ever farther apart from its beginning on. They tell what of the file is still as it was
/// read when the bytes before the position are not. Logical offsets; some hundred bytes for a file
/// that is read.
struct Landmarks {
    struct Mark {
        let offset: LogicalOffset
        /// Of the at most `Anchor.longest` bytes before it.
        let digest: UInt64
    }

    /// The beginnings of the last lines, oldest first.
    private(set) var lines: [Mark] = []
    /// At 1 KiB, 2 KiB, 4 KiB, … from the beginning, or at the next line.
    private(set) var spread: [Mark] = []
    /// They are as they would be had all of the file been read by this run.
    private(set) var isWhole = false

    /// Closing tags and brackets that each entry overwrites are a few lines.
    static let mostLines = 8
    private static let first = 1024
    /// The last one lies at `OutsideNumber.most`, and no file has an offset behind that: what a
    /// hole of any size leaves to be remembered is some fifty places.
    static let mostSpread = 51

    /// Where the next one from the beginning on is due; nil where none is.
    var nextDue: PhysicalOffset? {
        spread.count < Self.mostSpread ? PhysicalOffset(Self.first << spread.count) : nil
    }

    /// Of all of them.
    var last: LogicalOffset? {
        guard let line = lines.last, let mark = spread.last else {
            return (lines.last ?? spread.last)?.offset
        }
        return max(line.offset, mark.offset)
    }

    mutating func add(line mark: Mark) {
        guard lines.last.map({ mark.offset > $0.offset }) ?? true else { return }
        guard lines.count == Self.mostLines else {
            lines.append(mark)
            return
        }
        // In place: this is done for each chunk.
        for index in 1..<lines.count { lines[index - 1] = lines[index] }
        lines[lines.count - 1] = mark
    }

    mutating func add(spread mark: Mark) { spread.append(mark) }

    mutating func complete() { isWhole = true }

    /// The bytes behind `offset` are not what they were.
    mutating func forget(behind offset: LogicalOffset) {
        lines.removeAll { $0.offset > offset }
        spread.removeAll { $0.offset > offset }
    }

    /// FNV-1a, byte by byte: an array for each line would be an allocation.
    struct Digest {
        private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

        mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    static func digest(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var digest = Digest()
        for byte in bytes { digest.add(byte) }
        return digest.value
    }
}
