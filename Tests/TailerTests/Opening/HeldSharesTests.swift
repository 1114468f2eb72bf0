import Model
import Testing

@testable import Tailer

@Suite("What is held open for streams is shared between them")
struct HeldSharesTests {
    /// Streams whose removed archives are held, the oldest of each let go when that is asked for.
    private struct Holders {
        var shares: HeldShares
        private var held: [StreamID: [HeldShares.Amount]] = [:]

        init(mostFiles: Int, mostBytes: Int) {
            shares = HeldShares(mostFiles: mostFiles, mostBytes: mostBytes)
        }

        /// One more archive of a stream; which streams had to let go of one.
        mutating func hold(_ stream: Int, bytes: Int = 0) -> [Int] {
            let archive = HeldShares.Amount(files: 1, removed: bytes > 0 ? 1 : 0, bytes: bytes)
            let id = StreamID(number: stream)
            held[id, default: []].append(archive)
            shares.change(id, from: .init(), to: archive)
            var losers: [Int] = []
            while let (loser, _) = shares.overdrawn(), release(loser.number) {
                losers.append(loser.number)
            }
            return losers
        }

        /// The stream's oldest is read, or let go.
        mutating func release(_ stream: Int) -> Bool {
            let id = StreamID(number: stream)
            guard let oldest = held[id]?.first else { return false }
            held[id]?.removeFirst()
            shares.change(id, from: oldest, to: .init())
            return true
        }

        func count(_ stream: Int) -> Int { shares.held(by: StreamID(number: stream)).files }
    }

    @Test("one stream takes all descriptors: it ends with half, and another finds room")
    func descriptors() {
        var holders = Holders(mostFiles: 3072, mostBytes: 1 << 40)
        for _ in 0..<10_000 { _ = holders.hold(1) }
        #expect(holders.count(1) == 1536)
        let losers = holders.hold(2)
        #expect(losers.allSatisfy { $0 == 1 } && holders.count(2) == 1)
    }

    @Test("one stream takes all held bytes: it ends with half, and loses only its own")
    func bytes() {
        var holders = Holders(mostFiles: 3072, mostBytes: 4000)
        for _ in 0..<1000 { _ = holders.hold(1, bytes: 100) }
        #expect(holders.shares.total.bytes == 2000)
        let losers = holders.hold(2, bytes: 1000)
        #expect(losers.allSatisfy { $0 == 1 })
        #expect(holders.count(2) == 1)
    }

    @Test("ten streams that take what they can leave an eleventh its part", arguments: [12, 3072])
    func many(most: Int) {
        var holders = Holders(mostFiles: most, mostBytes: 1 << 40)
        for _ in 0..<most { for stream in 1...10 { _ = holders.hold(stream) } }
        let each = (1...10).map { holders.count($0) }
        #expect((each.max() ?? 0) - (each.min() ?? 0) <= 1)
        #expect(holders.shares.total.files <= most)
        _ = holders.hold(11)
        #expect(holders.count(11) == 1)
    }

    @Test("more streams than descriptors: the bound holds, and nobody has two")
    func moreStreamsThanRoom() {
        var holders = Holders(mostFiles: 12, mostBytes: 1 << 40)
        for stream in 1...100 {
            _ = holders.hold(stream)
            #expect(holders.shares.total.files <= 12)
        }
        #expect((1...100).allSatisfy { holders.count($0) <= 1 })
    }

    @Test("a single file may take more than half, and not more than all")
    func single() {
        var holders = Holders(mostFiles: 12, mostBytes: 4000)
        let first = holders.hold(1, bytes: 3999)
        let second = holders.hold(1, bytes: 2)
        #expect(first == [] && second == [1])
        #expect(holders.count(1) == 1 && holders.shares.total.bytes == 2)
        let third = holders.hold(2, bytes: 4001)
        #expect(third == [2])
        #expect(holders.count(2) == 0)
    }

    @Test("what was read makes room, so that the next one is held")
    func comesBack() {
        var holders = Holders(mostFiles: 4, mostBytes: 1 << 40)
        for _ in 0..<4 { _ = holders.hold(1) }
        #expect(holders.count(1) == 2 && !holders.shares.hasRoom(StreamID(number: 1)))
        let isReleased = holders.release(1)
        #expect(isReleased && holders.shares.hasRoom(StreamID(number: 1)))
        let losers = holders.hold(1)
        #expect(losers.isEmpty)
    }
}
