import Model
import Platform
import TestSupport
import Testing

@testable import Registry

@Suite("The format on disk") struct FormatTests {
    /// Texts that a file's name may be.
    static let texts = [
        "", "plain", "with \"quotes\" and \\ back\\slashes\\", "line\nbreak\r\n\ttab",
        "\u{0}\u{1}\u{1F}\u{7F}\u{80}", "ümläut 日本 👩‍👩‍👧", "\u{2028}\u{2029}\u{FFFD}",
        String(repeating: "x", count: 255), #"\u0041","crc":"00000000"}"#,
    ]

    private func line(_ write: (inout LineWriter) -> Void) -> [UInt8] {
        var lines = LineWriter()
        write(&lines)
        return lines.bytes
    }

    private func scanner(_ bytes: [UInt8]) throws(LineFault) -> LineScanner {
        try LineScanner(bytes, 0..<(bytes.count - 1))
    }

    private func record(_ bytes: [UInt8]) throws -> (Int, Change)? {
        var scanner = try scanner(bytes)
        guard case .record(let number, let change) = try scanner.journalLine() else { return nil }
        return (number, change)
    }

    /// A line with a correct checksum and any content.
    private func sealed(_ content: String) -> [UInt8] {
        let bytes = Array(content.utf8)
        let sum = String(Checksum.crc32(bytes.span), radix: 16)
        let padded = String(repeating: "0", count: 8 - sum.count) + sum
        return bytes + Array(",\"crc\":\"\(padded)\"}\n".utf8)
    }

    @Test("An advance is the line that the format's description shows")
    func golden() {
        let advance = Advance(
            file: FileID(number: 3), generation: GenerationID(value: 0x5F0C_9BE2_1A77_D1C3),
            offset: 4711, anchor: Anchor(bytes: Array("end\n".utf8)), size: 5000)
        let at = Timestamp(milliseconds: 1_795_406_555_685)
        let bytes = line { $0.write(.advance(advance, at: at), number: 12) }
        let expected =
            #"{"n":12,"op":"advance","file":3,"generation":"5f0c9be21a77d1c3","offset":4711,"#
            + #""anchor":"656e640a","size":5000,"at":"2026-11-23T04:02:35.685Z""#
        #expect(bytes == sealed(expected))
    }

    @Test("An entry is the line that the format's description shows")
    func goldenEntry() {
        let bytes = line { $0.write(FileEntry.sample(3)) }
        let expected =
            #"{"file":3,"input":"pods","stream":"shop/orders","path":"/data/logs/a/current","#
            + #""device":"64768","inode":"1003","handle":"000000010300","#
            + #""birth":1700000000000000003,"head_length":3,"#
            + #""head":"039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81","#
            + #""generation":"0123456789abcdef","generation_count":2,"base":512,"offset":4711,"#
            + #""anchor":"00ff","size":5000,"state":"active","updated":"2026-11-23T04:02:35.685Z""#
        #expect(bytes == sealed(expected))
    }

    @Test("Every change comes back as it was, whatever bytes a path has", arguments: texts)
    func roundTrips(_ text: String) throws {
        var plain = FileEntry.sample(9, path: text)
        plain.identity = FileIdentity(
            handle: nil, device: .max, inode: .max, birth: .min)
        plain.state = .unreachable
        var bare = FileEntry.sample(0, path: text)
        bare.identity = FileIdentity(handle: [], device: 0, inode: 0, birth: nil)
        bare.anchor = .none
        let file = FileID(number: 7)
        let generation = GenerationID(value: .max)
        let at = Timestamp(milliseconds: 0)
        let changes: [Change] =
            [
                .seen(.sample(1, path: text)), .seen(plain), .truncated(bare), .gone(file),
                .settled,
                .input(text), .head(file, generation, .of(head: Array(text.utf8)), at: at),
                .advance(
                    Advance(
                        file: file, generation: generation, offset: LogicalOffset(1 << 60),
                        anchor: .none),
                    at: at),
            ] + FileState.allCases.map { .moved(file, path: text, state: $0, at: at) }
        for change in changes {
            let read = try #require(try record(line { $0.write(change, number: 5) }))
            #expect(read == (5, change))
        }
    }

    @Test("A line is one line of valid UTF-8, whatever bytes a path has", arguments: texts)
    func lines(_ text: String) {
        let bytes = line { $0.write(.input(text), number: 1) }
        #expect(bytes.count { $0 == 0x0A } == 1 && bytes.last == 0x0A)
        #expect(String(validating: bytes, as: UTF8.self) != nil)
    }

