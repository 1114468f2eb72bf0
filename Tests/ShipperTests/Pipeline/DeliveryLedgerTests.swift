import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Kafka
@testable import Registry
@testable import Shipper

@Suite("Deliveries become positions, then credit") struct DeliveryLedgerTests {
    let directory: TemporaryDirectory
    let registry: Registry
    let budget = InFlightBudget(limit: 60_000)
    let counters = Counters()
    let ledger: DeliveryLedger
    let heard = Heard()
    let lane = Lane(
        share: TopicShare(name: "logs", destination: .init(number: 1), longestBatch: 1_000_000),
        key: [1], suspended: false)
    let stream = StreamID(number: 1)

    /// What the ledger called back, and what was true at that moment.
    final class Heard: Sendable {
        struct State {
            var roomCameBack = 0
            var allDelivered = 0
            /// Credit that was out at each write to the journal.
            var heldAtWrites: [Int] = []
            /// Saved offsets, read from the disk, each time that room came back.
            var savedAtRoom: [LogicalOffset] = []
            var failure: Errno?
            /// Called once, at the next write to the journal.
            var atWrite: (@Sendable () -> Void)?
        }
        let state = Mutex(State())
    }

    private final class Step: FileStepWitness {
        let heard: Heard
        let budget: InFlightBudget
        init(_ heard: Heard, _ budget: InFlightBudget) {
            self.heard = heard
            self.budget = budget
        }
        func willTake(_ step: FileStep) throws(SystemError) {
            guard case .write("journal.jsonl", _) = step else { return }
            let held = budget.held
            let (failure, atWrite) = heard.state.withLock { state in
                state.heldAtWrites.append(held)
                defer { state.atWrite = nil }
                return (state.failure, state.atWrite)
            }
            atWrite?()
            if let failure { throw SystemError("write", code: failure) }
        }
    }

    init() throws {
        directory = try TemporaryDirectory()
        let data = directory.path("data")
        registry = try Registry.open(
            directory: data, observer: EventLog(Log(level: .error, format: .text) { _ in }),
            witness: Step(heard, budget))
        let heard = heard
        ledger = DeliveryLedger(
            registry: registry, budget: budget, counters: counters,
            roomCameBack: {
                var saved: [LogicalOffset] = []
                do {
                    saved = try RegistryReader.read(directory: data).entries.map(\.offset)
                } catch {
                    Issue.record("\(error)")
                }
                heard.state.withLock { state in
                    state.roomCameBack += 1
                    state.savedAtRoom += saved
                }
            },
            allDelivered: { heard.state.withLock { $0.allDelivered += 1 } })
    }

    private func see(_ inode: UInt64 = 1) -> FileEntry {
        registry.see(
            NewFile(
                input: "pods", stream: "/log", path: "/log/current",
                identity: FileIdentity(handle: nil, device: 1, inode: inode, birth: 1),
                fingerprint: .of(head: [1]), offset: 0, size: 1000))
    }

    /// Opens a file at its saved position; where it is to be read from.
    @discardableResult
    private func begin(_ entry: FileEntry) -> LogicalOffset {
        ledger.begin(entry.file, entry.generation, at: entry.offset, anchor: entry.anchor).position
    }

    private func offset(_ file: FileID) -> LogicalOffset? { registry.entry(file)?.offset }

    /// A batch on its way, with its credit taken.
    private func send(
        _ entry: FileEntry, _ range: Range<Int>, credit: Int = 100, works: Bool = true,
        records: [UInt32] = [4, 8]
    ) -> RecordBatch {
        let granted = budget.take(
            stream, of: lane.destination, works: works, atLeast: credit, atMost: credit)
        #expect(granted == credit)
        let bytes = ByteRange(range)
        let anchor = Anchor(bytes: Array("\(range.upperBound)".utf8))
        ledger.sent(entry.file, entry.generation, bytes, anchor: anchor)
        let slab = PayloadSlab(capacity: 8)
        slab.append(Array("one two ".utf8))
        return RecordBatch(
            lane: lane, slab: slab, recordEnds: records, file: entry.file,
            stream: stream, generation: entry.generation, range: bytes,
            anchor: anchor, credit: credit)
    }

    @Test("A position moves over an unbroken run only, and takes the anchor of its end along")
    func unbroken() throws {
        let entry = see()
        begin(entry)
        let batches = [send(entry, 0..<10), send(entry, 10..<30), send(entry, 30..<31)]
        ledger.delivered([batches[2]])
        #expect(offset(entry.file) == 0)
        ledger.delivered([batches[1]])
        #expect(offset(entry.file) == 0 && ledger.isOutstanding(entry.file))
        ledger.delivered([batches[0]])
        #expect(offset(entry.file) == 31 && !ledger.isOutstanding(entry.file))
        #expect(budget.held == 0 && counters.recordsDelivered == 6)
        #expect(counters.bytesDelivered == 31)

        let next = [send(entry, 31..<40), send(entry, 40..<50)]
        ledger.delivered(next)
        let saved = try #require(registry.entry(entry.file))
        #expect(saved.offset == 50 && saved.anchor.bytes == Array("50".utf8))
    }

