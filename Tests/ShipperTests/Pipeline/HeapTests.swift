import CAllocationCounter
import Model
import Platform
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Kafka
@testable import Shipper
@testable import Tailer

/// The path of a line from the file to the producer and of its verdict back, in the process: a real
/// reader thread, a real producer with its poller thread, a real registry. What librdkafka itself
/// allocates (its message for each record) is counted apart.
@Suite("Allocations on the way of a line", .serialized) struct HeapTests {
    /// What was allocated in one run, and for how much.
    struct Run {
        var lines = 0
        var batches = 0
        /// On the reader thread, from the first file's opening to the last byte handed over.
        var reader = 0
        /// By librdkafka on the reader thread.
        var client = 0
        /// On the poller thread, from its first released batch to the last.
        var poller = 0
    }

    private final class Seen: Sendable {
        let reader = Atomic<Int>(0)
        let client = Atomic<Int>(0)
        let poller = Atomic<Int>(-1)
        let hasEnded = Atomic(false)
    }

    @Test("The counter sees an allocation on the reader thread, and tells librdkafka's apart")
    func proof() throws {
        try #require(allocation_counter_set_client_apart() == 1)
        let seen = Seen()
        let thread = try SystemThread("counted") {
            allocation_counter_start()
            allocation_counter_probe(1000)
            seen.reader.store(Int(allocation_counter_stop()), ordering: .relaxed)
            seen.client.store(Int(allocation_counter_client_value()), ordering: .relaxed)
        }
        thread.join()
        #expect(seen.reader.load(ordering: .relaxed) == 1000)
        #expect(seen.client.load(ordering: .relaxed) == 0)
        allocation_counter_start()
        #expect(allocation_counter_stop() == 0)
    }

    /// Ships `count` lines of `length` bytes with their newline.
    private func ship(_ count: Int, length: Int, codec: String) throws -> Run {
        let directory = try TemporaryDirectory()
        let line = Array(repeating: UInt8(ascii: "x"), count: length - 1) + [UInt8(ascii: "\n")]
        var content: [UInt8] = []
        content.reserveCapacity(count * length)
        for _ in 0..<count { content += line }
        try directory.write("log/a.log", content)
        let seen = Seen()
        let rig = try StageRig(
            in: directory, paths: directory.path("log/*.log"), kafka: "    codec: \(codec)",
            released: { _ in
                if seen.poller.load(ordering: .relaxed) < 0 {
                    seen.poller.store(0, ordering: .relaxed)
                    allocation_counter_start()
                }
            },
            settled: {
                seen.poller.store(Int(allocation_counter_value()), ordering: .relaxed)
            })
        let parts = rig.parts
        let tailer = try Tailer(
            inputs: [InputPlan(rig.settings.inputs[0], rig.settings.output.kafka).tailing],
            once: true, openFiles: 100, heldBytes: 1 << 30, watches: 0,
            output: {
                allocation_counter_start()
                return ReaderOutput(parts)
            },
            ended: { error in
                seen.reader.store(Int(allocation_counter_stop()), ordering: .relaxed)
                seen.client.store(Int(allocation_counter_client_value()), ordering: .relaxed)
                if let error { Issue.record("\(error)") }
                seen.hasEnded.store(true, ordering: .releasing)
            })
        rig.calls.wake.withLock { $0 = { tailer.wake() } }
        try eventually(within: .seconds(240), "the reader ends") {
            seen.hasEnded.load(ordering: .acquiring)
        }
        try rig.waitForDelivery()
        tailer.stop()
        rig.calls.wake.withLock { $0 = nil }
        #expect(rig.close() == 0)
        #expect(rig.counters.recordsDelivered == count)
        return Run(
            lines: count, batches: rig.calls.batches.load(ordering: .relaxed),
            reader: seen.reader.load(ordering: .relaxed),
            client: seen.client.load(ordering: .relaxed),
            poller: seen.poller.load(ordering: .relaxed))
    }

    @Test("A million lines take no allocation of their own", arguments: ["json", "raw"])
    func lines(codec: String) throws {
        try #require(allocation_counter_set_client_apart() == 1)
        // The first run in a process pays for what the runtime makes once: some thousands.
        _ = try ship(2_000, length: 4_000, codec: codec)
        let runs = [
            try ship(2_000, length: 4_000, codec: codec),
            try ship(12_000, length: 4_000, codec: codec),
            try ship(100_000, length: 24, codec: codec),
            try ship(1_000_000, length: 24, codec: codec),
        ]
        let (longFew, longMany, few, million) = (runs[0], runs[1], runs[2], runs[3])
        let comment: Comment = "\(runs)"
        // Of librdkafka's own, one for each record, and a few when it opens the topic.
        for run in runs { #expect((0...64).contains(run.client - run.lines), comment) }
        // On the reader thread a batch costs a few dozen, whether it holds sixty lines or a thousand,
        // so nothing is left for the lines.
        func perBatch(_ a: Run, _ b: Run) -> Double {
            Double(b.reader - a.reader) / Double(b.batches - a.batches)
        }
        let ofBatch = perBatch(longFew, longMany)
        #expect(ofBatch < 64 && perBatch(few, million) < 64, comment)
        let ofLines =
            Double(million.reader - few.reader) - ofBatch * Double(million.batches - few.batches)
        #expect(ofLines / Double(million.lines - few.lines) < 0.01, comment)
        // The poller's depends on how many verdicts come at once, hence a bound: far fewer for a
        // batch than it has records.
        #expect(million.lines / million.batches > 300, comment)
        for run in runs { #expect(run.poller < 40 * run.batches, comment) }
    }
}
