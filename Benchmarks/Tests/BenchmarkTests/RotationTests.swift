import Foundation
import Machine
import Testing

@testable import Benchmark

/// What is measured of a log that is rotated.
@Suite(.serialized) struct RotationTests {
    private let lines = NumberedLines(seed: 1)

    private func text(_ numbers: [Int]) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in numbers { lines.append(number, to: &bytes) }
        return bytes
    }

    private func kept(
        _ bytes: [UInt8], of written: Int, cut: Int = 1_000
    ) -> KeptLines {
        var kept = KeptLines(lines, written: written)
        for begin in stride(from: 0, to: bytes.count, by: cut) {
            kept.take(bytes[begin..<min(begin + cut, bytes.count)])
        }
        kept.end()
        return kept
    }

    @Test("O1: lines that are there once, however they are cut into files, are all kept")
    func whole() {
        let bytes = text(Array(0..<600))
        for cut in [1, 97, 194, bytes.count] {
            let kept = kept(bytes, of: 600, cut: cut)
            #expect(kept.fault == nil && kept.bytes == bytes.count)
        }
    }

    @Test(
        arguments: [
            (Array(0..<5) + Array(6..<9), "1 lost"),
            (Array(0..<9) + [4], "1 twice, 1 out of order"),
            (Array(0..<6) + [5, 6, 7, 8], "1 twice"), ([0, 2, 1] + Array(3..<9), "1 out of order"),
            (Array(0..<10), "1 torn"),
        ] as [([Int], String)])
    func whatIsLostOrThereTwiceIsSeen(numbers: [Int], fault: String) {
        #expect(kept(text(numbers), of: 9).fault == "lines kept: \(fault)")
    }

    @Test func aByteThatIsGoneOrAnotherTearsItsLine() {
        let bytes = text(Array(0..<9))
        for place in [0, 5, 60, bytes.count - 2] {
            var without = bytes
            without.remove(at: place)
            #expect(kept(without, of: 9).fault == "lines kept: 1 lost, 1 torn", "\(place)")
            var other = bytes
            other[place] ^= 1
            #expect(kept(other, of: 9).lost == 1, "\(place)")
        }
        #expect(kept(bytes.dropLast(), of: 9).fault == "lines kept: 1 lost, 1 torn")
    }

    @Test func aHoleAtTheBeginningIsNoContentWhereItIsExpected() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = text(Array(0..<9))
        try OutputFile(path).append(Array(repeating: 0, count: (1 << 20) + 7) + bytes)
        var kept = KeptLines(lines, written: 9)
        try kept.take(path, hasHole: true)
        kept.end()
        #expect(kept.fault == nil && kept.bytes == bytes.count)
        var strict = KeptLines(lines, written: 9)
        try strict.take(path)
        #expect(strict.torn == 1)
    }

    @Test func archivesComeFromTheOldestOn() {
        let names = ["app.log", "app.log.2", "app.log.10", "app.log.1", "app.log.1.gz", "other.3"]
        #expect(
            KeptLines.order(names, log: "app.log") == [
                "app.log.10", "app.log.2", "app.log.1", "app.log",
            ])
    }

    /// The amounts are those that a debug build writes in about a second.
    private func measure(_ only: String, rotations: Int = 2) throws -> Call {
        try Call(
            [
                "--rotation", "--size", "1MiB", "--rotations", "\(rotations)", "--rate", "4",
                "--only", only,
            ], shipper: true)
    }

    @Test("O1: the agent's collapse loses nothing; logrotate is measured beside it")
    func measured() throws {
        let call = try measure("collapse,logrotate")
        #expect(call.code == 0, "\(call.errors)\(call.output)")
        for name in ["shipper collapse", "logrotate"] {
            let row = try #require(
                call.output.split(separator: "\n").first { $0.hasPrefix("| \(name) ") },
                "\(call.output)")
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(cells[2] == "2", "rotations: \(row)")
            let figures = cells[3...].map { Int($0.replacing(",", with: "")) ?? 0 }
            #expect(figures[0] > 5_000, "lines: \(row)")
            guard name != "logrotate" else { continue }
            #expect(figures[1] == 0 && figures[2] == 0 && figures[3] == 0, "\(row)")
            #expect(figures[4] == figures[0], "at the broker: \(row)")
        }
    }

    @Test(arguments: [
        ("drops-a-kept-line", "lines kept: 1 lost"), ("repeats-a-kept-line", "lines kept: 1 twice"),
    ])
    func aRotatorThatDropsOrRepeatsALineIsFoundOut(key: String, fault: String) throws {
        let call = try measure(key, rotations: 1)
        #expect(call.code == 1)
        #expect(call.output.contains("run 1: \(fault);"), "\(call.output)\(call.errors)")
    }

    @Test func aMethodThatTheAgentRefusesIsAbsentWithWhatItSays() throws {
        let call = try Call(["--rotation", "--only", "collapse", "--shipper", "/bin/false"])
        #expect(call.code == 70)
        #expect(
            call.errors.contains("shipper collapse: absent (refused, exit code 1: "),
            "\(call.errors)")
    }
}
