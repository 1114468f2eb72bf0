import Machine

/// The turns of logrotate: it is run whenever the log has its size, as cron would if it looked as often.
struct Logrotate {
    /// Of those that have ended.
    private(set) var cpuSeconds = 0.0
    /// Nil: somebody else rotates.
    private let command: [String]?
    private let log: String
    private let size: Int
    private let said: String
    private var running: ChildProcess?

    init(
        _ rotator: Rotator, log: String, directory: String, size: Int, keep: Int
    ) throws(MachineError) {
        self.log = log
        self.size = size
        said = directory + "/logrotate.output"
        guard rotator == .logrotate, let program = findProgram("logrotate") else {
            command = nil
            return
        }
        let configuration = directory + "/logrotate.conf"
        try writeText(
            Rotator.configuration(of: log, size: size, keep: keep), to: configuration)
        command = [program, "--state", directory + "/logrotate.state", configuration]
    }

    /// Starts one if it is time, and takes notice of one that has ended.
    mutating func look() throws(MachineError) {
        guard let command else { return }
        try take(milliseconds: 0)
        guard running == nil, let glance = try FileGlance(log), glance.bytes >= size else { return }
        running = try ChildProcess(command, output: .file(said), errors: .file(said))
    }

    /// Waits for the one that runs.
    mutating func finish() throws(MachineError) {
        try take(milliseconds: 120_000)
        guard running == nil else { throw MachineError("logrotate does not end") }
    }

    private mutating func take(milliseconds: Int) throws(MachineError) {
        guard let end = try running?.wait(milliseconds: milliseconds) else { return }
        running = nil
        if let fault = end.fault {
            let words = try Stage.lastWords(said) ?? "it says nothing"
            throw MachineError("logrotate: \(fault): \(words)")
        }
        cpuSeconds += end.userSeconds + end.systemSeconds
    }
}
