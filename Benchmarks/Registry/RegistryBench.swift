import Model
import Platform
import Registry
import Synchronization

/// The measurements, one after the other on one directory.
struct RegistryBench {
    let entries: Int
    let data: String

    /// What issue and design ask for.
    private static let loadTarget: Int64 = 1_000_000_000
    private static let stallTarget: Int64 = 50_000_000
    private static let rounds = 9
    /// Files that one delivery batch of the poller moves.
    private static let perAdvance = 32
    /// Between two batches of the poller, and between two looks of the reader.
    private static let pause: Int64 = 500_000

    /// False where a figure is beyond its target.
    func run() throws -> Bool {
        let filled = try fill()
        let loads = try load()
        let compacted = try compact()
        say(
            "\(entries) entries, snapshot \(filled.snapshot) bytes, the journal before \(filled.journal)"
        )
        say("longest of entering them all, one by one: \(milliseconds(filled.longest)) ms")
        say("load: \(spread(loads)) ms")
        say("compaction: \(spread(compacted.durations)) ms")
        say("advances of \(Self.perAdvance) files, while compacting: \(compacted.poller)")
        say("looks of the reader (find, see, grow), while compacting: \(compacted.reader)")
        say("the same, while not compacting: \(compacted.idlePoller); \(compacted.idleReader)")
        say("longest journal: \(compacted.longestJournal) bytes")
        return (loads.max() ?? 0) < Self.loadTarget
            && max(compacted.poller.longest, compacted.reader.longest) < Self.stallTarget
    }

    private func fill() throws -> (longest: Int64, journal: Int, snapshot: Int) {
        let heard = Heard()
        let registry = try Registry.open(directory: data, observer: heard)
        var longest: Int64 = 0
        for number in 0..<entries {
            let began = Clock.monotonicNanoseconds()
            _ = registry.see(.sample(number))
            longest = max(longest, Clock.monotonicNanoseconds() - began)
        }
        let journal = registry.health.journalBytes
        registry.compact()
        registry.close()
        return (longest, journal, heard.snapshotBytes)
    }

    private func load() throws -> [Int64] {
        var times: [Int64] = []
        for _ in 0..<Self.rounds {
            let began = Clock.monotonicNanoseconds()
            let registry = try Registry.open(directory: data, observer: Heard())
            times.append(Clock.monotonicNanoseconds() - began)
            guard registry.health.entries == entries else { throw BenchError.lostEntries }
            registry.close()
        }
        return times
    }

    private struct Compacted {
        var durations: [Int64] = []
        var poller = Stalls()
        var reader = Stalls()
        var idlePoller = Stalls()
        var idleReader = Stalls()
        var longestJournal = 0
    }

    /// One thread advances as the delivery poller does, another looks up and enters files as the
    /// reader does, and this one compacts again and again.
    private func compact() throws -> Compacted {
        let heard = Heard()
        let registry = try Registry.open(directory: data, observer: heard)
        let known = registry.entries()
        let clock = Phase()
        let poller = Mutex((Stalls(), Stalls()))
        let reader = Mutex((Stalls(), Stalls()))
        let longestJournal = Atomic(0)
        let advancing = try SystemThread("poller") {
            pace(clock, poller) { round in
                let first = round &* 7919
                registry.advance(
                    (0..<Self.perAdvance).map { index in
                        let entry = known[(first &+ index &* 131) % known.count]
                        return Advance(
                            file: entry.file, generation: entry.generation,
                            offset: LogicalOffset(round + 1),
                            anchor: Anchor(bytes: [UInt8](repeating: 7, count: 64)),
                            size: PhysicalOffset(1 << 20))
                    })
                longestJournal.max(registry.health.journalBytes, ordering: .relaxed)
            }
        }
        let reading = try SystemThread("reader") {
            pace(clock, reader) { round in
                let number = (round &* 104_729) % entries
                _ = registry.find(identity: .sample(number), head: NewFile.head)
                _ = registry.entries(ofStream: NewFile.stream(number))
                // A file comes, and another one leaves: as with rotation.
                if round % 8 == 0 { _ = registry.see(.sample(entries + round)) }
                if round % 8 == 4 { registry.gone(FileID(number: entries + 1 + round / 8)) }
            }
        }
        var durations: [Int64] = []
        let wakeup = try Wakeup()
        for _ in 0..<Self.rounds {
            // The journal gets something to copy meanwhile.
            wakeup.wait(nanoseconds: 500_000_000)
            registry.sync()
            let began = Clock.monotonicNanoseconds()
            clock.isCompacting.store(true, ordering: .sequentiallyConsistent)
            registry.compact()
            clock.isCompacting.store(false, ordering: .sequentiallyConsistent)
            durations.append(Clock.monotonicNanoseconds() - began)
        }
        clock.isDone.store(true, ordering: .sequentiallyConsistent)
        advancing.join()
        reading.join()
        let hasFailed = registry.health.failure
        registry.close()
        if let hasFailed { throw hasFailed }
        let (idlePoller, busyPoller) = poller.withLock { $0 }
        let (idleReader, busyReader) = reader.withLock { $0 }
        return Compacted(
            durations: durations, poller: busyPoller, reader: busyReader, idlePoller: idlePoller,
            idleReader: idleReader, longestJournal: longestJournal.load(ordering: .relaxed))
    }

