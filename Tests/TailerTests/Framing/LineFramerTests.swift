import Model
import TestSupport
import Testing

@testable import Tailer

@Suite("Framing", .overAllBases)
struct LineFramerTests {
    private let base = Bases.first

    private func cut(
        _ text: [UInt8], maxLine: Int = 16, at offset: Int = 0, continues: Bool = false,
        final: Bool = false
    ) -> [(Int, [UInt8], Int, Bool)] {
        var frames: [Frame] = []
        LineFramer(maxLine: maxLine).frame(
            text.span,
            within: .init(
                offset: LogicalOffset(base + offset), continuesLine: continues, isFinal: final),
            into: &frames)
        return frames.map {
            (
                $0.offset.bytes - base, Array(text[$0.start..<($0.start + $0.count)]), $0.length,
                $0.flags.contains(.split)
            )
        }
    }

    private func texts(_ text: String, final: Bool = false) -> [String] {
        cut(Array(text.utf8), final: final).map { String(decoding: $0.1, as: UTF8.self) }
    }

    @Test("T3: CRLF and LF mixed, empty lines: CR is cut, every byte is covered")
    func lineEnds() {
        let text = Array("a\r\nb\n\r\n\nc\rd\n".utf8)
        let frames = cut(text)
        #expect(frames.map(\.1) == ["a", "b", "", "", "c\rd"].map { Array($0.utf8) })
        #expect(frames.map(\.2).reduce(0, +) == text.count)
        #expect(frames.map(\.0) == [0, 3, 5, 7, 8])
    }

    @Test("only a newline ends a line; a final file's rest is a line as it is")
    func unterminated() {
        #expect(texts("one\ntwo") == ["one"])
        #expect(texts("one\ntwo", final: true) == ["one", "two"])
        #expect(texts("", final: true).isEmpty)
    }

    @Test("T4: a byte order mark is cut from the first message of the file only")
    func byteOrderMark() {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = mark + Array("a\n".utf8) + mark + Array("b\n".utf8)
        let frames = cut(text)
        // Where the front of a file was removed, its first message is another one.
        let first = base == 0 ? Array("a".utf8) : mark + Array("a".utf8)
        #expect(frames.map(\.1) == [first, mark + Array("b".utf8)])
        #expect(frames.map(\.0) == [0, 5])
        #expect(frames.map(\.2) == [5, 5])
        #expect(cut(mark + [0x61, 0x0A], at: 7).map(\.1) == [mark + [0x61]])
    }

    @Test("a line longer than max_line is cut into flagged parts whose joined bytes are the line")
    func split() {
        let line = (0..<40).map { UInt8(97 + $0 % 26) }
        let frames = cut(line + [0x0A] + Array("next\n".utf8))
        #expect(frames.map(\.1.count) == [16, 16, 8, 4])
        #expect(frames.map(\.3) == [true, true, true, false])
        #expect(Array(frames.prefix(3).map(\.1).joined()) == line)
        #expect(frames.map(\.0) == [0, 16, 32, 41])
    }

    @Test("a part says whether it begins its line, and where its message begins")
    func parts() {
        let text =
            [0xEF, 0xBB, 0xBF] + [UInt8](repeating: 0x61, count: 40) + Array("\nnext\n".utf8)
        var frames: [Frame] = []
        let framer = LineFramer(maxLine: 16)
        framer.frame(
            text.span, within: .init(offset: 0, continuesLine: false, isFinal: false), into: &frames
        )
        #expect(frames.map(\.flags) == [.split, .continuation, .continuation, .none])
        #expect(frames.map(\.offset) == [0, 19, 35, 44])
        #expect(frames.map(\.messageOffset) == [3, 19, 35, 44])
        framer.frame(
            text.span, within: .init(offset: 9, continuesLine: true, isFinal: false), into: &frames)
        #expect(
            frames.map(\.flags) == [.continuation, .continuation, .continuation, .none])
        #expect(frames.map(\.messageOffset) == frames.map(\.offset))
    }

    @Test("a line is cut at the same places however much of it is there")
    func splitIsDeterministic() {
        for ending in ["\n", "\r\n"] {
            for length in 14...36 {
                let line = String(repeating: "é", count: length / 2) + ending
                let text = Array(line.utf8) + Array("next\n".utf8)
                let whole = cut(text).map(\.0)
                var offsets: [Int] = []
                var position = 0
                var continues = false
                for available in 1...text.count {
                    let frames = cut(
                        Array(text[position..<max(position, available)]), at: position,
                        continues: continues)
                    for frame in frames {
                        offsets.append(frame.0)
                        position = frame.0 + frame.2
                        continues = text[position - 1] != 0x0A
                    }
                }
                #expect(offsets == whole, "length \(length)")
            }
        }
    }

    @Test("no UTF-8 character is cut in two, and bytes that are none are cut at the limit")
    func splitCharacters() {
        let line = Array("aaaaaaaaaaaaaaa€bc".utf8) + [0x0A]
        #expect(cut(line).map(\.1.count) == [15, 5])
        let noise = [UInt8](repeating: 0x80, count: 20) + [0x0A]
        #expect(cut(noise).map(\.1.count) == [16, 4])
    }
}
