import CAllocationCounter
import Model
import Platform
import TestSupport
import Testing

@testable import Registry
@testable import Shipper
@testable import Tailer

/// Review 9. Each of a node's hundred thousand files has an entry and a place in each table for as
/// long as it is there: what one of them takes, the process takes a hundred thousand times.
@Suite("What one file more takes of memory", .serialized) struct BytesOfFileTests {
    /// Arrays are nearly full then: what they have room for is nothing that one file takes.
    private static let count = 32_000

    private func bytes(of body: () throws -> Void) rethrows -> Int {
        allocation_counter_start()
        do { defer { _ = allocation_counter_stop() }; try body() }
        return Int(allocation_counter_held()) / Self.count
    }

    @Test("The counter sees what is kept, and not what was given back")
    func proof() {
        var kept: [[UInt8]] = []
        kept.reserveCapacity(Self.count)
        let all = bytes { for _ in 0..<Self.count { kept.append(Array(repeating: 1, count: 96)) } }
        #expect(all == 144)
        #expect(bytes { for _ in 0..<Self.count { _ = Array(kept[0].reversed()) } } == 0)
    }

    @Test("Its entry: at most 456 bytes with its path, its identity and its place in each index")
    func entry() {
        var table = EntryTable()
        let each = bytes {
            for number in 1...Self.count {
                let path = "/data/logs/shop/orders-\(number + 100_000)/log/app.log"
                table.put(
                    FileEntry(
                        file: FileID(number: number), input: "pods", stream: path, path: path + "",
                        identity: FileIdentity(
                            handle: [0, 0, 0, 1] + (0..<8).map { UInt8(truncatingIfNeeded: $0) },
                            device: 1, inode: UInt64(number), birth: Int64(number)),
                        fingerprint: .of(head: Array("line \(number)\n".utf8)),
                        generation: GenerationID(value: UInt64(number)), generationCount: 0,
                        base: .none, offset: 0, anchor: .none, size: 0, state: .active,
                        updated: Timestamp(milliseconds: 0)))
            }
        }
        #expect(table.count == Self.count)
        #expect(each <= 456, "\(each) bytes each")
    }

    @Test("Its place among what is on its way: at most 110 bytes when all of it is delivered")
    func tracked() {
        var tracker = AckTracker()
        let each = bytes {
            for number in 1...Self.count {
                let (file, generation) = (FileID(number: number), GenerationID(value: 7))
                tracker.begin(file, generation, at: 0)
                tracker.sent(file, generation, ByteRange(start: 0, end: 10))
                tracker.note(file, size: PhysicalOffset(10))
                #expect(tracker.delivered(file, generation, ByteRange(start: 0, end: 10)) == 10)
            }
        }
        #expect(tracker.sizes.count == Self.count)
        #expect(each <= 110, "\(each) bytes each")
    }
}
