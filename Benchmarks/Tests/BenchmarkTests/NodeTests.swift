import Foundation
import Machine
import Testing

@testable import Benchmark

/// What is measured at the rate of a node, without the agent.
@Suite struct NodeTests {
    @Test func theAuditNamesTheLinesThatDidNotComeOnce() {
        var audit = Audit(lines: 10)
        for number in [0, 1, 2, 3, 4, 6, 7, 8, 9] { audit.note(arrival(number)) }
        audit.note(arrival(3))
        #expect(audit.records == 10 && audit.arrived == 9)
        #expect(
            audit.fault { "line \($0)" } == "1 missing: line 5; 1 more than once: line 3")
        audit.note(arrival(5))
        #expect(audit.fault { "line \($0)" } == "1 more than once: line 3")
    }

    @Test func theAuditNamesTheFirstOfMany() {
        var audit = Audit(lines: 2_000)
        audit.note(arrival(1))
        audit.note(arrival(2_000))
        #expect(
            audit.fault { "#\($0)" }
                == "1,999 missing: #0, #2, #3, #4, #5 and 1,994 more; 1 that nobody wrote")
    }

    @Test func theAgeOfALineIsThatOfItsFirstRecord() {
        var audit = Audit(lines: 4)
        for (number, age) in [(3, 40), (0, 10), (2, 30), (3, 99)] as [(Int, Int64)] {
            audit.note(arrival(number, age))
        }
        #expect(audit.ages(of: 1..<4) == [30, 40])
    }

    @Test func everyContenderGetsTheSameLinesInTheSameFiles() throws {
        func write() throws -> [[Substring]] {
            let root = FileManager.default.temporaryDirectory
                .appending(path: "trickle-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: root) }
            let paths = (0..<3).map { root.appending(path: "\($0).log").path }
            let trickle = try Trickle(paths: paths, lines: 60, aSecond: 10_000, seed: 1)
            try trickle.start().join()
            #expect(trickle.fault == nil && trickle.progress.lines == 60)
            let texts = try paths.map { try String(contentsOfFile: $0, encoding: .utf8) }
            #expect(trickle.progress.bytes == texts.reduce(0) { $0 + $1.utf8.count })
            // Without "written=" and the time.
            return texts.map { $0.split(separator: "\n").map { $0.dropFirst(28) } }
        }
        let first = try write()
        #expect(try write() == first)
        #expect(first.allSatisfy { !$0.isEmpty })
        let numbers = first.joined().map { String($0.prefix(16)) }.sorted()
        #expect(numbers.first == " line=0000000000" && Set(numbers).count == 60)
    }

    private func arrival(_ number: Int, _ age: Int64 = 1) -> StampedConsumer.Arrival {
        StampedConsumer.Arrival(age: age, number: number)
    }
}
