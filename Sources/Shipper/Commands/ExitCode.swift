/// The exit code of the process, so that scripts can tell why it ended.
package enum ExitCode: Int32, Hashable, Sendable, CaseIterable {
    case done = 0
    /// A check found a fault: a bad configuration for `check`, lost or repeated lines for `demo`,
    /// something left for `run --once`.
    case fault = 1
    case wrongUsage = 64
    case internalFault = 70
    /// Another instance holds the data directory.
    case dataHeld = 75
    case badConfiguration = 78

    /// As the manual says it.
    package var meaning: String {
        switch self {
        case .done: "done"
        case .fault: "a check found a fault"
        case .wrongUsage: "wrong usage"
        case .internalFault: "internal fault"
        case .dataHeld: "another instance holds the data directory"
        case .badConfiguration: "bad configuration"
        }
    }
}
