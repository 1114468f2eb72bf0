import TestSupport
import Testing

@testable import Platform

/// The compressors that can be read, with the real programs.
private let readable: [Compression] = [.gzip, .xz, .zstd, .bzip2]

@Suite("The content of a compressed file")
struct DecompressorTests {
    private let home: TemporaryDirectory

    init() throws { home = try TemporaryDirectory() }

    /// Compresses with the real program.
    private func pack(
        _ bytes: [UInt8], _ compression: Compression = .gzip, _ options: [String] = []
    ) throws -> String {
        let path = try home.write("content", bytes)
        return try compress(path, compression, options)
    }

    private func read(
        _ path: String, _ compression: Compression = .gzip, from offset: Int = 0,
        chunk: Int = 10_000, isWhole: Bool = true
    ) throws -> (bytes: [UInt8], reader: Decompressor) {
        let file = try Descriptor.open(path, O.read)
        let reader = Decompressor(compression, isWhole: isWhole)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: chunk)
        while true {
            guard
                let count = try reader.read(
                    into: &buffer, count: chunk, at: offset + bytes.count, budget: 1 << 20, in: file
                )
            else { continue }
            if count == 0 { return (bytes, reader) }
            bytes += buffer.prefix(count)
        }
    }

    private func content(_ count: Int) -> [UInt8] {
        var random = SplitMix(seed: 7)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() % 23) + 65 }
    }

    @Test("is what was compressed, from any offset, whoever compressed it", arguments: readable)
    func roundTrip(_ compression: Compression) throws {
        let expected = content(400_003)
        let path = try pack(expected, compression)
        #expect(Compression(head: Array(try readFile(path).prefix(16))) == compression)
        let all = try read(path, compression)
        #expect(all.bytes == expected && all.reader.fault == nil && all.reader.isAtEnd)
        #expect(
            try read(path, compression, from: 377_777, chunk: 64).bytes
                == Array(expected[377_777...]))
    }

    @Test(
        "has at least a byte more than was produced until its end is reached", arguments: readable)
    func size(_ compression: Compression) throws {
        let expected = content(300_000)
        let path = try pack(expected, compression)
        let file = try Descriptor.open(path, O.read)
        let reader = Decompressor(compression)
        var buffer = [UInt8](repeating: 0, count: 1024)
        #expect(reader.size == 1 && !reader.isAtEnd)
        for place in [0, 1_000, 150_000] {
            let count = try reader.read(
                into: &buffer, count: 1024, at: place, budget: .max, in: file)
            #expect(count == 1024 && !reader.isAtEnd)
            #expect(reader.size > place + 1024 && reader.size <= expected.count)
        }
        #expect(
            try reader.read(into: &buffer, count: 1024, at: 400_000, budget: .max, in: file) == 0)
        #expect(reader.size == expected.count && reader.isAtEnd)
        // What is known stays known when it is read again.
        reader.release()
        #expect(try reader.read(into: &buffer, count: 10, at: 0, budget: .max, in: file) == 10)
        #expect(reader.size == expected.count)
    }

    @Test("without a byte has none, and of few has them all at once", arguments: readable)
    func few(_ compression: Compression) throws {
        for count in [0, 2, 1024, 60_000] {
            let all = try read(try pack(content(count), compression), compression)
            #expect(all.bytes == content(count) && all.reader.size == count)
        }
    }

    @Test("is read again from an earlier offset")
    func again() throws {
        let expected = content(300_000)
        let path = try pack(expected)
        let file = try Descriptor.open(path, O.read)
        let reader = Decompressor(.gzip)
        var buffer = [UInt8](repeating: 0, count: 1000)
        for offset in [0, 100, 250_000, 250_000, 250_500, 10, 299_990] {
            let count = try #require(
                try reader.read(into: &buffer, count: 1000, at: offset, budget: .max, in: file))
            #expect(Array(buffer.prefix(count)) == Array(expected[offset...].prefix(1000)))
        }
    }

    @Test("is gone through in steps: what few bytes become, and many that become nothing")
    func steps() throws {
        func steps(_ path: String, to offset: Int) throws -> Int {
            let file = try Descriptor.open(path, O.read)
            let reader = Decompressor(.gzip)
            var buffer = [UInt8](repeating: 0, count: 10)
            var steps = 1
            while try reader.read(into: &buffer, count: 10, at: offset, budget: 100_000, in: file)
                == nil
            {
                steps += 1
            }
            return steps
        }
        let zeros = try pack([UInt8](repeating: 0, count: 20_000_000))
        #expect(try (100...210).contains(steps(zeros, to: 19_999_990)))
        let one = try readFile(try pack([65]))
        let padded = try home.write("padded", one + [UInt8](repeating: 0, count: 5_000_000))
        #expect(try (30...80).contains(steps(padded, to: 1)))
        let empty = try readFile(try pack([]))
        let members = try home.write(
            "members", Array([[UInt8]](repeating: empty, count: 50_000).joined()))
        #expect(try steps(members, to: 1) > 5)
    }

    @Test(
        "of several members is that of all, and zeros behind them are nothing", arguments: readable)
    func members(_ compression: Compression) throws {
        let first = content(100_000)
        var bytes = try readFile(try pack(first, compression))
        bytes += try readFile(try pack([65, 66], compression))
        bytes += try readFile(try pack([], compression))
        bytes += [UInt8](repeating: 0, count: 100_000)
        let all = try read(try home.write("both", bytes), compression)
        #expect(all.bytes == first + [65, 66])
        #expect(all.reader.isAtEnd && all.reader.fault == nil)
        #expect(all.reader.size == first.count + 2)
    }

    @Test("says so where something else stands behind it", arguments: readable)
    func garbage(_ compression: Compression) throws {
        let bytes = try readFile(try pack(content(1_000), compression)) + Array("a line\n".utf8)
        let all = try read(try home.write("garbage", bytes), compression)
        #expect(all.bytes == content(1_000))
        #expect(all.reader.fault?.hasSuffix("is not compressed") == true)
    }

    @Test(
        "ends with a fault where the file was cut or a byte is wrong, and nothing traps",
        arguments: readable)
    func damaged(_ compression: Compression) throws {
        let expected = content(200_000)
        let whole = try readFile(try pack(expected, compression))
        let cut = try read(
            try home.write("cut", Array(whole.prefix(whole.count - 20))), compression)
        #expect(cut.reader.fault != nil && cut.reader.isAtEnd)
        #expect(expected.starts(with: cut.bytes))
        // bzip2 makes blocks of 900,000 bytes, and of the cut one there is nothing to be had.
        #expect(compression == .bzip2 || cut.bytes.count > 10_000)
        var random = SplitMix(seed: 3)
        for _ in 0..<100 {
            var bytes = whole
            let place = Int(random.next() % UInt64(bytes.count))
            bytes[place] ^= UInt8(1 << (random.next() % 8))
            #expect(try read(try home.write("flipped", bytes), compression).reader.isAtEnd)
        }
    }

    @Test("with a wrong checksum is all there, and has a fault")
    func checksum() throws {
        var bytes = try readFile(try pack(content(5_000)))
        bytes[bytes.count - 6] ^= 1
        let all = try read(try home.write("wrong", bytes))
        #expect(all.bytes == content(5_000) && all.reader.fault != nil)
    }

    @Test("that is being written is waited for", arguments: readable)
    func growing(_ compression: Compression) throws {
        let expected = content(150_000)
        let whole = try readFile(try pack(expected, compression))
        let path = try home.write("growing", Array(whole.prefix(whole.count / 2)))
        let file = try Descriptor.open(path, O.read)
        let reader = Decompressor(compression, isWhole: false)
        var buffer = [UInt8](repeating: 0, count: expected.count)
        let half = try #require(
            try reader.read(into: &buffer, count: buffer.count, at: 0, budget: .max, in: file))
        #expect(half < expected.count && expected.starts(with: buffer.prefix(half)))
        #expect(reader.isWaiting && !reader.isAtEnd && reader.size == half)
        _ = try home.write("growing", whole)
        #expect(reader.look(size: whole.count) && !reader.isWaiting)
        #expect(
            try reader.read(into: &buffer, count: buffer.count, at: 0, budget: .max, in: file)
                == expected.count)
        #expect(buffer == expected)
        // Another member may follow.
        #expect(
            try reader.read(into: &buffer, count: 1, at: expected.count, budget: .max, in: file)
                == 0)
        #expect(reader.isWaiting)
        reader.isWhole = true
        #expect(
            try reader.read(into: &buffer, count: 1, at: expected.count, budget: .max, in: file)
                == 0)
        #expect(reader.isAtEnd && reader.fault == nil && !reader.look(size: 10))
    }

    @Test(
        "that is being written is known to have nothing new without its memory", arguments: readable
    )
    func released(_ compression: Compression) throws {
        let expected = content(150_000)
        let whole = try readFile(try pack(expected, compression))
        let (half, more) = (whole.count / 2, whole.count / 2 + 10)
        let path = try home.write("growing", Array(whole.prefix(half)))
        let file = try Descriptor.open(path, O.read)
        let reader = Decompressor(compression, isWhole: false)
        var buffer = [UInt8](repeating: 0, count: expected.count)
        func readAll(from offset: Int) throws -> Int? {
            try reader.read(
                into: &buffer, count: buffer.count, at: offset, budget: .max, in: file)
        }
        let known = try #require(try readAll(from: 0))
        reader.release()
        #expect(reader.look(size: half) && reader.isWaiting && reader.size == known)
        #expect(!reader.isActive)
        // What it has is there all the same.
        #expect(try readAll(from: 0) == known)
        reader.release()
        // Less than was read of it is another content.
        #expect(!reader.look(size: half - 1))
        _ = try home.write("growing", Array(whole.prefix(more)))
        #expect(reader.look(size: more) && !reader.isWaiting && reader.size == known + 1)
        _ = try readAll(from: known)
        _ = try home.write("growing", whole)
        reader.release()
        #expect(reader.look(size: whole.count))
        #expect(try readAll(from: 0) == expected.count)
        #expect(buffer == expected)
        reader.release()
        reader.isWhole = true
        #expect(!reader.isWaiting && !reader.isAtEnd)
        #expect(try readAll(from: expected.count) == 0)
        #expect(reader.isAtEnd && reader.size == expected.count && reader.fault == nil)
    }

    @Test("made with the largest window that fits into the agent's memory is read")
    func largeWindows() throws {
        let expected = content(3_000_000)
        #expect(try read(try pack(expected, .xz, ["-9", "-T1"]), .xz).bytes == expected)
        let window = try zstd(expected, window: 0x80)
        #expect(try read(window, .zstd).bytes == expected)
        #expect(try read(try pack(expected, .bzip2, ["-9"]), .bzip2).bytes == expected)
    }

    @Test("made with a larger one is refused, and it is said what it would take")
    func tooLarge() throws {
        let expected = content(300_000)
        for (path, compression, needed) in [
            (try zstd(expected, window: 0x88), Compression.zstd, 128),
            (try pack(expected, .xz, ["--lzma2=dict=96MiB"]), .xz, 97),
        ] {
            let all = try read(path, compression)
            #expect(all.bytes.isEmpty && all.reader.isAtEnd && !all.reader.isActive)
            #expect(
                all.reader.fault
                    == "reading it takes \(needed) MiB of memory, and one file may have 68")
        }
    }

    /// As if it had been made with a window of that descriptor: 0x80 stands for 64 MiB, 0x88 for 128. The
    /// program takes no larger one than a file has bytes.
    private func zstd(_ bytes: [UInt8], window: UInt8) throws -> String {
        let path = try pack(bytes, .zstd, ["--no-content-size"])
        var packed = try readFile(path)
        packed[5] = window
        return try home.write("window", packed)
    }
}