    private final class Phase: Sendable {
        let isCompacting = Atomic(false)
        let isDone = Atomic(false)
    }

    /// Calls `body` again and again with a pause between, and notes how long each call took.
    private func pace(
        _ phase: Phase, _ stalls: borrowing Mutex<(Stalls, Stalls)>, _ body: (Int) -> Void
    ) {
        let wakeup: Wakeup
        do throws(SystemError) {
            wakeup = try Wakeup()
        } catch {
            say("registry-bench: \(error)", to: .error)
            return
        }
        var round = 0
        while !phase.isDone.load(ordering: .sequentiallyConsistent) {
            let before = phase.isCompacting.load(ordering: .sequentiallyConsistent)
            let began = Clock.monotonicNanoseconds()
            body(round)
            let took = Clock.monotonicNanoseconds() - began
            let after = phase.isCompacting.load(ordering: .sequentiallyConsistent)
            stalls.withLock { stalls in
                if before || after { stalls.1.add(took) } else { stalls.0.add(took) }
            }
            round += 1
            wakeup.wait(nanoseconds: Self.pause)
        }
    }
}

enum BenchError: Error, CustomStringConvertible {
    case lostEntries

    var description: String { "the registry did not load what was saved" }
}

/// How long calls took.
struct Stalls: Sendable, CustomStringConvertible {
    private(set) var calls = 0
    private(set) var longest: Int64 = 0
    private var sum: Int64 = 0
    private var overMillisecond = 0

    mutating func add(_ nanoseconds: Int64) {
        calls += 1
        longest = max(longest, nanoseconds)
        sum += nanoseconds
        if nanoseconds > 1_000_000 { overMillisecond += 1 }
    }

    var description: String {
        "\(calls) calls, mean \(milliseconds(sum / Int64(max(1, calls)))) ms, longest "
            + "\(milliseconds(longest)) ms, \(overMillisecond) over 1 ms"
    }
}

/// Keeps the snapshot's size, and says what goes wrong.
final class Heard: RegistryObserver {
    private let bytes = Atomic(0)
    var snapshotBytes: Int { bytes.load(ordering: .relaxed) }

    func report(_ event: RegistryEvent) {
        switch event {
        case .writeFailed(let error), .cannotSetAside(let error): say("\(error)", to: .error)
        case .compacted(_, let bytes, _): self.bytes.store(bytes, ordering: .relaxed)
        case .opened, .writeRecovered, .synced: break
        }
    }
}

extension NewFile {
    static let head = Array(repeating: UInt8(ascii: "x"), count: 1024)
    private static let fingerprint = Fingerprint.of(head: head)

    static func stream(_ number: Int) -> String {
        "/data/logs/namespace-\(number % 40)/app-\(number % 700)/app-\(number % 700)-7d9f8b6c5-"
            + "\(number)/log"
    }

    static func sample(_ number: Int) -> NewFile {
        NewFile(
            input: "pods", stream: stream(number), path: stream(number) + "/current",
            identity: .sample(number), fingerprint: fingerprint, offset: .start,
            size: PhysicalOffset(1 << 20))
    }
}

extension FileIdentity {
    static func sample(_ number: Int) -> FileIdentity {
        let bytes = stride(from: 0, to: 64, by: 8).map {
            UInt8(truncatingIfNeeded: number >> $0)
        }
        return FileIdentity(
            handle: [0, 0, 0, 1] + bytes, device: 64768, inode: UInt64(1_000_000 + number),
            birth: 1_795_406_555_685_000_000 + Int64(number))
    }
}

func milliseconds(_ nanoseconds: Int64) -> String {
    let hundredths = nanoseconds / 10_000
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}

/// Median and extremes.
func spread(_ times: [Int64]) -> String {
    let sorted = times.sorted()
    guard let first = sorted.first, let last = sorted.last else { return "none" }
    return "\(milliseconds(sorted[sorted.count / 2])) "
        + "(\(milliseconds(first))–\(milliseconds(last)))"
}
