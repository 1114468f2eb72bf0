import Platform

/// Compares what writers wrote with what a consumer read: exactly which lines are missing, came
/// more than once, came out of order, or are not what was written.
package struct Audit: Sendable {
    /// The findings of an audit; `isClean` is the promise of the product.
    package struct Report: Hashable, Sendable, CustomStringConvertible {
        /// Lines that the writers wrote whole.
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

        /// Whether every line arrived once and in order, and nothing else did.
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
        var lines: Int
        /// How often each line arrived, as far as the highest that did.
        var arrivals: [UInt32] = []
        var delivered = 0
        var duplicated = 0
        var outOfOrder = 0

        var lost: Int { lines - delivered }
    }

    private var writers: [Writer] = []
    private var indices: [String: Int] = [:]
    private var foreign = 0
    private var examples: [String] = []
    private static let exampleLimit = 10

    package init() {}

    /// Says that a writer writes its lines `0..<lines`. To be called once for each writer, before
    /// the first arrival.
    package mutating func expect(_ source: LineSource, lines: Int) {
        precondition(indices[source.writer] == nil, "two writers are called \(source.writer)")
        indices[source.writer] = writers.count
        writers.append(Writer(source: source, lines: lines))
    }

    /// Says that a writer ended early, after its lines `0..<lines`. A later one that arrived was
    /// written all the same.
    package mutating func ended(_ source: LineSource, lines: Int) {
        guard let index = indices[source.writer] else {
            preconditionFailure("\(source.writer) was never expected")
        }
        writers[index].lines = max(lines, writers[index].arrivals.count)
    }

    /// Takes a line that a consumer read, without its newline.
    package mutating func arrived(_ line: some Collection<UInt8>) {
        guard let (index, sequence) = origin(of: Array(line)) else {
            foreign += 1
            note("foreign \(String(decoding: line.prefix(80), as: UTF8.self).debugDescription)")
            return
        }
        let name = writers[index].source.writer
        let highest = writers[index].arrivals.count - 1
        if sequence > highest {
            let skipped = sequence - highest - 1
            writers[index].arrivals.append(contentsOf: repeatElement(0, count: skipped))
            writers[index].arrivals.append(1)
            writers[index].delivered += 1
            return
        }
        writers[index].arrivals[sequence] += 1
        guard writers[index].arrivals[sequence] == 1 else {
            writers[index].duplicated += 1
            note("\(name) \(sequence): again")
            return
        }
        writers[index].delivered += 1
        writers[index].outOfOrder += 1
        note("\(name) \(sequence): after \(highest)")
    }

    /// Which writer's and which line it is; nil when it is none, to the last byte.
    private func origin(of line: [UInt8]) -> (index: Int, sequence: Int)? {
        let space = UInt8(ascii: " ")
        guard let first = line.firstIndex(of: space),
            let second = line[(first + 1)...].firstIndex(of: space),
            let index = indices[String(decoding: line[..<first], as: UTF8.self)],
            let sequence = Int(String(decoding: line[(first + 1)..<second], as: UTF8.self)),
            sequence >= 0, sequence < writers[index].lines,
            line == writers[index].source.line(sequence)
        else { return nil }
        return (index, sequence)
    }

    /// How many different lines arrived, of one writer or of all.
    package func delivered(of source: LineSource? = nil) -> Int {
        guard let source else { return writers.reduce(0) { $0 +| $1.delivered } }
        return indices[source.writer].map { writers[$0].delivered } ?? 0
    }

    /// How many lines are expected and have not arrived yet.
    package var missing: Int { writers.reduce(0) { $0 +| $1.lost } }

    /// The verdict on what arrived until now.
    package var report: Report {
        var report = Report(foreign: foreign, examples: examples)
        for writer in writers.sorted(by: { $0.source.writer < $1.source.writer }) {
            report.written += writer.lines
            report.delivered += writer.delivered
            report.lost += writer.lost
            report.duplicated += writer.duplicated
            report.outOfOrder += writer.outOfOrder
            addLosses(of: writer, to: &report.examples)
        }
        return report
    }

    /// The same for one writer, without what is foreign.
    package func report(of source: LineSource) -> Report {
        guard let index = indices[source.writer] else { return Report() }
        let writer = writers[index]
        return Report(
            written: writer.lines, delivered: writer.delivered, lost: writer.lost,
            duplicated: writer.duplicated, outOfOrder: writer.outOfOrder)
    }

    private func addLosses(of writer: Writer, to examples: inout [String]) {
        guard writer.lost > 0 else { return }
        var sequence = 0
        while sequence < writer.arrivals.count, examples.count < 2 * Self.exampleLimit {
            let first = sequence
            while sequence < writer.arrivals.count, writer.arrivals[sequence] == 0 { sequence += 1 }
            if sequence > first {
                examples.append("\(writer.source.writer) \(first)..<\(sequence): lost")
            }
            sequence += 1
        }
        if writer.arrivals.count < writer.lines, examples.count < 2 * Self.exampleLimit {
            let first = writer.arrivals.count
            examples.append("\(writer.source.writer) \(first)..<\(writer.lines): lost")
        }
    }

    private mutating func note(_ example: @autoclosure () -> String) {
        if examples.count < Self.exampleLimit { examples.append(example()) }
    }
}
