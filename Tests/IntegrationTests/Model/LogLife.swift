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

    init(number: Int, stream: String, isCRI: Bool = false) {
        self.number = number
        self.stream = stream
        self.isCRI = isCRI
    }

    private static let time = "2026-11-23T05:00:00.123456789Z"

    /// A line on the disk, without its newline; some are in two pieces.
    private func onDisk(_ text: String) -> String {
        guard isCRI else { return text }
        let channel = made % 2 == 0 ? "stdout" : "stderr"
        guard made % 3 == 0, text.utf8.count <= ModelAgent.longestLine else {
            return "\(Self.time) \(channel) F \(text)"
        }
        let first = text.prefix(text.count / 2)
        return "\(Self.time) \(channel) P \(first)\n\(Self.time) \(channel) F "
            + text.dropFirst(first.count)
    }

    var isOpen: Bool { writer != nil }
    private var place: LineBook.Place {
        LineBook.Place(stream: stream, life: number, isLate: isLate)
    }

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
            let text = text(length > 0 ? length : 12 + (made * 37 + index) % 60)
            // What was begun has its time and stream already.
            bytes += Array((pending.isEmpty ? onDisk(text) : text).utf8) + [10]
            enter(pending + text, duty, &book)
            pending = ""
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
        enter(pending, duty, &book)
        pending = ""
    }

    private func enter(_ text: String, _ duty: LineBook.Duty, _ book: inout LineBook) {
        var rest = text[...]
        while rest.count > ModelAgent.longestLine {
            lines.append(
                book.wrote(String(rest.prefix(ModelAgent.longestLine)), at: place, duty: duty))
            rest = rest.dropFirst(ModelAgent.longestLine)
        }
        lines.append(book.wrote(String(rest), at: place, duty: duty))
    }
}
