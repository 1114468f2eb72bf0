import Glibc
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("What a processor of svlogd's makes of a log", .overBases)
struct SvlogdProcessorTests {
    enum Processor: CaseIterable { case compresses, copies, changes }

    private let bench: ParkingBench

    init() throws { bench = try ParkingBench(mostOpen: 100) }

    private func path(_ name: String) -> String { bench.home.path("log/\(name)") }

    private func settle() throws {
        for _ in 0..<2 {
            _ = bench.table.look(try DirectoryLook(bench.node, now: bench.now))
            bench.readAll()
        }
    }

    /// Step by step what svlogd does, with looks after some of the steps. Between two of them both names are
    /// there: what is read, and what was made of it.
    private func rotate(
        _ round: Int, _ text: String, _ processor: Processor, seen: Int
    ) throws {
        var step = 0
        func look() throws {
            if seen & 1 << step != 0 { try settle() }
            step += 1
        }
        let label = "@400000006b03bb00000000\(10 + round)"
        try rename(path("current"), path("\(label).u"))
        try bench.write("current", "")
        try look()
        try bench.write("\(label).t", "")
        try look()
        switch processor {
        case .compresses:
            let content = try bench.home.write("content", text)
            try bench.home.write("log/\(label).t", try readFile(compress(content, .gzip)))
        case .copies: try bench.write("\(label).t", text)
        case .changes: try bench.write("\(label).t", "changed\n")
        }
        try rename(path("\(label).t"), path("\(label).s"))
        try bench.write("state", "")
        try look()
        try remove(path("\(label).u"))
        try look()
    }

    @Test(
        "is not shipped where its lines were read, whenever that is looked at",
        arguments: Processor.allCases, [0b0001, 0b0010, 0b0100, 0b0101, 0b1001, 0b1100, 0b1111])
    func processed(_ processor: Processor, seen: Int) throws {
        var expected: [String] = []
        try bench.write("current", "")
        for round in 0..<4 {
            let lines = (0..<20).map { "round \(round), line \($0)" }
            let text = lines.joined(separator: "\n") + "\n"
            try bench.home.append("log/current", text)
            // Read in part, or to its end.
            try settle()
            expected += lines
            try rotate(round, text, processor, seen: seen)
        }
        for _ in 0..<2 { try settle() }
        #expect(bench.output.texts() == expected)
        #expect(bench.lost.isEmpty)
        #expect(bench.streams.count == 1)
    }
}