    @Test("Empty lines move their file's position, and say nothing of Kafka")
    func emptyLines() {
        let entry = see()
        begin(entry)
        let empty = send(entry, 0..<10, works: false, records: [])
        let lines = send(entry, 10..<30, works: false)
        ledger.delivered([empty])
        #expect(offset(entry.file) == 10 && budget.held == 100 && budget.trying == 100)
        #expect(counters.lastAcknowledgement == nil)
        ledger.delivered([lines])
        #expect(offset(entry.file) == 30 && budget.held == 0)
        #expect(counters.lastAcknowledgement != nil)
    }

    @Test("What an earlier generation delivers late moves nothing, and gives its credit back")
    func lateGeneration() throws {
        let entry = see()
        begin(entry)
        let late = send(entry, 0..<500)
        let restarted = try #require(
            registry.truncated(
                entry.file, identity: entry.identity, fingerprint: .of(head: [2])))
        begin(restarted)
        let fresh = send(restarted, 0..<7)
        ledger.delivered([late])
        #expect(offset(entry.file) == 0 && budget.held == 100)
        ledger.delivered([fresh])
        #expect(offset(entry.file) == 7 && budget.held == 0)
    }

    /// 1. Two batches are on their way, and a stream is refused for want of credit.
    /// 2. They are delivered. Were their credit given back first, the reader could send as much
    ///    again before a kill, and the next run would repeat both.
    /// 3. So at the write to the journal all the credit is still out, and when room comes back, the
    ///    positions are in the file for anybody to read.
    @Test("The journal is written before credit comes back")
    func journalFirst() throws {
        let entry = see()
        begin(entry)
        let batches = [send(entry, 0..<10, credit: 3000), send(entry, 10..<20, credit: 2000)]
        #expect(budget.take(stream, of: lane.destination, atLeast: 20_000, atMost: 20_000) == 0)
        heard.state.withLock { $0.heldAtWrites = [] }
        ledger.delivered(batches)
        let state = heard.state.withLock { $0 }
        #expect(state.heldAtWrites == [5000])
        #expect(state.roomCameBack == 1 && state.savedAtRoom == [20])
        #expect(state.allDelivered == 1)
    }

    @Test("Where nothing can be written, shipping goes on and the position is saved later")
    func fullDisk() throws {
        let entry = see()
        begin(entry)
        let batch = send(entry, 0..<10, credit: 5000)
        #expect(budget.take(stream, of: lane.destination, atLeast: 9000, atMost: 9000) == 0)
        heard.state.withLock { $0.failure = .noSpace }
        ledger.delivered([batch])
        #expect(!registry.isWritten && budget.held == 0)
        #expect(heard.state.withLock { $0.savedAtRoom } == [0])
        heard.state.withLock { $0.failure = nil }
        registry.sync()
        #expect(registry.isWritten)
        let saved = try RegistryReader.read(directory: directory.path("data")).entries
        #expect(saved.map(\.offset) == [10])
    }

    @Test("Nobody is woken who was not refused; only an empty way is reported as all delivered")
    func wakes() {
        let entry = see()
        begin(entry)
        let batches = [send(entry, 0..<10), send(entry, 10..<20)]
        ledger.delivered([batches[0]])
        #expect(heard.state.withLock { ($0.roomCameBack, $0.allDelivered) } == (0, 0))
        #expect(!budget.canTake(stream, of: lane.destination, 9_999))
        ledger.delivered([batches[1]])
        #expect(heard.state.withLock { ($0.roomCameBack, $0.allDelivered) } == (1, 1))
    }

    @Test("An entry leaves with its last delivery, and at once when nothing is on its way")
    func leaving() {
        let busy = see(1)
        let idle = see(2)
        begin(busy)
        begin(idle)
        let batches = [send(busy, 0..<10), send(busy, 10..<20)]
        ledger.leave(idle.file)
        #expect(registry.entry(idle.file) == nil)
        ledger.leave(busy.file)
        ledger.delivered([batches[0]])
        #expect(offset(busy.file) == 10)
        ledger.delivered([batches[1]])
        #expect(registry.entry(busy.file) == nil && budget.held == 0)
    }

    /// 1. A file is read to its end and closed; nothing of it is acknowledged yet.
    /// 2. Its name changes, and it is opened again. From the saved position everything would be sent
    ///    twice; it goes on behind what was sent, with the bytes before that to compare.
    /// 3. It had been about to leave; now it stays, though its last delivery comes.
    @Test("A file that is opened again goes on behind what was sent, and stays")
    func again() throws {
        let entry = see()
        #expect(begin(entry) == 0)
        let batch = send(entry, 0..<10)
        ledger.leave(entry.file)
        let (position, anchor) = ledger.begin(
            entry.file, entry.generation, at: 0, anchor: .none)
        #expect(position == 10 && anchor.bytes == Array("10".utf8))
        ledger.delivered([batch])
        #expect(offset(entry.file) == 10)
        ledger.leave(entry.file)
        #expect(registry.entry(entry.file) == nil)
    }

    @Test("A new generation begins where it is said, whatever is on its way of the old one")
    func otherGeneration() throws {
        let entry = see()
        begin(entry)
        let late = send(entry, 0..<10)
        let fresh = try #require(
            registry.truncated(entry.file, identity: entry.identity, fingerprint: .of(head: [2])))
        #expect(begin(fresh) == 0)
        ledger.delivered([late])
        #expect(offset(entry.file) == 0)
    }

    /// 1. A file's name is gone, and its last delivery comes in on the poller thread, which decides
    ///    that the entry leaves.
    /// 2. Before it has left, the reader finds the file under another name, and begins it.
    /// 3. Were the entry to leave now, what is read from now on would be saved nowhere.
    @Test("An entry that is to leave stays when its file is begun in that moment")
    func begunWhileLeaving() throws {
        let entry = see()
        begin(entry)
        let batch = send(entry, 0..<10)
        ledger.leave(entry.file)
        let begun = Mutex<LogicalOffset?>(nil)
        heard.state.withLock { state in
            state.atWrite = { [ledger] in
                let (position, _) = ledger.begin(
                    entry.file, entry.generation, at: 0, anchor: .none)
                begun.withLock { $0 = position }
            }
        }
        ledger.delivered([batch])
        #expect(begun.withLock { $0 } != nil)
        #expect(offset(entry.file) == 10 && ledger.isFollowed(entry.file))
    }

    /// 1. The poller has the last delivery of a file, and is about to save it.
    /// 2. The reader finds the file gone. By its entry the last bytes were never read.
    /// 3. They are not lost: what is delivered is known before it is saved.
    @Test("What is delivered is known before it is saved")
    func deliveredFirst() throws {
        let entry = see()
        begin(entry)
        let batch = send(entry, 0..<10)
        let seen = Mutex<(LogicalOffset?, Bool)>((nil, true))
        heard.state.withLock { state in
            state.atWrite = { [ledger] in
                let now = (ledger.delivered(entry.file), ledger.isOutstanding(entry.file))
                seen.withLock { $0 = now }
            }
        }
        ledger.delivered([batch])
        #expect(seen.withLock { $0 } == (10, false))
    }

    @Test("The size of content that was replaced, or cut back, is not taken for the new one's")
    func sizeOfOldContent() throws {
        let entry = see()
        begin(entry)
        ledger.grew(entry.file, size: 100_000)
        let fresh = try #require(
            registry.truncated(entry.file, identity: entry.identity, fingerprint: .of(head: [2])))
        begin(fresh)
        ledger.delivered([send(fresh, 0..<3000)])
        ledger.saveSizes()
        let saved = try #require(registry.entry(entry.file))
        #expect(saved.offset == 3000 && saved.size <= 3000)

        ledger.grew(entry.file, size: 100_000)
        let cut = try #require(
            registry.rewritten(
                entry.file, from: 2000, anchor: .none, fingerprint: .of(head: [2]), size: 2500))
        #expect(begin(cut) == 2000)
        ledger.saveSizes()
        #expect(registry.entry(entry.file)?.size == 2500)
    }

    /// 1. The poller has the last delivery of a file that is leaving, and is about to save it.
    /// 2. Whoever looks for files that nobody follows finds its entry with the position before that.
    /// 3. What was just delivered would be counted as lost.
    @Test("A file that leaves is followed until its last delivery is saved")
    func followedUntilSaved() throws {
        let entry = see()
        begin(entry)
        let batch = send(entry, 0..<10)
        ledger.leave(entry.file)
        let isFollowed = Mutex<Bool?>(nil)
        heard.state.withLock { state in
            state.atWrite = { [ledger] in
                let now = ledger.isFollowed(entry.file)
                isFollowed.withLock { $0 = now }
            }
        }
        ledger.delivered([batch])
        #expect(isFollowed.withLock { $0 } == true)
        #expect(registry.entry(entry.file) == nil && !ledger.isFollowed(entry.file))
    }
}
