import Platform
import TestSupport
import Testing

struct GzipWriterTests {
    @Test(arguments: [0, 1, 64 << 10, 3_000_000])
    func whatIsWrittenIsReadByZcat(count: Int) throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix(seed: 3)
        // Half of it cannot be compressed.
        let bytes = (0..<count).map { index in
            index % 2 == 0 ? UInt8.random(in: 0...255, using: &random) : 7
        }
        let path = directory.path("a.gz")
        let file = try Descriptor.open(directory.path, O.directory).makeFile(Array("a.gz".utf8))
        let writer = try GzipWriter()
        var place = 0
        while place < count {
            let end = min(count, place + Int.random(in: 1...300_000, using: &random))
            try writer.write(bytes.span.extracting(place..<end), to: file)
            place = end
        }
        try writer.finish(to: file)
        #expect(writer.taken == count)
        #expect(try zcat(path) == bytes)
    }
}
