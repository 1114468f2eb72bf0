import Foundation
import Machine
import Testing

@testable import Benchmark

@Suite struct FigureTests {
    @Test func theMedianIsTheMiddleOrTheMeanOfTheMiddleTwo() throws {
        #expect(Spread([]) == nil)
        let odd = try #require(Spread([5, 1, 3]))
        #expect(odd.median == 3 && odd.least == 1 && odd.greatest == 5)
        #expect(try #require(Spread([4, 1, 3, 2])).median == 2.5)
    }

    @Test func aPercentileIsAValueThatWasMeasured() {
        let values = (1...1_000).map(Int64.init)
        #expect(Spread.percentile(0.5, of: values) == 500)
        #expect(Spread.percentile(0.999, of: values) == 999)
        #expect(Spread.percentile(1, of: values) == 1_000)
        #expect(Spread.percentile(0.99, of: [7]) == 7)
    }

    @Test(arguments: [
        (0.0123, "0.0123"), (1.005, "1.00"), (9.999, "10.00"), (12.34, "12.3"), (1_234.5, "1,235"),
        (1_234_567.0, "1,234,567"), (0, "0.0000"),
    ])
    func numbersAreShort(value: Double, text: String) {
        #expect(Number.short(value) == text)
    }

    @Test(arguments: [
        ("1GB", 1_000_000_000), ("64MiB", 67_108_864), ("20 KB", 20_000), ("7", 7), ("0", nil),
        ("-1", nil), ("1.5GB", nil), ("1XB", nil), ("99999999999999999999", nil),
        ("9999999999999GB", nil),
    ])
    func sizesAreUnderstood(text: String, bytes: Int?) {
        #expect(Number.bytes(text) == bytes)
    }

    @Test func theCorpusIsTheSameForASeedAnd194BytesALine() throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "corpus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        func write(_ name: String, _ seed: UInt64) throws -> (Corpus, Data) {
            let path = directory.appending(path: name)
            let corpus = try Corpus.write(to: path.path, bytes: 1_000_000, seed: seed)
            return (corpus, try Data(contentsOf: path))
        }
        let (first, bytes) = try write("first", 1)
        #expect(try write("again", 1).1 == bytes)
        #expect(try write("other", 2).1 != bytes)
        #expect(first.bytes == bytes.count && bytes.count >= 1_000_000)
        #expect(first.lines == bytes.count { $0 == 0x0A } && bytes.last == 0x0A)
        let mean = Double(first.bytes) / Double(first.lines)
        #expect(abs(mean - 194) < 2, "\(mean)")
    }

    @Test func whatJSONQuotesIsReadBackAsItWas() throws {
        let text = "a \"b\" \\ \n\t\u{1} ä 💧"
        let json = JSON.object([("x", .list([.text(text), .null, .number(.infinity, 2)]))])
        let value = try JSONSerialization.jsonObject(with: Data(json.text().utf8))
        let list = try #require((value as? [String: Any])?["x"] as? [Any])
        #expect(list[0] as? String == text)
        #expect(list[1] is NSNull && list[2] is NSNull)
    }
}
