import Glibc
import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("Who of the compressed files may be read at a time")
struct UnpackingShareTests {
    /// 1. A pod has many archives under way, others one small one after another.
    /// 2. The last of the many loses its place to each of those.
    @Test("however often a file loses its place, its time is a time")
    func evictions() {
        var time = UnpackingShare.firstTime
        var longest: Int64 = 0
        for _ in 0..<1_000 {
            let longer = UnpackingShare.longerTime(than: time)
            #expect(longer >= time)
            time = longer
            longest = max(longest, time)
        }
        #expect(longest == 3_600_000_000_000)
    }

    /// Frames of zstd of a megabyte of content each, one behind the other, made with these windows: 0x78
    /// stands for 32 MiB, 0x80 for 64, nil for what the program takes.
    private func frames(_ windows: [UInt8?], in home: TemporaryDirectory) throws -> [UInt8] {
        try windows.flatMap { window in
            let content = try home.write("content", String(repeating: "a line\n", count: 150_000))
            var packed = try readFile(try compress(content, .zstd, ["--no-content-size"]))
            if let window { packed[5] = window }
            return packed
        }
    }

    /// One that is known by its identity, so that nothing was read of it yet.
    private func known(
        _ number: Int, _ bytes: [UInt8], of stream: LogStream, in home: TemporaryDirectory
    ) throws -> TailedFile {
        let path = try home.write("old.\(number)", bytes)
        let descriptor = try Descriptor.open(path, O_RDONLY)
        let status = try descriptor.status()
        let candidate = try Candidate(
            .init(
                stream: stream, name: Array("old.\(number)".utf8), path: path, isArchived: true,
                mayBePacked: true),
            descriptor, status,
            FileIdentity(handle: nil, device: 1, inode: status.inode, birth: 1), isKnown: true,
            once: false, Stillness())
        let file = TailedFile(
            candidate,
            FileStart(
                file: FileID(number: number), offset: 0, base: 0, anchor: .none, isKnown: true,
                size: 1),
            anchor: [])
        #expect(file.packed?.windowSize == 0)
        return file
    }

    /// 1. What an archive takes to read stands in its first bytes. Of one that is known nobody has read them.
    /// 2. Each would be let in beside others as if it took nothing.
    @Test(
        "Together they have no more than their share, though what one takes is known late; all are read",
        arguments: [
            [[0x78], [0x80], [0x78]], [[0x80], [0x80]], [[nil, 0x80], [0x78]],
            [[nil], [0x78], [nil, nil, 0x78, 0x80], [nil]],
        ] as [[[UInt8?]]])
    func unknownWindows(files windows: [[UInt8?]]) throws {
        let bench = try ParkingBench(mostOpen: 10)
        try bench.write("a.log", "line\n")
        try bench.look()
        let stream = try #require(bench.streams.first)
        let files = try windows.enumerated().map { number, windows in
            try known(number + 1, frames(windows, in: bench.home), of: stream, in: bench.home)
        }
        let share = UnpackingShare()
        var buffer: [UInt8] = Array(repeating: 0, count: 1 << 16)
        var now = MonotonicTime.zero
        var positions = [Int](repeating: 0, count: files.count)
        var left = Set(files.indices)
        while !left.isEmpty, now < 1_000_000_000_000 {
            for index in left.sorted() {
                now += 100_000_000
                let isAdmitted = share.admit(files[index], now)
                let active = files.compactMap(\.packed).filter(\.isActive)
                let memory = active.reduce(0) { $0 + $1.windowSize }
                #expect(active.count <= 1 || memory <= 64 << 20, "\(memory >> 20) MiB")
                guard isAdmitted else { continue }
                let packed = try #require(files[index].packed)
                let count = try packed.read(
                    into: &buffer, count: buffer.count, at: positions[index], budget: 1 << 18,
                    in: files[index].opened().descriptor)
                positions[index] += count ?? 0
                if count == 0 { left.remove(index) }
            }
        }
        #expect(positions == windows.map { $0.count * 1_050_000 })
    }
}
