import Model
import Platform
import TestSupport
import Testing

@testable import Registry

/// A registry whose checksums are right and whose numbers are what a file system, an earlier build or a
/// stranger made of them.
@Suite("Extreme numbers in the registry") struct ExtremeNumberTests {
    /// Texts, for some are no Int.
    private static let extremes = [
        "0", "1", "576460752303423487", "576460752303423488", "1152921504606846975",
        "1152921504606846976", "1152921504606846977", "4611686018427387904", "9223372036854775806",
        "9223372036854775807", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "-1", "-9223372036854775808", "1e400", "00", "",
        String(repeating: "9", count: 4000),
    ]
    private static let numbers = [
        "n", "after", "through", "next_file", "file", "head_length", "generation_count", "base",
        "offset", "size", "birth", "end",
    ]
    private static let texts = ["device", "inode"]
    private static let times = ["at", "updated"]

    /// The same file with other numbers, and checksums that fit.
    private static func forged(_ bytes: [UInt8], line: Int, key: String, value: String) -> [UInt8]?
    {
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard line < lines.count, let start = lines[line].firstRange(of: "\"\(key)\":") else {
            return nil
        }
        guard let mark = lines[line].firstRange(of: ",\"crc\"") else { return nil }
        let content = lines[line][..<mark.lowerBound]
        let rest = content[start.upperBound...]
        let isQuoted = rest.first == "\""
        let end =
            isQuoted
            ? rest.dropFirst().firstIndex(of: "\"").map { rest.index(after: $0) } ?? rest.endIndex
            : rest.firstIndex(of: ",") ?? rest.endIndex
        lines[line] = sealed(
            content[..<start.upperBound] + (isQuoted ? "\"\(value)\"" : value) + rest[end...])
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    private static func sealed(_ content: some StringProtocol) -> String {
        let bytes = Array(content.utf8)
        let sum = String(Checksum.crc32(bytes.span), radix: 16)
        return content + ",\"crc\":\"" + String(repeating: "0", count: 8 - sum.count) + sum + "\"}"
    }

    /// Every kind of record, in the snapshot and in the journal.
    private static func sample() throws -> (Data, [FileEntry]) {
        let data = try Data()
        let registry = try data.open()
        let files = (1...4).map { registry.see(.sample(UInt64($0))) }
        for entry in files { registry.advance(entry, to: 100) }
        registry.inputScanned("pods")
        registry.headGrew(files[0].file, head: Array("head and more".utf8))
        registry.advance([
            Advance(
                file: files[1].file, generation: files[1].generation, offset: 200,
                anchor: Anchor(bytes: [7]), size: 300)
        ])
        _ = registry.truncated(files[2].file, identity: .sample(3), fingerprint: .of(head: [9]))
        _ = registry.see(.sample(5))
        registry.moved(files[1].file, path: "/b", state: .archived)
        registry.gone(files[3].file)
        registry.close()
        return (data, registry.entries())
    }

    @Test(
        "Any number in any field: the registry opens, keeps the other entries, and can be read again",
        arguments: numbers + texts + times)
    func anyField(_ key: String) throws {
        let (data, truth) = try Self.sample()
        var cases = 0
        for name in ["snapshot.jsonl", "journal.jsonl"] {
            let bytes = try data.bytes(name)
            let lines = bytes.count { $0 == 0x0A }
            for line in 0..<lines {
                for value in Self.extremes {
                    guard let forged = Self.forged(bytes, line: line, key: key, value: value) else {
                        continue
                    }
                    cases += 1
                    let copy = try data.copy()
                    try copy.put(name, forged)
                    try expectUsable(copy, truth)
                }
            }
        }
        #expect(cases > 0)
    }

    /// Of the entries that the forged line is not about, none is missing.
    private func expectUsable(_ copy: Data, _ truth: [FileEntry]) throws {
        let registry = try copy.open()
        let there = Set(registry.entries().map(\.file))
        #expect(truth.count { there.contains($0.file) } >= truth.count - 1)
        for entry in registry.entries() {
            #expect(entry.base.bytes >= 0 && entry.base.start <= entry.offset)
            #expect(
                max(entry.offset.bytes, entry.size.bytes, entry.generationCount)
                    <= OutsideNumber.most)
            #expect(entry.anchor.bytes.count <= entry.offset - entry.base.start)
            #expect(entry.lag(size: PhysicalOffset(OutsideNumber.most)) >= 0)
            #expect(abs(entry.updated.nanoseconds) <= OutsideNumber.mostTime)
            #expect(entry.updated.description.hasSuffix("Z"))
            registry.advance(entry, to: entry.offset + 1)
            _ = registry.truncated(
                entry.file, identity: entry.identity, fingerprint: entry.fingerprint)
            _ = registry.continued(
                entry.file, in: .sample(900 + UInt64(entry.file.number % 7)), path: "/copy",
                size: .max, live: .sample(950, offset: .max))
        }
        let fresh = registry.see(.sample(1000))
        let other = registry.see(.sample(1001))
        #expect(fresh.file != other.file)
        let known = registry.entries()
        #expect(Set(known.map(\.file)).count == known.count)
        registry.close()
        // What was written can be read: nothing of it is damage.
        let again = try copy.open()
        #expect(again.recovery.isWhole)
        #expect(again.entries().map(\.file) == known.map(\.file))
        again.close()
    }

