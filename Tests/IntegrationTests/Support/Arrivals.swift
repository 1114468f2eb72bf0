/// What the consumer makes of every record as it comes.
struct Arrivals: Sendable {
    /// Number of the run, by the agent's ephemeral id.
    var runs: [String: Int] = [:]
    /// `_id` and the run of the latest arrival, by line.
    var lines: [String: (id: String, run: Int)] = [:]
    /// Bytes of values that came again, by the run that repeated them.
    var repeated: [Int: Int] = [:]
    var records = 0
    var faults: [String] = []
    /// Lines in the order of their first arrivals.
    var firsts: [String] = []

    mutating func take(_ record: KafkaRecord) {
        records += 1
        do {
            let document = try record.document()
            let run = runs[document.agent.ephemeral] ?? runs.count
            runs[document.agent.ephemeral] = run
            guard let before = lines[document.message] else {
                lines[document.message] = (document.metadata.id, run)
                firsts.append(document.message)
                return
            }
            repeated[run, default: 0] += record.value.count
            if before.id != document.metadata.id { fault("another _id: \(document.message)") }
            if before.run >= run { fault("twice by run \(run): \(document.message)") }
            lines[document.message]?.run = run
        } catch {
            fault("\(error): \(record.text)")
        }
    }

    private mutating func fault(_ text: String) {
        if faults.count < 10 { faults.append(text) }
    }
}
