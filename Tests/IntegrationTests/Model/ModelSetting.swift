/// What a sequence's agent is like, by its seed.
struct ModelSetting: Hashable, Sendable, CustomStringConvertible {
    /// A quiet file is no longer polled after 2 ms, but watched for one write.
    let watchesSoon: Bool
    /// The pattern matches what rotation makes of a log as well.
    let matchesArchives: Bool
    /// So many files may be open at a time, where that is few.
    let openFiles: Int?
    /// Files that are written to are looked at each 40 ms and not each millisecond: several things
    /// happen between two looks.
    let sweepsSeldom: Bool
    /// A log whose file is parked is dormant as soon as what was read of it is delivered.
    let sleepsSoon: Bool
    /// Ordinary logs are written as container runtimes write them, some lines in two pieces.
    let isCRI: Bool
    /// Lines that begin with a tab belong to the event before them, and some events have several.
    let isMultiline: Bool

    init(seed: UInt64) {
        watchesSoon = seed % 3 == 0
        matchesArchives = seed % 4 == 1
        openFiles = seed % 5 == 2 ? 2 : nil
        sweepsSeldom = seed % 7 < 2
        sleepsSoon = openFiles != nil && seed % 2 == 0
        isCRI = seed % 11 < 4
        isMultiline = seed % 13 < 4
    }

    /// No pattern that matches archives; and few descriptors only where logs are dormant for it.
    var isPlain: Bool { (openFiles == nil || sleepsSoon) && !matchesArchives }

    /// Of the logs' names.
    var pattern: String { matchesArchives ? "*.log*" : "*.log" }

    var description: String {
        var words = ["pattern \(pattern)"]
        if watchesSoon { words.append("watches soon") }
        if sweepsSeldom { words.append("sweeps seldom") }
        if sleepsSoon { words.append("sleeps soon") }
        if isCRI { words.append("cri") }
        if isMultiline { words.append("multiline") }
        if let openFiles { words.append("\(openFiles) descriptors") }
        return words.joined(separator: ", ")
    }
}
