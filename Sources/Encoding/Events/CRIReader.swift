/// Reads lines of the Container Runtime Interface, one after the other.
///
/// ```
/// 2026-11-23T05:00:00.123456789Z stdout F a whole line, or the end of one
/// 2026-11-23T05:00:00.123456789+02:00 stderr P a piece of a line, which goes on
/// 2026-11-23T05:00:00.123456789Z stdout P:other:tags more tags mean nothing yet
/// ```
///
/// The text begins behind one blank, and may be empty, or missing with that blank. What differs
/// from this in a single byte is no such line.
package struct CRIReader: Sendable {
    private var clock = RFC3339Clock()

    package init() {}

    /// Bytes of the shortest one: `2026-11-23T05:00:00Z stdout F`.
    private static let shortest = 29

    /// Nil for what is no such line.
    package mutating func read(_ line: Span<UInt8>) -> ContainerLine? {
        guard line.count >= Self.shortest, let time = clock.time(line, from: 0) else { return nil }
        var index = time.end
        // Seven letters and two blanks.
        guard line.count - index >= 9, line[index] == UInt8(ascii: " "),
            line[index + 1] == UInt8(ascii: "s"), line[index + 2] == UInt8(ascii: "t"),
            line[index + 3] == UInt8(ascii: "d"), line[index + 7] == UInt8(ascii: " ")
        else { return nil }
        let channel: Channel
        switch (line[index + 4], line[index + 5], line[index + 6]) {
        case (UInt8(ascii: "o"), UInt8(ascii: "u"), UInt8(ascii: "t")): channel = .stdout
        case (UInt8(ascii: "e"), UInt8(ascii: "r"), UInt8(ascii: "r")): channel = .stderr
        default: return nil
        }
        index += 8
        let isPartial = line[index] == UInt8(ascii: "P")
        guard isPartial || line[index] == UInt8(ascii: "F") else { return nil }
        index += 1
        if index < line.count, line[index] == UInt8(ascii: ":") {
            while index < line.count, line[index] != UInt8(ascii: " ") { index += 1 }
        }
        if index < line.count {
            guard line[index] == UInt8(ascii: " ") else { return nil }
            index += 1
        }
        return ContainerLine(
            channel: channel, milliseconds: time.milliseconds, isPartial: isPartial,
            text: index..<line.count)
    }
}
