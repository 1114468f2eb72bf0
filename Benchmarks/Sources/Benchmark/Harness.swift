package import Machine

/// One call of the harness.
package enum Harness {
    /// Measures, prints the table to standard output and writes the JSON. True: all was delivered,
    /// once. `command` is how the harness was called.
    package static func run(
        _ options: Options, command: [String]
    ) throws(MachineError) -> Bool {
        let progress = Progress()
        let stage = try Stage(options, progress)
        guard !stage.present.isEmpty else {
            throw MachineError("nobody to measure:\n\(stage.absentLines)")
        }
        let isGood: Bool
        let text: String
        let json: JSON
        switch options.mode {
        case .throughput, .formats:
            var mode = try Throughput(stage)
            isGood = try mode.measure()
            (text, json) = (mode.text(command: command), mode.json(command: command))
        case .idle:
            var mode = try Idle(stage)
            isGood = try mode.measure()
            (text, json) = (mode.text(command: command), mode.json(command: command))
        case .node:
            var mode = try Node(stage)
            isGood = try mode.measure()
            (text, json) = (mode.text(command: command), mode.json(command: command))
        case .scale:
            var mode = try Scale(stage)
            isGood = try mode.measure()
            (text, json) = (mode.text(command: command), mode.json(command: command))
        case .rotation:
            var mode = try Rotation(stage)
            isGood = try mode.measure()
            (text, json) = (mode.text(command: command), mode.json(command: command))
        case .latency:
            var mode = try Latency(stage)
            isGood = try mode.measure()
            (text, json) = (mode.text(command: command), mode.json(command: command))
        }
        try progress.update("")
        try StandardStream.output.write((progress.isTerminal ? "\n" : "") + text)
        if let path = options.json { try writeText(json.text() + "\n", to: path) }
        return isGood
    }
}
