import Platform

/// One content of a file, from its first byte to its last, and what was written into it.
final class LogLife {
    let number: Int
    let stream: String
    /// Numbers of its lines in the book.
    private(set) var lines: [Int] = []
    /// The beginning of a line that has not ended.
    private(set) var pending = ""
    /// Rotated away: what is written now may come after what is written to its successor.
    var isLate = false
    /// It was moved to where no pattern leads, and is back.
    var wasAway = false
    /// The agent's run in which it began; 0 for none.
    var run = 0
    /// Something of it need not arrive.
    var isExcused = false
    private var writer: Descriptor?
    /// How many lines were made, for their texts.
    private var made = 0

    /// Written as a container runtime writes it.
    private let isCRI: Bool
    /// Some have several lines.
    private let isMultiline: Bool

    init(number: Int, stream: String, isCRI: Bool = false, isMultiline: Bool = false) {
        self.isMultiline = isMultiline
        self.number = number
        self.stream = stream
        self.isCRI = isCRI
    }

    private static let time = "2026-11-23T05:00:00.123456789Z"

    private func cri(
        _ text: some StringProtocol, _ channel: String, isPiece: Bool = false
    ) -> String {
        "\(Self.time) \(channel) \(isPiece ? "P" : "F") \(text)\n"
    }

    /// A message on the disk, with its newline; some lines are in two pieces, and what `between`
    /// holds, a line of the other channel, stands between those of the first.
    private func onDisk(_ text: String, between: String? = nil) -> String {
        guard isCRI else { return text + "\n" }
        let other = made % 2 == 0 ? "stderr" : "stdout"
        var lines = ""
        for (index, line) in text.split(separator: "\n").enumerated() {
            guard (made + index) % 3 == 0 || between != nil && index == 0,
                text.utf8.count <= ModelAgent.longestLine
            else {
                lines += cri(line, channel)
                continue
            }
            let first = line.prefix(line.count / 2)
            lines += cri(first, channel, isPiece: true)
            if index == 0, let between { lines += cri(between, other) }
            lines += cri(line.dropFirst(first.count), channel)
        }
        return lines
    }

    var isOpen: Bool { writer != nil }
    /// A channel's events wait for the next line of that channel, so each has an order of its own.
    private func place(_ channel: String) -> LineBook.Place {
        LineBook.Place(
            stream: overlaps ? "\(stream).\(channel)" : stream, life: number, isLate: isLate)
    }

    /// Events of two channels are open at a time: one that ended may come again after any stop, as
    /// long as an earlier one of the other channel has not.
    private var overlaps: Bool { isCRI && isMultiline }

    /// Of the message that was made last.
    private var channel: String { made % 2 == 0 ? "stdout" : "stderr" }

    /// Opens it for writing, as a program opens its log, or as one that writes where it stands.
    func open(_ path: String, appends: Bool) throws {
        guard writer == nil else { return }
        writer = try ModelFiles.open(path, appends: appends)
    }

    func close() { writer = nil }

    /// The same descriptor goes on with another content: its file was emptied.
    func handOver(to next: LogLife) { next.writer = writer.take() }

    /// Makes the text of the next line, `length` letters at least.
    private func text(_ length: Int) -> String {
        made += 1
        let name = "\(stream).\(number).\(made)"
        guard length <= ModelAgent.longestLine else {
            // Numbered all over, so that no two parts are alike.
            var text = ""
            var count = 0
            while text.utf8.count < length {
                text += "\(name):\(count) "
                count += 1
            }
            return text + "."
        }
        return name + " " + String(repeating: "x", count: max(0, length - name.count - 1))
    }

    /// Writes whole lines; the first one ends the one that was begun.
    func write(_ count: Int, length: Int = 0, duty: LineBook.Duty, _ book: inout LineBook) throws {
        var bytes: [UInt8] = []
        for index in 0..<count {
            var text = text(length > 0 ? length : 12 + (made * 37 + index) % 60)
            // What was begun has its time and stream already.
            guard pending.isEmpty else {
                bytes += Array((text + "\n").utf8)
                enter(pending + text, "stdout", duty, &book)
                pending = ""
                continue
            }
            if isMultiline, length == 0, made % 4 < 2 {
                for line in 0...made % 3 { text += "\n\tat \(line) \(made)" }
            }
            var between: String?
            if isCRI, !isMultiline, length == 0, made % 5 == 0 {
                between = "\(stream).\(number).\(made).between"
                // It ends first, and while the other one is open the position stays before that.
                if let between { enter(between, channel, duty, &book, mayRepeat: true) }
            }
            bytes += Array(onDisk(text, between: between).utf8)
            enter(text, channel, duty, &book)
        }
        try writer?.write(bytes)
    }

    /// Writes the beginning of a line.
    func begin() throws {
        guard pending.isEmpty else { return }
        pending = text(20)
        try writer?.write(Array((isCRI ? "\(Self.time) stdout F \(pending)" : pending).utf8))
    }

    /// Ends a line that was begun.
    func end(duty: LineBook.Duty, _ book: inout LineBook) throws {
        guard !pending.isEmpty else { return }
        try write(1, length: 5, duty: duty, &book)
    }

    /// Nobody writes to it any more: what has no newline is a line.
    func finalise(duty: LineBook.Duty, _ book: inout LineBook) {
        guard !pending.isEmpty else { return }
        isLate = true
        enter(pending, "stdout", duty, &book)
        pending = ""
    }

    private func enter(
        _ text: String, _ channel: String, _ duty: LineBook.Duty, _ book: inout LineBook,
        mayRepeat: Bool = false
    ) {
        var rest = text[...]
        while rest.count > ModelAgent.longestLine {
            lines.append(
                book.wrote(
                    String(rest.prefix(ModelAgent.longestLine)), at: place(channel), duty: duty,
                    mayRepeat: overlaps))
            rest = rest.dropFirst(ModelAgent.longestLine)
        }
        lines.append(
            book.wrote(
                String(rest), at: place(channel), duty: duty, mayRepeat: mayRepeat || overlaps))
    }
}
