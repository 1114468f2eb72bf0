import TestSupport
import Testing

@testable import Platform

@Suite("The content of a gzip file")
struct GzipReaderTests {
    private let home: TemporaryDirectory

    init() throws { home = try TemporaryDirectory() }

    /// Compresses with the real gzip.
    private func pack(_ bytes: [UInt8]) throws -> String {
        let path = try home.write("content", bytes)
        let gzip = try ChildProcess(try findProgram("gzip", package: "gzip"), ["-f", path])
        #expect(try gzip.wait() == .code(0), "\(gzip.errors)")
        return path + ".gz"
    }

    private func read(
        _ path: String, from offset: Int = 0, chunk: Int = 10_000
    ) throws -> (bytes: [UInt8], reader: GzipReader) {
        let file = try Descriptor.open(path, O.read)
        let reader = try GzipReader(file, size: try file.status().size)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: chunk)
        while true {
            let count = try reader.read(into: &buffer, at: offset + bytes.count, in: file)
            if count == 0 { return (bytes, reader) }
            bytes += buffer.prefix(count)
        }
    }

    private func content(_ count: Int) -> [UInt8] {
        var random = SplitMix(seed: 7)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() % 23) + 65 }
    }

    @Test("is what was compressed, from any offset, and its size is known in advance")
    func roundTrip() throws {
        let expected = content(1_000_003)
        let path = try pack(expected)
        let file = try Descriptor.open(path, O.read)
        let reader = try GzipReader(file, size: try file.status().size)
        #expect(reader.size == expected.count && !reader.isAtEnd)
        #expect(try read(path).bytes == expected)
        #expect(try read(path, from: 777_777, chunk: 64).bytes == Array(expected[777_777...]))
        #expect(try read(path).reader.fault == nil)
    }

    @Test("has its exact size once it is produced, also where only a part was asked for")
    func exactSize() throws {
        for count in [0, 2, 1024, 60_000] {
            let path = try pack(content(count))
            let file = try Descriptor.open(path, O.read)
            let reader = try GzipReader(file, size: try file.status().size)
            var head = [UInt8](repeating: 0, count: 1024)
            #expect(try reader.read(into: &head, at: 0, in: file) == min(count, 1024))
            #expect(reader.size == count && reader.isAtEnd)
        }
    }

    @Test("is read again from an earlier offset")
    func again() throws {
        let expected = content(300_000)
        let path = try pack(expected)
        let file = try Descriptor.open(path, O.read)
        let reader = try GzipReader(file, size: try file.status().size)
        var buffer = [UInt8](repeating: 0, count: 1000)
        for offset in [0, 100, 250_000, 250_000, 250_500, 10, 299_990] {
            let count = try reader.read(into: &buffer, at: offset, in: file)
            #expect(Array(buffer.prefix(count)) == Array(expected[offset...].prefix(1000)))
        }
    }

    @Test("goes to a far offset in steps")
    func steps() throws {
        let path = try pack(content(2_000_000))
        let file = try Descriptor.open(path, O.read)
        let reader = try GzipReader(file, size: try file.status().size)
        var calls = 1
        while try !reader.advance(to: 1_900_000, budget: 100_000, in: file) { calls += 1 }
        #expect((10...20).contains(calls))
    }

    @Test("of several members is that of all, and what pads them is nothing")
    func members() throws {
        let first = content(100_000)
        var bytes = try readFile(try pack(first))
        bytes += try readFile(try pack([65, 66]))
        bytes += [0, 0, 0, 0]
        let both = try read(try home.write("both", bytes))
        #expect(both.bytes == first + [65, 66])
        #expect(both.reader.isAtEnd && both.reader.fault == nil)
        #expect(both.reader.size == first.count + 2)
    }

    @Test("ends with a fault where the file was cut or a byte is wrong, and nothing traps")
    func damaged() throws {
        let expected = content(200_000)
        let whole = try readFile(try pack(expected))
        let cut = try read(try home.write("cut", Array(whole.prefix(whole.count / 2))))
        #expect(cut.reader.fault != nil && cut.reader.isAtEnd)
        #expect(expected.starts(with: cut.bytes) && cut.bytes.count > 10_000)
        var random = SplitMix(seed: 3)
        for _ in 0..<200 {
            var bytes = whole
            let place = Int(random.next() % UInt64(bytes.count))
            bytes[place] ^= UInt8(1 << (random.next() % 8))
            let read = try read(try home.write("flipped", bytes))
            #expect(read.reader.isAtEnd)
        }
        #expect(!GzipReader.isGzip([0x1F, 0x8B]))
        #expect(!GzipReader.isGzip(Array("plain".utf8)))
    }
}
