import Testing

@testable import Tailer

@Suite("Archives of s6-log that came and went between two looks")
struct ArchiveCensusTests {
    private var census = ArchiveCensus()

    /// The names that are missed: events told of `appeared`, the listing has `there`, and events were
    /// read `reads` times before it, and `byLook` times before it was looked at.
    private mutating func look(
        _ appeared: String..., there: [String] = [], reads: Int, byLook: Int? = nil
    ) -> [String] {
        census.look(
            appeared: appeared.map { Array($0.utf8) },
            there: { there.contains(String(decoding: $0, as: UTF8.self)) },
            names: there.map { Array($0.utf8) }, eventReads: reads, readsByLook: byLook ?? reads
        ).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("one that no listing has shown is missed, by its name, and once")
    mutating func missed() {
        #expect(look("@1", "@2", there: ["@2"], reads: 1) == ["@1"])
        #expect(look(there: ["@2"], reads: 2).isEmpty)
        #expect(look("@3", "@4", there: [], reads: 3) == ["@3", "@4"])
    }

    @Test("one that a listing has shown is not, though its event is read when it is gone")
    mutating func listed() {
        #expect(look(there: ["@1"], reads: 1).isEmpty)
        #expect(look("@1", reads: 2).isEmpty)
    }

    @Test("one that was there for long and is gone when its event is read is not missed, either")
    mutating func listedForLong() {
        for reads in 1...50 { #expect(look(there: ["@1"], reads: reads).isEmpty) }
        #expect(look("@1", reads: 51).isEmpty)
    }

    @Test("what a listing has shown is remembered until its event must have been read")
    mutating func forgotten() {
        #expect(look(there: ["@1"], reads: 1).isEmpty)
        #expect(look(reads: 2).isEmpty)
        #expect(look(reads: 3).isEmpty)
        #expect(look("@1", reads: 4) == ["@1"])
    }

    @Test("a file that was open when it lost its name is one of the archives, the oldest of them")
    mutating func open() {
        census.fileBecameNameless()
        #expect(look("@1", "@2", "@3", there: ["@3"], reads: 1) == ["@2"])
        // Each file excuses one.
        #expect(look("@4", reads: 2) == ["@4"])
    }

    @Test("of an open file that lost its name just before the listing the event is read after it")
    mutating func eventAfterwards() {
        census.fileBecameNameless()
        #expect(look(reads: 5).isEmpty)
        #expect(look("@1", "@2", reads: 6) == ["@2"])
    }

    @Test("also where a look comes between two portions of those events")
    mutating func eventAfterAnotherLook() {
        census.fileBecameNameless()
        #expect(look(there: ["@0"], reads: 5).isEmpty)
        #expect(look(reads: 6).isEmpty)
        #expect(look("@0", "@1", "@2", reads: 6) == ["@2"])
    }

    /// 1. A directory is listed, and gone through in slices, while events are read.
    /// 2. The look lists it once more. One archive is there then, and another file has lost its name.
    /// 3. The events of both come after that.
    @Test("what a look has seen that came long after the listing is as old as the look")
    mutating func slowLook() {
        census.fileBecameNameless()
        #expect(look(there: ["@1"], reads: 1, byLook: 6).isEmpty)
        #expect(look(reads: 6).isEmpty)
        #expect(look("@1", "@2", reads: 7).isEmpty)
        #expect(look("@3", reads: 8) == ["@3"])
    }

    @Test("however many events are read between two looks")
    mutating func eventsBetweenLooks() {
        census.fileBecameNameless()
        #expect(look(reads: 5).isEmpty)
        #expect(look("@1", "@2", reads: 900) == ["@2"])
    }

    /// 1. Somebody removes `previous`, which was open: there is no event of an archive.
    /// 2. Much later s6-log makes archives, which are removed at once.
    @Test("a file that never became an archive excuses none that comes later")
    mutating func removed() {
        census.fileBecameNameless()
        #expect(look(reads: 5).isEmpty)
        #expect(look(reads: 7).isEmpty)
        #expect(look("@1", reads: 8) == ["@1"])
    }

    /// 1. Somebody removes `previous`, which was open: there is no event of an archive.
    /// 2. The next file becomes an archive, which is removed just before the next listing.
    /// 3. Forgotten together with the first, it was told as missed, though it was read.
    @Test("and takes none with it that lost its name after it")
    mutating func removedBefore() {
        census.fileBecameNameless()
        #expect(look(reads: 5).isEmpty)
        census.fileBecameNameless()
        #expect(look(reads: 7).isEmpty)
        #expect(look("@1", reads: 8).isEmpty)
    }

    /// 1. Two files have lost their names, of which one became an archive.
    /// 2. Its event must not keep the other one for longer than its own could come.
    @Test("nor does one whose event came excuse another for longer")
    mutating func oneOfTwo() {
        census.fileBecameNameless()
        census.fileBecameNameless()
        #expect(look(reads: 5).isEmpty)
        #expect(look("@1", reads: 6).isEmpty)
        #expect(look(reads: 7).isEmpty)
        #expect(look("@2", reads: 8) == ["@2"])
    }
}
