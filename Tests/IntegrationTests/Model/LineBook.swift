/// What must, may and must not arrive, and the verdict on what did. Pure: it knows neither files nor
/// pipelines.
struct LineBook {
    /// What is known of a line's chances.
    enum Duty: Hashable, Sendable {
        case must
        /// It may be lost, for the reason given.
        case may(String)
    }

    /// Where a line stands. `life` is one content of a file, numbered by age within its stream.
    struct Place: Hashable, Sendable {
        let stream: String
        let life: Int
        /// Written after the file was rotated away: it comes after the lines of its own life, and
        /// wherever among those of others.
        var isLate = false
    }

    /// A record as the consumer saw it.
    struct Arrival: Hashable, Sendable {
        let text: String
        let id: String
        /// Number of the agent's run that sent it.
        let run: Int
    }

    private struct Line {
        let text: String
        var place: Place
        var duty: Duty
        var arrivals: [Arrival] = []
        /// Acknowledged, and in the journal: no run may send it again.
        var isSaved = false
        /// It stands between the pieces of another message: a run that ends before the last of
        /// those has saved no position behind it.
        var mayRepeat = false
    }

    private var lines: [Line] = []
    private var indices: [String: Int] = [:]
    private var killed: Set<Int> = []
    /// The latest line in the order of writing that arrived, by stream.
    private var newest: [String: Int] = [:]
    /// The same within one life, late ones included.
    private var newestOfLife: [Place: Int] = [:]
    private var counts: [Int: Int] = [:]
    private(set) var complaints: [String] = []

    /// Says that a line was written. Lines are told in the order of writing, and no two are alike.
    /// Returns its number.
    @discardableResult
    mutating func wrote(
        _ text: String, at place: Place, duty: Duty = .must, mayRepeat: Bool = false
    ) -> Int {
        precondition(indices[text] == nil, "two lines are alike: \(text)")
        indices[text] = lines.count
        lines.append(Line(text: text, place: place, duty: duty, mayRepeat: mayRepeat))
        return lines.count - 1
    }

    /// Lines that have not arrived need not any more.
    mutating func excuse(_ numbers: some Sequence<Int>, _ reason: String) {
        for number in numbers where lines[number].arrivals.isEmpty && isDue(number) {
            lines[number].duty = .may(reason)
        }
    }

    /// Lines that have not arrived yet have no place among those of other lives any more.
    mutating func release(_ numbers: some Sequence<Int>) {
        for number in numbers where lines[number].arrivals.isEmpty {
            lines[number].place.isLate = true
        }
    }

    /// A run was killed: what it sent and did not save comes again.
    mutating func kill(run: Int) { killed.insert(run) }

    /// Everything that this run has sent is acknowledged and saved.
    mutating func saved(run: Int) {
        for number in lines.indices where lines[number].arrivals.last?.run == run {
            lines[number].isSaved = true
        }
    }

    mutating func arrived(_ arrival: Arrival) {
        counts[arrival.run, default: 0] += 1
        guard let number = indices[arrival.text] else {
            complaints.append("never written: \(Self.brief(arrival.text))")
            return
        }
        let before = lines[number].arrivals
        lines[number].arrivals.append(arrival)
        guard let last = before.last else { return checkOrder(number) }
        let name = Self.brief(arrival.text)
        if last.id != arrival.id {
            complaints.append("again, with _id \(arrival.id) after \(last.id): \(name)")
        }
        let isEnded = killed.contains(last.run) || lines[number].mayRepeat
        if arrival.run <= last.run || !isEnded {
            complaints.append("again, by run \(arrival.run) after \(last.run): \(name)")
        } else if lines[number].isSaved {
            complaints.append("again, though it was acknowledged and saved: \(name)")
        }
    }

    /// First arrivals come in the order of writing, in each life, and without late ones in each
    /// stream.
    private mutating func checkOrder(_ number: Int) {
        var place = lines[number].place
        var before: Int?
        if !place.isLate {
            before = newest[place.stream]
            newest[place.stream] = max(number, before ?? number)
        }
        place.isLate = false
        before = max(before ?? -1, newestOfLife[place] ?? -1)
        newestOfLife[place] = max(number, newestOfLife[place] ?? number)
        guard let before, before > number else { return }
        complaints.append(
            "\(Self.brief(lines[number].text)) after \(Self.brief(lines[before].text))")
    }

    private func isDue(_ number: Int) -> Bool {
        if case .must = lines[number].duty { true } else { false }
    }

    /// How many records came of a run.
    func count(ofRun run: Int) -> Int { counts[run] ?? 0 }

    func hasArrived(_ number: Int) -> Bool { !lines[number].arrivals.isEmpty }

    /// Whether a run sent one of these lines: it has had their file open.
    func wasSent(_ numbers: some Sequence<Int>, by run: Int) -> Bool {
        numbers.contains { lines[$0].arrivals.contains { $0.run == run } }
    }

    /// Lines that must arrive and have not.
    var missing: [String] {
        lines.indices.filter { isDue($0) && lines[$0].arrivals.isEmpty }
            .map { Self.brief(lines[$0].text) }
    }

    var isComplete: Bool {
        !lines.indices.contains { isDue($0) && lines[$0].arrivals.isEmpty }
    }

    /// Whether some line was excused, so that a loss may have been reported rightly.
    var hasExcuses: Bool { !lines.indices.allSatisfy(isDue) }

    /// Complaints, and the lines that are missing; to be asked at the end.
    var verdict: [String] {
        let missing = missing
        var verdict = Array(complaints.prefix(10))
        if complaints.count > 10 { verdict.append("and \(complaints.count - 10) more of the kind") }
        if !missing.isEmpty {
            verdict.append("\(missing.count) lost: \(missing.prefix(5).joined(separator: ", "))")
        }
        return verdict
    }

    private static func brief(_ text: String) -> String {
        let short = text.count > 40 ? "\(text.prefix(40))…" : text
        return short.debugDescription
    }
}
