import Machine

/// What /proc tells of a process that runs.
struct ProcessFigures: Sendable {
    let cpuSeconds: Double
    let rssBytes: Int
    let peakBytes: Int
    let descriptors: Int
    let threads: Int

    init(_ pid: Int32) throws(MachineError) {
        let stat = try readText("/proc/\(pid)/stat")
        // The name before the last parenthesis may hold anything. Fields 14 and 15: user and system
        // time in hundredths of a second, as every Linux gives them.
        let rest = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard rest.count > 13, let user = Int(rest[12]), let system = Int(rest[13]) else {
            throw MachineError("/proc/\(pid)/stat: cannot be understood: \(stat)")
        }
        cpuSeconds = Double(user + system) / 100
        let status = try readText("/proc/\(pid)/status")
        func field(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            let words = (line ?? "").split(whereSeparator: \.isWhitespace)
            return words.count > 1 ? Int(words[1]) ?? 0 : 0
        }
        rssBytes = field("VmRSS") * 1_024
        peakBytes = field("VmHWM") * 1_024
        threads = field("Threads")
        descriptors = try countEntries("/proc/\(pid)/fd")
    }
}