    @Test(
        "A correct checksum over content that is none is a fault and never a trap",
        arguments: [
            "{", "", "{}", #"{"n":1"#, #"{"n":01,"op":"settled""#, #"{"n":-1,"op":"settled""#,
            #"{"n":1.5,"op":"settled""#, #"{"n":1e9,"op":"settled""#, #"{"n":,"op":"settled""#,
            #"{"n":99999999999999999999999999,"op":"settled""#,
            #"{"n":1152921504606846977,"op":"settled""#, #"{"n":9223372036854775808,"op":"gone""#,
            #"{"n":1,"op":"settled","more":1"#, #"{"n":1,"op":"settled" "#,
            #"{ "n":1,"op":"settled""#,
            #"{"n":1,"op":"dance""#, #"{"n":1,"op":"input","input":"\q""#,
            #"{"n":1,"op":"input","input":"\u00e4""#, #"{"n":1,"op":"input","input":"\ud800""#,
            #"{"n":1,"op":"input","input":"open"#, #"{"n":1,"op":"input","input":"open\"#,
            #"{"n":1,"op":"input","input":[[[[[[]]]]]]"#, #"{"n":1,"op":"gone","file":"3""#,
            #"{"n":1,"op":"moved","file":1,"path":"p","state":"gone","at":"2026-11-23T04:02:35.685Z""#,
            #"{"n":1,"op":"moved","file":1,"path":"p","state":"active","at":"2026-02-30T04:02:35.685Z""#,
            #"{"n":1,"op":"moved","file":1,"path":"p","state":"active","at":"2026""#,
            #"{"format":"shipper-registry-journal","version":1"#, #"{"format":"other","version":1"#,
        ])
    func refused(_ content: String) {
        #expect(throws: LineFault.self) {
            var scanner = try scanner(sealed(content))
            _ = try scanner.journalLine()
        }
        #expect(throws: LineFault.self) {
            var scanner = try scanner(sealed(content))
            _ = try scanner.snapshotLine()
        }
    }

    @Test("Invalid UTF-8 under a correct checksum is a fault")
    func invalidText() {
        var bytes = Array(#"{"n":1,"op":"input","input":"X""#.utf8)
        bytes[bytes.count - 2] = 0xFF
        let sum = String(Checksum.crc32(bytes.span), radix: 16)
        bytes += Array(",\"crc\":\"".utf8) + String(repeating: "0", count: 8 - sum.count).utf8
        bytes += Array(sum.utf8) + Array("\"}\n".utf8)
        #expect(throws: LineFault.self) { try record(bytes) }
    }

    @Test("Random damage under a correct checksum is a fault or another valid line, never a trap")
    func fuzz() throws {
        var random = SplitMix(seed: 6)
        let changes: [Change] = [
            .seen(.sample(1)), .gone(FileID(number: 7)), .input("pods \" \\ \n"),
            .moved(FileID(number: 3), path: "/a", state: .deleted, at: Timestamp(milliseconds: 5)),
        ]
        var faults = 0
        for round in 0..<4000 {
            var content = line { $0.write(changes[round % changes.count], number: round) }
            content.removeLast(JournalFormat.checksumLength + 1)
            for _ in 0...Int.random(in: 0...2, using: &random) {
                let at = Int.random(in: 0..<content.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: content[at] = UInt8.random(in: 0...255, using: &random)
                case 1: content.remove(at: at)
                default: content.insert(Array("\\\"{}[]:,-0919u".utf8)[round % 14], at: at)
                }
                if content.isEmpty { content = [0] }
            }
            let sum = String(Checksum.crc32(content.span), radix: 16)
            let padded = String(repeating: "0", count: 8 - sum.count) + sum
            do throws(LineFault) {
                var scanner = try scanner(content + Array(",\"crc\":\"\(padded)\"}\n".utf8))
                _ = try scanner.journalLine()
            } catch {
                faults += 1
            }
        }
        #expect(faults > 1000)
    }

    @Test("Every line shorter than a checksum is a fault")
    func short() {
        let bytes = line { $0.write(.settled, number: 1) }
        for count in 0..<(bytes.count - 1) {
            #expect(throws: LineFault.self) { try LineScanner(bytes, 0..<count) }
        }
    }
}
