import Machine

/// Who rotates the log of the fast writer.
enum Rotator: Hashable, Sendable {
    /// The agent reads it, and that is all: what the disk alone makes a writer wait.
    case nobody
    /// The agent that reads it, by this method.
    case agent(method: String)
    /// logrotate with `copytruncate`, whenever the log has its size, beside an agent that reads.
    case logrotate
    /// Nobody, and a line of the log is left out, or there twice, before the lines are counted: for
    /// tests of the harness itself.
    case dropsALine, repeatsALine

    /// In the order in which they run. The agent's `rename` is for writers that reopen their log.
    static let all: [Rotator] = [
        .nobody, .agent(method: "collapse"), .agent(method: "punch"),
        .agent(method: "copytruncate"), .logrotate, .dropsALine, .repeatsALine,
    ]

    /// What is given to `--only`.
    var key: String {
        switch self {
        case .nobody: "unrotated"
        case .agent(let method): method
        case .logrotate: "logrotate"
        case .dropsALine: "drops-a-kept-line"
        case .repeatsALine: "repeats-a-kept-line"
        }
    }

    /// As tables show it.
    var name: String {
        switch self {
        case .nobody: "nobody"
        case .agent(let method): "shipper \(method)"
        case .logrotate: "logrotate"
        case .dropsALine: "drops a kept line"
        case .repeatsALine: "repeats a kept line"
        }
    }

    var isFaulty: Bool { self == .dropsALine || self == .repeatsALine }

    /// Whether it makes archives at all.
    var isRotating: Bool {
        switch self {
        case .agent, .logrotate: true
        case .nobody, .dropsALine, .repeatsALine: false
        }
    }

    /// A line that is lost is a fault; else it is a figure of the table.
    var isLossless: Bool { self != .logrotate && self != .agent(method: "copytruncate") }

    /// Keys of the agent's input; a log of `size` bytes is due.
    func inputKeys(size: Int, keep: Int) -> [String] {
        guard case .agent(let method) = self else { return [] }
        return ["rotation: {method: \(method), size: \(size), keep: \(keep)}"]
    }

    /// What logrotate reads.
    static func configuration(of log: String, size: Int, keep: Int) -> String {
        """
        \(JSON.text(log).text()) {
            size \(size)
            rotate \(keep)
            copytruncate
            missingok
            notifempty
            nocompress
        }

        """
    }
}
