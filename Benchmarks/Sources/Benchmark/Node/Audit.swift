import Machine

/// Which of the lines that were written have come, how often, and how old the first of each was.
struct Audit {
    private var counts: [Int32]
    /// Nanoseconds, by line; of those that came.
    private var ages: [Int64]
    /// Records that came, whatever they are.
    private(set) var records = 0
    /// Lines that came.
    private(set) var arrived = 0
    /// Records with a number that no line has.
    private var strangers = 0

    /// For the lines from 0.
    init(lines: Int) {
        counts = Array(repeating: 0, count: lines)
        ages = Array(repeating: 0, count: lines)
    }

    mutating func note(_ arrival: StampedConsumer.Arrival) {
        records += 1
        guard counts.indices.contains(arrival.number) else {
            strangers += 1
            return
        }
        if counts[arrival.number] == 0 {
            arrived += 1
            ages[arrival.number] = arrival.age
        }
        counts[arrival.number] += 1
    }

    /// Of those lines that came, ascending.
    func ages(of lines: Range<Int>) -> [Int64] {
        lines.filter { counts[$0] > 0 }.map { ages[$0] }.sorted()
    }

    /// What is wrong with those lines that were written, the first `written` (nil: all): the first
    /// that are concerned as `name` calls them; nil: each came once.
    func fault(written: Int? = nil, _ name: (Int) -> String) -> String? {
        let written = written ?? counts.count
        var words: [String] = []
        func tell(_ what: String, _ isConcerned: (Int32) -> Bool) {
            let lines = (0..<written).filter { isConcerned(counts[$0]) }
            guard !lines.isEmpty else { return }
            let named = lines.prefix(5).map(name).joined(separator: ", ")
            let more = lines.count > 5 ? " and \(Number.grouped(lines.count - 5)) more" : ""
            words.append("\(Number.grouped(lines.count)) \(what): \(named)\(more)")
        }
        tell("missing") { $0 == 0 }
        tell("more than once") { $0 > 1 }
        if strangers > 0 { words.append("\(Number.grouped(strangers)) that nobody wrote") }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }
}
