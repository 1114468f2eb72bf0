import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite("Recovery") struct RecoveryTests {
    @Test(
        "R2: the journal cut after every byte gives a start, true positions and the place",
        arguments: [false, true])
    func cut(_ compacted: Bool) throws {
        let sample = try Sample(compacted: compacted)
        let journal = try sample.data.bytes("journal.jsonl")
        for count in 0..<journal.count {
            let copy = try sample.data.copy()
            try copy.put("journal.jsonl", Array(journal.prefix(count)))
            let registry = try copy.open()
            let whole = journal.prefix(count).lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            #expect(registry.recovery.tornTail == count - whole)
            #expect(registry.recovery.isWhole == (count > 0 && count == whole))
            #expect(registry.mustStartAtBeginning == !registry.recovery.isWhole)
            if compacted { #expect(registry.inputIsKnown("pods")) }
            try expectUsable(registry, sample)
        }
    }

    @Test("R2: the snapshot cut after every byte gives a start, true positions and the place")
    func cutSnapshot() throws {
        let sample = try Sample()
        let snapshot = try sample.data.bytes("snapshot.jsonl")
        for count in 0..<snapshot.count {
            let copy = try sample.data.copy()
            try copy.put("snapshot.jsonl", Array(snapshot.prefix(count)))
            let registry = try copy.open()
            let whole = snapshot.prefix(count).lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            #expect(registry.recovery.damaged.first?.file == "snapshot.jsonl")
            #expect(registry.recovery.damaged.contains { $0.position == whole })
            #expect(registry.mustStartAtBeginning)
            #expect(registry.recovery.setAside.count == 1)
            try expectUsable(registry, sample)
        }
    }

    /// The registry works, and a start right after sees nothing wrong but remembers that there was.
    private func expectUsable(_ registry: Registry, _ sample: Sample) throws {
        #expect(sample.holds(registry.journaled.withLock { $0.state }))
        #expect(registry.isWritten)
        let expected = registry.entries()
        registry.close()
        let again = try Registry.open(directory: registry.directory, observer: Recorder())
        #expect(again.recovery.isWhole)
        #expect(again.entries() == expected)
        #expect(again.mustStartAtBeginning == registry.mustStartAtBeginning)
    }

    @Test(
        "R2: every single bit flipped is found, at its line, and no position is beyond the truth",
        arguments: ["journal.jsonl", "snapshot.jsonl"])
    func flips(_ name: String) throws {
        let sample = try Sample()
        let bytes = try sample.data.bytes(name)
        let copy = try sample.data.copy()
        var lineStart = 0
        for index in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << UInt8(bit)
                try copy.put(name, flipped)
                let found = try copy.recovery()
                #expect(!found.summary.isWhole)
                #expect(sample.holds(found.state))
                let isReported =
                    found.summary.damaged.contains { $0.file == name && $0.position == lineStart }
                    // The newline at the very end flipped: the last line looks unfinished.
                    || (index == bytes.count - 1 && name == "journal.jsonl"
                        && found.summary.tornTail == bytes.count - lineStart)
                    || (index == bytes.count - 1 && name == "snapshot.jsonl")
                #expect(isReported, "byte \(index) bit \(bit): \(found.summary)")
            }
            if bytes[index] == 0x0A { lineStart = index + 1 }
        }
    }

    @Test(
        "R2: with a bit flipped in any byte the agent starts, reports, and keeps the damaged file",
        arguments: ["journal.jsonl", "snapshot.jsonl"])
    func flippedStart(_ name: String) throws {
        let sample = try Sample()
        let bytes = try sample.data.bytes(name)
        // Each line's ends and every seventh byte between: a start costs several fsyncs.
        for index in bytes.indices where index % 7 == 0 || bytes[index] == 0x0A {
            let copy = try sample.data.copy()
            var flipped = bytes
            flipped[index] ^= 1 << UInt8(index % 8)
            try copy.put(name, flipped)
            let registry = try copy.open()
            #expect(!registry.recovery.isWhole && registry.mustStartAtBeginning)
            for aside in registry.recovery.setAside {
                #expect(aside.hasPrefix("\(name).damaged-"))
                #expect(try copy.bytes(aside) == flipped)
            }
            #expect(registry.recovery.setAside.isEmpty == registry.recovery.damaged.isEmpty)
            try expectUsable(registry, sample)
        }
    }

    @Test("The lines behind a damaged one still count")
    func middle() throws {
        let sample = try Sample()
        var journal = try sample.data.bytes("journal.jsonl")
        let lines = journal.split(separator: 0x0A)
        // The second line is the advance to 200; the one to 300 comes last.
        journal[lines[1].startIndex + 20] ^= 1
        try sample.data.put("journal.jsonl", journal)
        let found = try sample.data.recovery()
        #expect(found.summary.damagedCount == 1)
        #expect(found.state.table.sorted.map(\.offset) == sample.truth.map(\.offset))
    }

    @Test("A line taken out of the middle is noticed by the numbers")
    func missingLine() throws {
        let sample = try Sample()
        let lines = try sample.data.bytes("journal.jsonl").split(separator: 0x0A)
        for index in 0..<(lines.count - 1) {
            var rest = lines
            rest.remove(at: index)
            try sample.data.put("journal.jsonl", rest.flatMap { Array($0) + [0x0A] })
            let found = try sample.data.recovery()
            #expect(found.summary.damagedCount == 1 && sample.holds(found.state))
            let position = rest.prefix(index).reduce(0) { $0 + $1.count + 1 }
            #expect(found.summary.damaged.first?.position == position)
        }
    }

    @Test(
        "A lost file is noticed by the other one", arguments: ["journal.jsonl", "snapshot.jsonl"])
    func missingFile(_ name: String) throws {
        let sample = try Sample()
        try Descriptor.directory(atPath: "\(sample.data.path)/registry").remove(name)
        let registry = try sample.data.open()
        #expect(registry.recovery.damaged.map(\.file) == [name])
        #expect(registry.mustStartAtBeginning && registry.recovery.setAside.isEmpty)
        try expectUsable(registry, sample)
    }

    @Test(
        "Files of garbage, however shaped, are set aside and the agent begins anew",
        arguments: [
            [UInt8](repeating: 0, count: 5000), [UInt8](repeating: 0x0A, count: 500),
            Array("{".utf8) + [0x0A], Array(repeating: 0x5B, count: 3 << 19) + [0x0A, 0x0A],
            Array(repeating: 0x5B, count: 5 << 18), [],
        ])
    func garbage(_ bytes: [UInt8]) throws {
        let data = try Data()
        try data.open().close()
        try data.put("journal.jsonl", bytes)
        try data.put("snapshot.jsonl", bytes)
        let registry = try data.open()
        #expect(registry.entries().isEmpty && registry.mustStartAtBeginning)
        #expect(registry.recovery.damaged.count <= Recovery.faultLimit)
        #expect(registry.recovery.damagedCount >= registry.recovery.damaged.count)
        let entry = registry.see(.sample(1))
        registry.close()
        #expect(try data.open().entries() == [entry])
    }

    @Test(
        "What is lost starts at the beginning until the first scans are through, also across kills")
    func settling() throws {
        let sample = try Sample()
        try sample.data.put("journal.jsonl", Array("garbage\n".utf8))
        let first = try sample.data.open()
        #expect(first.mustStartAtBeginning)
        let copy = try sample.data.copy()
        let second = try copy.open()
        #expect(second.mustStartAtBeginning && second.recovery.isWhole)
        second.compact()
        #expect(second.mustStartAtBeginning)
        second.settled()
        #expect(!second.mustStartAtBeginning)
        second.close()
        #expect(try !copy.open().mustStartAtBeginning)
    }

    @Test("Damaged files that are kept do not fill the disk")
    func keptAside() throws {
        let data = try Data()
        try data.open().close()
        for round in 0..<30 {
            try data.put("journal.jsonl.damaged-20200101T0000\(10 + round)", [1])
        }
        try data.put("journal.jsonl", [0x0A])
        let registry = try data.open()
        let kept = try data.names.filter { $0.contains(".damaged-") }
        #expect(kept.count == 16 && kept.contains("journal.jsonl.damaged-20200101T000039"))
        #expect(Set(kept).isSuperset(of: registry.recovery.setAside))
    }

    @Test("R1: a kill before any step loses nothing that was saved and invents nothing")
    func killPoints() throws {
        let data = try Data()
        /// What had been saved when the step was about to be taken, and what was about to be.
        let saved = Mutex<(floor: [FileID: LogicalOffset], ceiling: [FileID: LogicalOffset])>(
            ([:], [:]))
        let kills = Mutex<
            [(FileStep, Data, floor: [FileID: LogicalOffset], ceiling: [FileID: LogicalOffset])]
        >([])
        let problems = Mutex<[String]>([])
        let witness = Witness { step in
            do {
                let (floor, ceiling) = saved.withLock { $0 }
                let copy = try data.copy()
                kills.withLock { $0.append((step, copy, floor, ceiling)) }
            } catch {
                problems.withLock { $0.append("\(step): \(error)") }
            }
            return nil
        }
        let registry = try data.open(witness: witness)
        var entries: [FileEntry] = []
        func advance(_ offset: LogicalOffset) {
            saved.withLock { saved in for e in entries { saved.ceiling[e.file] = offset } }
            registry.advance(
                entries.map {
                    Advance(
                        file: $0.file, generation: $0.generation, offset: offset, anchor: .none)
                })
            saved.withLock { saved in for e in entries { saved.floor[e.file] = offset } }
        }
        for round in 1...4 {
            entries.append(registry.see(.sample(UInt64(round))))
            advance(LogicalOffset(round * 10))
            registry.sync()
            if round == 1 { registry.inputScanned("pods") }
            advance(LogicalOffset(round * 10 + 1))
            registry.compact()
            advance(LogicalOffset(round * 10 + 2))
        }
        registry.close()
        #expect(problems.withLock { $0 } == [])
        let all = kills.withLock { $0 }
        #expect(all.count > 60)
        for (step, copy, floor, ceiling) in all {
            let after = try copy.open()
            // What lies there for a moment before the very first journal is in place is no loss.
            #expect(after.recovery.isWhole, "\(step): \(after.recovery)")
            for (file, offset) in floor {
                let found = try #require(after.entry(file), "\(step)").offset
                #expect(found >= offset && found <= ceiling[file] ?? 0, "\(step)")
            }
        }
    }

    @Test("R1: a crash between the snapshot's replacement and the journal's replays nothing twice")
    func betweenReplacements() throws {
        let data = try Data()
        let first = try data.open()
        let entry = first.see(.sample(1))
        first.advance(entry, to: 10)
        let old = try data.bytes("journal.jsonl")
        first.gone(entry.file)
        let full = try data.bytes("journal.jsonl")
        first.compact()
        first.close()
        // The journal as it was, with the snapshot that contains it.
        try data.put("journal.jsonl", full)
        let second = try data.open()
        #expect(second.entries().isEmpty && second.recovery.isWhole)
        second.close()
        // The same with a tail that a power cut took: the snapshot contains it all the same.
        try data.put("journal.jsonl", old)
        let third = try data.open()
        #expect(third.entries().isEmpty && third.recovery.isWhole)
        let next = third.see(.sample(2))
        third.close()
        let fourth = try data.open()
        #expect(fourth.recovery.isWhole && fourth.entries() == [next])
    }
}

