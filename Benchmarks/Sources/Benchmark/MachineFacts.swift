import Machine

/// What the figures were measured on.
struct MachineFacts: Sendable {
    let kernel: String
    let system: String
    let processor: String
    let processors: Int
    let memoryBytes: Int

    init() throws(MachineError) {
        kernel = try readText("/proc/sys/kernel/osrelease").split(separator: "\n").joined()
        let processors = Self.values("model name", in: try readText("/proc/cpuinfo"), ":")
        processor = processors.first ?? "unknown"
        self.processors = Self.values("processor", in: try readText("/proc/cpuinfo"), ":").count
        system =
            Self.values("PRETTY_NAME", in: try readText("/etc/os-release"), "=").first?
            .split(separator: "\"").first.map(String.init) ?? "unknown"
        let memory = Self.values("MemTotal", in: try readText("/proc/meminfo"), ":").first ?? ""
        memoryBytes = (Int(memory.split(separator: " ").first ?? "") ?? 0) * 1_024
    }

    /// Runnable processes on average over the last minute: 2 on two idle processors while one
    /// contender and the broker work is a calm machine.
    static func load() throws(MachineError) -> Double {
        let text = try readText("/proc/loadavg")
        guard let first = text.split(separator: " ").first, let load = Double(first) else {
            throw MachineError("/proc/loadavg: no number: \(text)")
        }
        return load
    }

    private static func values(
        _ name: String, in text: String, _ separator: Character
    ) -> [String] {
        text.split(separator: "\n").compactMap { line in
            guard let place = line.firstIndex(of: separator) else { return nil }
            let key = line[..<place].split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard key == name else { return nil }
            return line[line.index(after: place)...]
                .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    var description: String {
        "\(processors) × \(processor), \(Number.fixed(Double(memoryBytes) / 1e9, 1)) GB, "
            + "Linux \(kernel), \(system)"
    }

    var json: JSON {
        .object([
            ("processor", .text(processor)), ("processors", .count(processors)),
            ("memory_bytes", .count(memoryBytes)), ("kernel", .text(kernel)),
            ("system", .text(system)),
        ])
    }
}
