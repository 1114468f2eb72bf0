import Model
import Platform
import TestSupport
import Testing

@testable import Tailer

@Suite("What is remembered of a file's lines")
struct LandmarksTests {
    private var landmarks = Landmarks()

    private func mark(_ offset: Int) -> Landmarks.Mark {
        Landmarks.Mark(offset: LogicalOffset(offset), digest: UInt64(offset))
    }

    private var lines: [Int] { landmarks.lines.map(\.offset.bytes) }
    private var spread: [Int] { landmarks.spread.map(\.offset.bytes) }

    @Test("the last eight lines, oldest first, each with its own bytes")
    mutating func lastLines() {
        for number in 1...100 { landmarks.add(line: mark(number)) }
        #expect(lines == Array(93...100))
        #expect(landmarks.lines.allSatisfy { $0.digest == UInt64($0.offset.bytes) })
    }

    @Test("a line that is read again is remembered once, and none that lies before")
    mutating func again() {
        for offset in [5, 9, 9, 7, 12] { landmarks.add(line: mark(offset)) }
        #expect(lines == [5, 9, 12])
    }

    @Test("places from the beginning on are due twice as far each time, to the largest file's end")
    mutating func due() {
        var places: [Int] = []
        while let next = landmarks.nextDue, places.count < 1_000 {
            places.append(next.bytes)
            landmarks.add(spread: mark(next.bytes))
        }
        #expect(places.first == 1024)
        #expect(zip(places, places.dropFirst()).allSatisfy { $1 == 2 * $0 })
        #expect(places.last == OutsideNumber.most)
        #expect(landmarks.nextDue == nil)
    }

    @Test("of bytes that are not what they were nothing is remembered, and all before them is")
    mutating func forgotten() {
        for offset in [1024, 2048, 4096, 9000] { landmarks.add(spread: mark(offset)) }
        for offset in [4000, 4096, 5000] { landmarks.add(line: mark(offset)) }
        landmarks.complete()
        landmarks.forget(behind: LogicalOffset(4096))
        #expect(lines == [4000, 4096])
        #expect(spread == [1024, 2048, 4096])
        #expect(landmarks.isWhole)
        // What comes in their place is remembered as the first was.
        #expect(landmarks.nextDue == 8192)
        landmarks.add(line: mark(4500))
        #expect(lines == [4000, 4096, 4500])
    }

    @Test("two stretches that differ in one byte, their order or their length are told apart")
    func digests() {
        let bytes = Array("2026-11-28 one line like all others\n".utf8)
        var texts = [
            bytes, Array(bytes.dropLast()), bytes + [0], [0] + bytes, bytes.reversed(), [],
        ]
        for index in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[index] ^= 1 << bit
                texts.append(other)
            }
        }
        #expect(Set(texts.map { Landmarks.digest($0) }).count == texts.count)
        var piecewise = Landmarks.Digest()
        for byte in bytes { piecewise.add(byte) }
        #expect(piecewise.value == Landmarks.digest(bytes))
    }
}