@Suite("What it takes to read a frame of zstd")
struct ZstdFrameTests {
    @Test("is told by its header, and nothing that is cut or forged traps")
    func window() {
        let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
        func window(_ bytes: UInt8...) -> Int? { ZstdFrame.window(of: magic + bytes) }
        #expect(window(0x00, 0x88, 0) == 128 << 20)
        #expect(window(0x00, 0x00, 0) == 1 << 10)
        #expect(window(0x00, 0x81, 0) == (64 << 20) + (8 << 20))
        #expect(window(0x00, 0xFF, 0) == (1 << 41) + 7 * (1 << 38))
        // One segment, with content sizes of 1, 4 and 8 bytes, and an id of a dictionary.
        #expect(window(0x20, 7) == 7)
        #expect(window(0xA0, 0, 0, 0, 16) == 256 << 20)
        #expect(window(0xA1, 9, 1, 0, 0, 0) == 1)
        #expect(
            window(0xE0, 255, 255, 255, 255, 255, 255, 255, 255) == Int(OutsideNumber.most))
        for count in 0..<5 { #expect(ZstdFrame.window(of: Array(magic.prefix(count))) == nil) }
        #expect(window(0xA0, 1) == nil)
    }
}

@Suite("What first bytes say of a file's compression")
struct CompressionTests {
    @Test("no text, and nothing too short, is taken for compressed")
    func text() {
        #expect(Compression(head: [0x1F, 0x8B]) == nil)
        #expect(Compression(head: []) == nil)
        for text in ["plain", "BZh9 is a name", "PK", "LZIP line", "Rar!", "7z", "(a line)", "]"] {
            #expect(Compression(head: Array("\(text) and more of it\n".utf8)) == nil)
        }
    }

    @Test("what cannot be read is told apart from text")
    func others() {
        func of(_ bytes: [UInt8]) -> Compression? {
            Compression(head: bytes + [UInt8](repeating: 0, count: 8))
        }
        #expect(of([0x04, 0x22, 0x4D, 0x18]) == .lz4)
        #expect(of([0x1F, 0x9D, 0x90]) == .compress)
        #expect(of([0x5D, 0, 0, 0x80, 0] + [UInt8](repeating: 0xFF, count: 8)) == .lzma)
        #expect(of([0x50, 0x4B, 3, 4]) == .zip)
        #expect(of([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) == .sevenZip)
        #expect(Compression.allCases.allSatisfy { readable.contains($0) == $0.isReadable })
    }
}
