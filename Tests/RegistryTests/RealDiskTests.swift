import Model
import Platform
import TestSupport
import Testing

@testable import Registry

/// R3 with the kernel's own errors, in processes of their own. What each tells and does is the same.
@Suite("A disk that gives out") struct RealDiskTests {
    /// A registry with positions, then `fault`, 2,000 more advances, and the fault's end.
    private static func outage(
        _ data: Data, fault: (Data) throws -> Void, end: (Data) throws -> Void
    ) throws {
        let recorder = Recorder()
        let registry = try data.open(recorder)
        let entries = (UInt64(1)...20).map { registry.see(.sample($0)) }
        for entry in entries { registry.advance(entry, to: 1) }
        registry.sync()
        try #require(registry.health.failure == nil)
        try fault(data)
        for round in 2...2000 {
            registry.advance(entries[round % 20], to: LogicalOffset(round))
            if round % 100 == 0 {
                registry.sync()
                registry.compactIfDue()
            }
        }
        registry.compact()
        // Told once, known to whoever asks, and every position is in memory.
        try #require(recorder.failures.count == 1 && recorder.recoveries == 0)
        let failure = try #require(registry.health.failure)
        try #require("\(failure)".contains("shipping goes on"))
        try #require(registry.entries().map(\.offset).max() == 2000)
        // What a kill leaves now is whole but for a tail, and true.
        let killed = try RegistryReader.read(directory: data.path)
        try #require(killed.summary.damagedCount == 0 && killed.entries.count == 20)
        for (now, then) in zip(registry.entries(), killed.entries) {
            try #require(then.offset >= 1 && then.offset <= now.offset)
        }
        try end(data)
        registry.sync()
        try #require(registry.health.failure == nil && registry.isWritten)
        try #require(recorder.failures.count == 1 && recorder.recoveries == 1)
        let expected = registry.entries()
        registry.close()
        let after = try data.open()
        try #require(after.recovery.isWhole && after.entries() == expected)
        after.close()
    }

    @Test(
        "R3: a full file system: one alarm, positions in memory, and saved when there is space",
        .enabled(if: PrivateMounts.permitted, "\(PrivateMounts.needed)"))
    func full() async {
        await #expect(processExitsWith: .success) {
            try #require(try PrivateMounts.begin())
            let data = try Data()
            _ = try data.temporary.makeDirectory("data")
            try PrivateMounts.mount(data.path, bytes: 256 << 10)
            try Self.outage(data) { data in
                // To the last byte, whatever a page holds.
                var size = 1 << 20
                while size > 0 {
                    do {
                        try appendBytes([UInt8](repeating: 7, count: size), to: data.path + "/fill")
                    } catch {
                        size /= 2
                    }
                }
            } end: { data in
                try remove(data.path + "/fill")
            }
        }
    }

    @Test("R3: the right to write in the directory is lost: the same, from the next compaction on")
    func permission() async {
        await #expect(processExitsWith: .success) {
            let data = try Data()
            let isRoot = act(as: 65534)
            defer { _ = act(as: 0) }
            if isRoot {
                _ = act(as: 0)
                try setMode(data.temporary.path, 0o777)
                _ = act(as: 65534)
            }
            try Self.outage(data) { data in
                try setMode(data.path + "/registry", 0o500)
            } end: { data in
                try setMode(data.path + "/registry", 0o700)
            }
        }
    }
}
