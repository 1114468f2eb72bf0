import Platform

/// When a file that was rotated away, and is read to its end, is asked again whether that is its
/// last one. A pure value.
///
/// 1. A program leaks one descriptor with each rotation: thousands of files are read, and never
///    done with.
/// 2. With each chunk of its log all of them would be opened and asked, and take descriptors from
///    others.
///
/// So each is asked after twice the time of the last one, until it grows.
struct EndProof: Hashable {
    /// As long as no more of a log's files than these are to be asked, they are asked with each
    /// turn of it: what a log leaves behind in its ordinary course ends at once.
    static let fewFiles = 16
    /// Files that one turn asks where there are more: some milliseconds, where each has to be
    /// opened. Thousands have their turn within a minute.
    static let mostInTurn = 64
    private static let shortest: Int64 = 5_000_000
    private static let longest: Int64 = 15_000_000_000

    /// How long it waited last, nanoseconds.
    private var pause: Int64 = 0
    /// When it is to be asked.
    private var due = MonotonicTime.min
    /// The system does not tell who writes to it: time alone proves anything.
    private(set) var isBlind = false

    func isDue(_ now: MonotonicTime) -> Bool { now >= due }

    /// It was asked in vain. `latest`: when it is proven by the time that has passed.
    mutating func failed(_ now: MonotonicTime, isBlind: Bool, latest: MonotonicTime = .never) {
        pause = min(max(2 * pause, Self.shortest), Self.longest)
        due = min(now + pause, latest)
        self.isBlind = isBlind
    }
}