    /// 1. Somebody writes the largest count of contents into an entry, which cannot grow.
    /// 2. Its log is truncated again and again.
    /// 3. With the count alone each content would have the ids of the one before, and go on at its position.
    @Test(
        "A count of contents that cannot grow gives each content an id of its own, read from its beginning"
    )
    func saturatedCount() throws {
        let (data, _) = try Self.sample()
        let bytes = try data.bytes("snapshot.jsonl")
        let line = try #require(
            (0..<10).first { line in
                Self.forged(bytes, line: line, key: "generation_count", value: "\(Int64.max)")
                    != nil
            })
        let forged = try #require(
            Self.forged(bytes, line: line, key: "generation_count", value: "\(Int64.max)"))
        try data.put("snapshot.jsonl", forged)
        let registry = try data.open()
        let entry = try #require(
            registry.entries().first { $0.generationCount == OutsideNumber.most })
        var ids: Set<GenerationID> = [entry.generation]
        for number in 1...10 {
            let next = try #require(
                registry.truncated(
                    entry.file, identity: entry.identity, fingerprint: entry.fingerprint))
            #expect(ids.insert(next.generation).inserted)
            #expect(try #require(registry.entry(entry.file)).offset == 0)
            registry.advance(next, to: LogicalOffset(100 * number))
        }
        registry.close()
    }

    @Test("Sizes and offsets that an earlier build wrote are no damage")
    func earlierBuilds() throws {
        let (data, truth) = try Self.sample()
        let bytes = try data.bytes("journal.jsonl")
        for key in ["size", "offset", "base", "generation_count"] {
            for line in 0..<bytes.count(where: { $0 == 0x0A }) {
                for value in ["1152921504606846977", "9223372036854775807"] {
                    guard let forged = Self.forged(bytes, line: line, key: key, value: value) else {
                        continue
                    }
                    let copy = try data.copy()
                    try copy.put("journal.jsonl", forged)
                    let registry = try copy.open()
                    #expect(registry.recovery.isWhole)
                    #expect(!registry.mustStartAtBeginning)
                    #expect(registry.entries().map(\.file) == truth.map(\.file))
                }
            }
        }
    }

    @Test("What the agent saves of the largest file can be read by the next start")
    func largest() throws {
        let data = try Data()
        let registry = try data.open()
        let entry = registry.see(.sample(1, offset: .max))
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: .max, anchor: .none,
                size: .max)
        ])
        registry.inputScanned("pods")
        registry.advance([
            Advance(
                file: entry.file, generation: entry.generation, offset: .max, anchor: .none,
                size: .max - 1)
        ])
        registry.close()
        let again = try data.open()
        #expect(again.recovery.isWhole)
        #expect(again.entry(entry.file)?.size.bytes == OutsideNumber.most)
        #expect(again.entry(entry.file)?.offset.bytes == OutsideNumber.most)
    }

    @Test("Random numbers in random fields, many at a time: it opens, works, and can be read again")
    func random() throws {
        var random = SplitMix(seed: 20_261_129)
        let (data, _) = try Self.sample()
        for _ in 0..<300 {
            let copy = try data.copy()
            for name in ["snapshot.jsonl", "journal.jsonl"] {
                var bytes = try data.bytes(name)
                for line in 0..<bytes.count(where: { $0 == 0x0A }) {
                    for key in Self.numbers where random.next() % 4 == 0 {
                        let word = random.next() >> (random.next() % 64)
                        let value =
                            random.next() % 3 == 0
                            ? Self.extremes[Int(random.next() % UInt64(Self.extremes.count))]
                            : "\(word)"
                        bytes = Self.forged(bytes, line: line, key: key, value: value) ?? bytes
                    }
                }
                try copy.put(name, bytes)
            }
            try expectUsable(copy, [])
        }
    }
}
