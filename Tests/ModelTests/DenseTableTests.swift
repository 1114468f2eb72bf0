import Model
import TestSupport
import Testing

@Suite("Values that lie side by side are found by their keys") struct DenseTableTests {
    /// Keys that all have one of three hashes.
    private struct Colliding: TableKey {
        let number: Int
        var tableHash: UInt32 { UInt32(truncatingIfNeeded: number % 3) }
    }

    @Test("It holds what a dictionary holds through random changes, whatever the hashes")
    func model() {
        var random = SplitMix(seed: 11)
        var spread = DenseTable<FileID, Int>()
        var colliding = DenseTable<Colliding, Int>()
        var model: [Int: Int] = [:]
        for round in 0..<20_000 {
            // It grows to hundreds, is nearly emptied, and grows again.
            let most = round / 2_000 % 2 == 0 ? 500 : 20
            let number = Int.random(in: 0..<500, using: &random)
            let (file, key) = (FileID(number: number), Colliding(number: number))
            switch number < most ? Int.random(in: 0..<4, using: &random) : 0 {
            case 0:
                model[number] = nil
                spread[file] = nil
                colliding[key] = nil
            case 1:
                model[number]? += round
                spread[file]? += round
                colliding[key]? += round
            default:
                model[number] = round
                spread[file] = round
                colliding[key] = round
            }
            #expect(spread[file] == model[number] && colliding[key] == model[number])
            #expect(spread.count == model.count && colliding.count == model.count)
        }
        for number in 0..<500 {
            #expect(spread[FileID(number: number)] == model[number])
            #expect(colliding[Colliding(number: number)] == model[number])
        }
        #expect(Set(spread.allKeys.map(\.number)) == Set(model.keys))
        let pairs = Dictionary(
            uniqueKeysWithValues: spread.compactMap { key, value in (key.number, value) })
        #expect(pairs == model)
    }

    @Test("Every slot of one hash is found once, and no other hash's")
    func slots() {
        var index = SlotIndex()
        for slot in 0..<1_000 { index.insert(slot, UInt32(slot % 10)) }
        // The odd ones leave, and the last of what is left takes the first one's place.
        for slot in stride(from: 1, to: 1_000, by: 2) { index.remove(slot) }
        index.remove(0)
        index.move(998, to: 0)
        func all(_ hash: UInt32) -> Set<Int> {
            var found: Set<Int> = []
            var slot = index.first(hash)
            while let place = slot {
                #expect(found.insert(place).inserted)
                slot = index.next(after: place)
            }
            return found
        }
        #expect(all(3).isEmpty && all(10).isEmpty)
        #expect(all(2) == Set(stride(from: 2, to: 998, by: 10)))
        #expect(all(0) == Set(stride(from: 10, to: 998, by: 10)))
        #expect(all(8) == Set(stride(from: 8, to: 998, by: 10)).union([0]))
    }
}