/// A small registry with every kind of record, and what is true of it.
private struct Sample {
    let data: Data
    let truth: [FileEntry]
    /// The highest position that was acknowledged in each generation.
    let acknowledged: [GenerationID: LogicalOffset]

    init(compacted: Bool = true) throws {
        data = try Data()
        let registry = try data.open()
        var acknowledged: [GenerationID: LogicalOffset] = [:]
        func advance(_ entry: FileEntry, _ offset: LogicalOffset) {
            registry.advance(entry, to: offset)
            acknowledged[entry.generation] = max(acknowledged[entry.generation] ?? 0, offset)
        }
        let first = registry.see(.sample(1, path: "/a \"quoted\"\n"))
        let second = registry.see(.sample(2, head: ""))
        advance(first, 100)
        if compacted { registry.inputScanned("pods") }
        advance(first, 200)
        registry.headGrew(second.file, head: [1, 2, 3])
        if let again = registry.truncated(
            second.file, identity: .sample(2), fingerprint: .of(head: [9]))
        {
            advance(again, 50)
        }
        let third = registry.see(.sample(3))
        registry.moved(first.file, path: "/b", state: .archived)
        registry.gone(third.file)
        advance(first, 300)
        registry.close()
        truth = registry.entries()
        self.acknowledged = acknowledged
    }

    /// No entry is beyond what was acknowledged of its generation.
    func holds(_ state: RegistryState) -> Bool {
        state.table.sorted.allSatisfy { $0.offset <= acknowledged[$0.generation] ?? 0 }
    }
}
