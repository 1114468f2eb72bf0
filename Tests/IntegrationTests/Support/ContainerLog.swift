import Platform
import TestSupport

/// A container's log as a runtime writes it and the kubelet rotates it: `0.log`, and beside it
/// `0.log.<time>`, of which all but the newest are compressed.
final class ContainerLog {
    private let home: TemporaryDirectory
    /// Relative to it.
    private let directory: String
    private var random: SplitMix
    private var rotations = 0
    private var clock = 0
    /// All messages so far that have an end, of each stream.
    private(set) var messages: [String: [String]] = ["stdout": [], "stderr": []]
    /// What was written of the messages that have none.
    private var open: [String: String] = [:]
    private var number = 0

    init(in home: TemporaryDirectory, _ directory: String, seed: UInt64) throws {
        self.home = home
        self.directory = directory
        random = SplitMix(seed: seed)
        try home.makeDirectory(directory)
        try home.write(live, "")
    }

    private var live: String { directory + "/0.log" }

    /// Messages that are not finished.
    var unfinished: Int { open.count }

    /// Writes so many lines, of both streams, of which two in three are pieces.
    func write(lines: Int) throws {
        var text = ""
        for _ in 0..<lines {
            let stream = ["stdout", "stderr"].randomElement(using: &random) ?? "stdout"
            text += line(stream, ends: Int.random(in: 0..<3, using: &random) == 0)
        }
        try home.append(live, text)
    }

    /// Ends what is open.
    func finish() throws {
        var text = ""
        for stream in open.keys.sorted() { text += line(stream, ends: true) }
        try home.append(live, text)
    }

    private func line(_ stream: String, ends: Bool) -> String {
        number += 1
        clock += 1
        let piece = "\(number):" + String(repeating: "x", count: number % 60) + (ends ? "." : "|")
        let message = open.removeValue(forKey: stream).map { $0 + piece } ?? piece
        if ends { messages[stream]?.append(message) } else { open[stream] = message }
        return "2026-11-23T05:00:00.\(sixDigits(clock))Z \(stream) \(ends ? "F" : "P") \(piece)\n"
    }

    private func sixDigits(_ number: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private func rotated(_ rotation: Int) -> String {
        "\(directory)/0.log.20261123-\(sixDigits(rotation))"
    }

    /// As the kubelet does: what was rotated before is compressed by way of a `.tmp`, and the live
    /// file gets the time in its name.
    func rotate() throws {
        if rotations > 0 {
            let last = rotated(rotations - 1)
            let copy = try home.write("packing", try readFile(home.path(last)))
            let packed = try readFile(try compress(copy, .gzip))
            try home.write(last + ".tmp", Array(packed.prefix(packed.count / 2)))
            try home.write(last + ".tmp", packed)
            try rename(home.path(last + ".tmp"), home.path(last + ".gz"))
            try remove(home.path(last))
        }
        try rename(home.path(live), home.path(rotated(rotations)))
        try home.write(live, "")
        rotations += 1
    }
}
