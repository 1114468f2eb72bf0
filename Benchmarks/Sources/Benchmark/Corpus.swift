package import Machine

/// The same bytes for everybody: lines as a web service writes them, 144 to 244 bytes long, 194 on
/// average, that compress as such lines do.
package struct Corpus: Sendable {
    package let path: String
    /// Newlines included.
    package let bytes: Int
    /// Those that are records: of a stack trace and its message it is one.
    package let lines: Int
    package let seed: UInt64

    /// How lines stand in the file; the messages are the same in each.
    package enum Form: String, CaseIterable, Sendable {
        case plain
        /// As s6-log writes them with `T`.
        case s6
        /// As containerd and CRI-O write them.
        case cri
        /// As Docker's json-file has them; no message has anything to escape but its newline.
        case docker
        /// Each an object of five members, of which one is the message.
        case json
        /// Three lines of a stack trace stand behind every fiftieth message, and belong to it.
        case traces, criTraces, dockerTraces

        var hasTraces: Bool { [.traces, .criTraces, .dockerTraces].contains(self) }

        var beforeMessage: [UInt8] {
            switch self {
            case .plain, .traces: []
            case .s6: Array("2026-11-23 05:00:00.123456789  ".utf8)
            case .cri, .criTraces: Array("2026-11-23T05:00:00.123456789Z stdout F ".utf8)
            case .docker, .dockerTraces: Array(#"{"log":""#.utf8)
            case .json: Array(#"{"level":"info","logger":"shop.orders","message":""#.utf8)
            }
        }

        /// In place of the message's newline.
        var afterMessage: [UInt8] {
            switch self {
            case .plain, .s6, .cri, .traces, .criTraces: [0x0A]
            case .docker, .dockerTraces:
                Array(
                    #"\n","stream":"stdout","time":"2026-11-23T05:00:00.123456789Z"}"#.utf8)
                    + [0x0A]
            case .json: Array(#"","status":200,"took":12.5}"#.utf8) + [0x0A]
            }
        }
    }

    private static let trace = [
        "    at com.example.shop.orders.OrderService.place(OrderService.java:217)",
        "    at com.example.shop.orders.OrderController.post(OrderController.java:64)",
        "    at java.base/java.lang.Thread.run(Thread.java:1583)",
    ].map { Array($0.utf8) }
    private static let messagesATrace = 50

    /// SplitMix64: the same numbers on every machine.
    struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }

        mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    }

    private static let words: [[UInt8]] = [
        "request", "handled", "cache", "miss", "user", "session", "order", "payment", "accepted",
        "retry", "upstream", "timeout", "queue", "depth", "inventory", "reserved", "shipment",
        "rendered", "template", "locale", "token", "refreshed", "database", "pool", "connection",
        "returned", "rows", "commit", "batch", "published", "index", "updated",
    ].map { Array($0.utf8) }
    private static let levels: [[UInt8]] = ["DEBUG", "INFO ", "INFO ", "INFO ", "WARN "].map {
        Array($0.utf8)
    }
    private static let hexadecimal = Array("0123456789abcdef".utf8)
    private static let piece = 1 << 20

    /// Writes messages of at least `bytes` bytes to a new file, ending with the one that reaches
    /// them; `without` one of the lines, from 0, or that line `twice`, for tests of the harness
    /// itself.
    package static func write(
        to path: String, bytes: Int, seed: UInt64, form: Form = .plain, without: Int? = nil,
        twice: Int? = nil
    ) throws(MachineError) -> Corpus {
        let (before, after) = (form.beforeMessage, form.afterMessage)
        let file = try OutputFile(path)
        var generator = Generator(state: seed)
        var buffer: [UInt8] = []
        buffer.reserveCapacity(piece + 1_024)
        var drawn = 0
        var number = 0
        var written = 0
        var lines = 0
        while drawn < bytes {
            let begin = buffer.count
            buffer += before
            appendLine(number, &generator, to: &buffer)
            drawn += buffer.count - begin - before.count
            if form != .plain {
                buffer.removeLast()
                buffer += after
            }
            if form.hasTraces, number % messagesATrace == 0 {
                for line in trace { buffer += before + line + after }
            }
            lines += 1
            if number == without {
                buffer.removeSubrange(begin...)
                lines -= 1
            } else if number == twice {
                buffer += buffer[begin...]
                lines += 1
            }
            number += 1
            if buffer.count >= piece {
                try file.append(buffer)
                written += buffer.count
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try file.append(buffer)
        return Corpus(path: path, bytes: written + buffer.count, lines: lines, seed: seed)
    }

    static func appendLine(
        _ number: Int, _ generator: inout Generator, to buffer: inout [UInt8]
    ) {
        let end = buffer.count + 143 + generator.below(101)
        buffer += Array("2026-11-23T".utf8)
        let milliseconds = number / 5
        appendDecimal(milliseconds / 3_600_000 % 24, 2, to: &buffer)
        buffer.append(0x3A)
        appendDecimal(milliseconds / 60_000 % 60, 2, to: &buffer)
        buffer.append(0x3A)
        appendDecimal(milliseconds / 1_000 % 60, 2, to: &buffer)
        buffer.append(0x2E)
        appendDecimal(milliseconds % 1_000, 3, to: &buffer)
        buffer += Array("Z ".utf8)
        fill(to: end, &generator, &buffer)
    }

    /// The same with a stamp in place of the time, written now.
    static func appendStampedLine(
        _ number: Int, _ generator: inout Generator, to buffer: inout [UInt8]
    ) {
        let end = buffer.count + 143 + generator.below(101)
        Stamp(number: number).append(to: &buffer)
        buffer.append(0x20)
        fill(to: end, &generator, &buffer)
    }

    /// The rest of a line, which is to be `end` bytes with what is there, before its newline.
    private static func fill(
        to end: Int, _ generator: inout Generator, _ buffer: inout [UInt8]
    ) {
        buffer += levels[generator.below(levels.count)]
        buffer += Array(" trace=".utf8)
        var trace = generator.next()
        for _ in 0..<16 {
            buffer.append(hexadecimal[Int(trace & 15)])
            trace >>= 4
        }
        buffer += Array(" ms=".utf8)
        appendDecimal(generator.below(1_000), 3, to: &buffer)
        while buffer.count < end {
            buffer.append(0x20)
            buffer += words[generator.below(words.count)]
        }
        buffer.removeSubrange(end...)
        buffer.append(0x0A)
    }
}
