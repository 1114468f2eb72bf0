/// Loggers that compress what they rotate under a name that is another log's.
enum ArchiveNaming: CaseIterable, Sendable {
    /// Log4j 2 with `filePattern="app-%i.log.gz"`.
    case numbered
    /// Apache's rotatelogs, and a compressor behind it.
    case epoch
    /// loguru with `compression="gz"`.
    case dated
    /// A script that moves what it compresses.
    case beneath
    /// The same to a directory beside that of the log.
    case beside

    var pattern: String { "**/*.log*" }

    func name(_ round: Int) -> String {
        switch self {
        case .numbered: "live/app-\(round).log"
        case .epoch: "live/app.\(1_700_000_000 + 60 * round).log"
        case .dated: "live/app.2026-11-30_10-\(10 + round)-00_123456.log"
        case .beneath: "live/archive/old\(round).log.1"
        case .beside: "archive/\(round).log"
        }
    }
}
