/// The values that a key takes, and one of them: its default, or where there is none, an example.
struct Bounds<Value: Comparable & Sendable>: Sendable {
    let range: ClosedRange<Value>
    let standard: Value

    init(_ range: ClosedRange<Value>, _ standard: Value) {
        self.range = range
        self.standard = standard
    }
}

/// Numbers, and sizes in bytes.
extension Bounds<Int> {
    static let inFlight = Bounds((256 << 10)...(16 << 30), 32 << 20)
    static let openFiles = Bounds(16...(1 << 20), 4096)
    // So many files of the largest size, each counted up to this bound, still sum up in 64 bits.
    static let heldBytes = Bounds((64 << 10)...(4 << 40), 4 << 30)
    static let topics = Bounds(1...100_000, 1_000)
    static let watches = Bounds(16...(1 << 24), 1 << 15)
    static let maxLine = Bounds(1...(64 << 20), 256 << 10)
    static let partitionsPerNode = Bounds(1...1_000, 3)
    static let eventLines = Bounds(1...1_000_000, 500)
    static let eventBytes = Bounds(1...(64 << 20), 256 << 10)
    static let countedLines = Bounds(1...1_000_000, 2)
    // The least has room for a block of any file system, and for what stays of a log.
    static let rotatedSize = Bounds((64 << 10)...(1 << 40), 1 << 30)
    static let archives = Bounds(1...100_000, 7)
    static let archivesTotal = Bounds((64 << 10)...(1 << 50), 1 << 34)
}

extension Bounds<Duration> {
    static let latency = Bounds(LatencyBudget.range, LatencyBudget.standard.most)
    static let shutdownTimeout = Bounds(.milliseconds(100)...(.seconds(3_600)), .seconds(10))
    static let sync = Bounds(.milliseconds(1)...(.seconds(600)), .seconds(1))
    static let eventTimeout = Bounds(.milliseconds(100)...(.seconds(600)), .seconds(5))
    static let dropped = Bounds(.seconds(1)...(.seconds(10 * 366 * 86_400)), .seconds(86_400))
    static let rotatedAge = Bounds(.seconds(60)...(.seconds(366 * 86_400)), .seconds(86_400))
    static let archiveAge = Bounds(
        .seconds(3_600)...(.seconds(100 * 366 * 86_400)), .seconds(14 * 86_400))
}

extension SettingsReader {
    mutating func size(_ value: Value?, _ bounds: Bounds<Int>) -> Int {
        size(value, in: bounds.range, default: bounds.standard)
    }

    mutating func count(_ value: Value?, _ bounds: Bounds<Int>) -> Int {
        count(value, in: bounds.range, default: bounds.standard)
    }

    mutating func duration(_ value: Value?, _ bounds: Bounds<Duration>) -> Duration {
        duration(value, in: bounds.range, default: bounds.standard)
    }
}
