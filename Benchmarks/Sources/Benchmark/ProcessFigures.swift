import Machine

/// What the kernel tells of a process that runs.
struct ProcessFigures: Sendable {
    let cpuSeconds: Double
    let rssBytes: Int
    let peakBytes: Int
    let descriptors: Int
    let threads: Int

    init(_ process: ChildProcess) throws(MachineError) {
        let pid = process.pid
        cpuSeconds = try process.cpuSeconds()
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
