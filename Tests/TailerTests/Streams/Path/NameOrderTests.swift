import Platform
import Testing

@testable import Tailer

@Suite("Whether the names of rotated files tell their order")
struct NameOrderTests {
    /// Of files that were rotated one after the other to these names.
    private func order(_ names: [String], times: [Int64]? = nil) throws -> Bool {
        var order = NameOrder()
        for (index, name) in names.enumerated() {
            let rotated = try #require(
                RotatedName(Array("app.log.\(name)".utf8), of: Array("app.log".utf8)))
            order.add(rotated, modified: FileTime(nanoseconds: times?[index] ?? Int64(index)))
        }
        return order.tells
    }

    @Test(
        "they do where numbers are shifted, and where dates are in the order of time",
        arguments: [
            [], ["1"], ["3", "2", "1"], ["20261127", "20261128", "20261129"],
            ["3.gz", "2.gz", "1"],
        ])
    func told(names: [String]) throws { #expect(try order(names)) }

    @Test(
        "they do not where times say otherwise",
        arguments: [
            ["1", "2"], ["1", "2", "3"], ["8", "9", "10"], ["0800", "0900", "1000"],
            ["9998", "9999", "10000"], ["20102026", "19112026"], ["3", "20261129"],
        ])
    func untold(names: [String]) throws { #expect(try !order(names)) }

    @Test("they do where times do not tell, or some were touched")
    func doubtful() throws {
        #expect(try order(["1", "2", "3"], times: [5, 5, 5]))
        #expect(try order(["4", "3", "2", "1"], times: [9, 2, 3, 4]))
        #expect(try order(["1", "2"], times: [.min, .min]))
        #expect(try !order(["1", "2"], times: [.min, .max]))
    }

    /// The kubelet compresses the log before the one that it rotates.
    @Test("dates do where a file was compressed after the next log's last line")
    func compressedLate() throws {
        let names = ["20261123-000001", "20261123-000002"]
        #expect(try order(["\(names[0]).gz", names[1]], times: [9, 5]))
        #expect(try !order([names[0], "\(names[1]).gz"], times: [9, 5]))
        #expect(try !order(["\(names[0]).gz", "\(names[1]).gz"], times: [9, 5]))
        #expect(try !order(names, times: [9, 5]))
    }

    @Test("a hundred thousand of them are not all asked")
    func many() throws {
        var order = NameOrder()
        for number in 0..<100_000 {
            let name = Array("app.log.\(number)".utf8)
            let rotated = try #require(RotatedName(name, of: Array("app.log".utf8)))
            order.add(rotated, modified: FileTime(nanoseconds: Int64(number)))
        }
        #expect(!order.tells)
    }
}
