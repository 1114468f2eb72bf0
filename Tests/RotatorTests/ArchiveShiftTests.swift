import TestSupport
import Testing

@testable import Rotator

@Suite("Numbered archives make room")
struct ArchiveShiftTests {
    private func name(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func moves(_ names: [String], keep: Int) -> [ArchiveShift.Move] {
        ArchiveShift.moves(of: name("app.log"), among: names.map(name), keep: keep)
    }

    @Test func eachMovesUpByOneAndTheLastGoes() {
        #expect(moves([], keep: 3) == [])
        #expect(
            moves(["app.log", "app.log.1"], keep: 3)
                == [.rename(name("app.log.1"), to: name("app.log.2"))])
        #expect(
            moves(["app.log.1", "app.log.3.gz", "app.log.2.gz"], keep: 3)
                == [
                    .remove(name("app.log.3.gz")),
                    .rename(name("app.log.2.gz"), to: name("app.log.3.gz")),
                    .rename(name("app.log.1"), to: name("app.log.2")),
                ])
        #expect(moves(["app.log.1"], keep: 1) == [.remove(name("app.log.1"))])
    }

    @Test func whatIsNoArchiveOfTheLogIsLeftAlone() {
        let others = [
            "app.log", "app.log.", "app.log.0", "app.log.01", "app.log.1.bak", "app.log.x",
            "app.log.1.gz.1", "app.log.12345678", "web.log.1", "app.log1", ".app.log.1",
        ]
        #expect(moves(others, keep: 1) == [])
    }

    /// 1. Of five archives the last one was removed, and two were moved. The agent is killed.
    /// 2. The next run moves what is left, as if it were a rotation of its own.
    @Test("O2: killed between any two names: the next run loses no archive")
    func killed() {
        for keep in 1...5 {
            let before = (1...keep).map { (name: name("app.log.\($0)"), content: $0) }
            let all = ArchiveShift.moves(
                of: name("app.log"), among: before.map(\.name), keep: keep)
            for kill in 0...all.count {
                var files = Dictionary(uniqueKeysWithValues: before)
                for move in all[..<kill] { carryOut(move, &files) }
                for move in ArchiveShift.moves(
                    of: name("app.log"), among: Array(files.keys), keep: keep)
                {
                    carryOut(move, &files)
                }
                #expect(files[name("app.log.1")] == nil)
                #expect(files.values.sorted() == Array(1..<keep), "keep \(keep), kill \(kill)")
            }
        }
    }

    private func carryOut(_ move: ArchiveShift.Move, _ files: inout [[UInt8]: Int]) {
        switch move {
        case .remove(let name): files[name] = nil
        case .rename(let old, let new):
            #expect(files[new] == nil, "nothing is replaced")
            files[new] = files.removeValue(forKey: old)
        }
    }
}
