/// Compares what writers wrote with what a consumer read: exactly which lines are missing, came more
/// than once, came out of order, or are not what was written.
package struct Audit: Sendable {
    /// What was found; `isClean` is the promise of the product.
    package struct Report: Hashable, Sendable, CustomStringConvertible {
        package var written = 0
        /// Different lines that arrived whole.
        package var delivered = 0
        /// Lines that never arrived.
        package var lost = 0
        /// Arrivals beyond the first of a line.
        package var duplicated = 0
        /// First arrivals after the first arrival of a later line of the same writer.
        package var outOfOrder = 0
        /// Arrivals that no writer wrote: damaged, split or strange lines.
        package var foreign = 0
        /// A few examples for the message, "writer sequence: fault".
        package var examples: [String] = []

        package var isClean: Bool { lost == 0 && duplicated == 0 && inOrder }
        /// Nothing lost, nothing strange, first arrivals in order; duplicates may be.
        package var isComplete: Bool { lost == 0 && inOrder }
        private var inOrder: Bool { outOfOrder == 0 && foreign == 0 }

        package var description: String {
            let counts =
                "written \(written), delivered \(delivered), lost \(lost), duplicated "
                + "\(duplicated), out of order \(outOfOrder), foreign \(foreign)"
            return examples.isEmpty ? counts : "\(counts); \(examples.joined(separator: "; "))"
        }
    }

    private struct Writer {
        let source: LineSource
        let lines: Int
        var arrivals: [UInt32]
        var highest = -1
        var duplicated = 0
        var outOfOrder = 0
    }

    private var writers: [String: Writer] = [:]
    private var foreign = 0
    private var examples: [String] = []
    private static let exampleLimit = 10

    package init() {}

    /// Says that a writer wrote its lines `0..<lines`. To be called once for each writer, before the
    /// first arrival.
    package mutating func expect(_ source: LineSource, lines: Int) {
        precondition(writers[source.writer] == nil, "two writers are called \(source.writer)")
        writers[source.writer] = Writer(
            source: source, lines: lines, arrivals: Array(repeating: 0, count: lines))
    }

    /// Takes a line that a consumer read, without its newline.
    package mutating func arrived(_ line: some Collection<UInt8>) {
        let parts = line.split(
            separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        let name = parts.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard parts.count == 3, let sequence = Int(String(decoding: parts[1], as: UTF8.self)),
            let source = writers[name]?.source, let lines = writers[name]?.lines,
            sequence >= 0, sequence < lines, line.elementsEqual(source.line(sequence))
        else {
            foreign += 1
            note("foreign \(String(decoding: line.prefix(80), as: UTF8.self).debugDescription)")
            return
        }
        writers[name]?.arrivals[sequence] += 1
        guard writers[name]?.arrivals[sequence] == 1 else {
            writers[name]?.duplicated += 1
            note("\(name) \(sequence): again")
            return
        }
        let highest = writers[name]?.highest ?? -1
        if sequence < highest {
            writers[name]?.outOfOrder += 1
            note("\(name) \(sequence): after \(highest)")
        } else {
            writers[name]?.highest = sequence
        }
    }

    /// How many lines are expected and have not arrived yet.
    package var missing: Int { report.lost }

    /// The verdict on what arrived until now.
    package var report: Report {
        var report = Report(foreign: foreign, examples: examples)
        for (name, writer) in writers.sorted(by: { $0.key < $1.key }) {
            report.written += writer.lines
            report.duplicated += writer.duplicated
            report.outOfOrder += writer.outOfOrder
            var sequence = 0
            while sequence < writer.lines {
                guard writer.arrivals[sequence] == 0 else {
                    report.delivered += 1
                    sequence += 1
                    continue
                }
                let first = sequence
                while sequence < writer.lines, writer.arrivals[sequence] == 0 { sequence += 1 }
                report.lost += sequence - first
                if report.examples.count < 2 * Self.exampleLimit {
                    report.examples.append("\(name) \(first)..<\(sequence): lost")
                }
            }
        }
        return report
    }

    private mutating func note(_ example: @autoclosure () -> String) {
        if examples.count < Self.exampleLimit { examples.append(example()) }
    }
}
