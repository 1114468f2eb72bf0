import Platform
import Testing

@testable import Tailer

@Suite("Which rotated files are newer than the newest that was taken up")
struct NewestTakenUpTests {
    private func name(_ name: String) throws -> RotatedName {
        try #require(RotatedName(Array(name.utf8), of: Array("app.log".utf8)))
    }

    private func newest(
        _ name: String? = nil, modified: Int64, born: Int64? = nil
    ) throws -> NewestTakenUp {
        NewestTakenUp(
            rotated: try name.map { try self.name($0) }, modified: FileTime(nanoseconds: modified),
            birth: born.map { FileTime(nanoseconds: $0) })
    }

    private func file(modified: Int64, born: Int64? = nil, isPacked: Bool = false) -> Stranger {
        Stranger(
            modified: FileTime(nanoseconds: modified),
            birth: born.map { FileTime(nanoseconds: $0) }, isPacked: isPacked)
    }

    @Test("none is newer than the live file, whatever its times and name say")
    func live() throws {
        let newest = NewestTakenUp(isLive: true, modified: 10, birth: 10)
        for file in [file(modified: 90, born: 90), file(modified: 90, born: 1, isPacked: true)] {
            #expect(try !newest.isBefore(name("app.log.1"), file))
        }
    }

    @Test("names tell, where both are of one kind")
    func names() throws {
        let number = try newest("app.log.3", modified: 50, born: 40)
        // Written before it, as far as times say: somebody has touched them.
        #expect(try number.isBefore(name("app.log.2"), file(modified: 10, born: 10)))
        #expect(try !number.isBefore(name("app.log.4"), file(modified: 50, born: 30)))
        let date = try newest("app.log-20261122", modified: 50, born: 40)
        #expect(try date.isBefore(name("app.log-20261123"), file(modified: 10, born: 10)))
        #expect(try !date.isBefore(name("app.log-20261121"), file(modified: 50, born: 30)))
    }

    /// 1. A framework counts up: `app.log.3` was read, and the next one is `app.log.4`.
    /// 2. Taken for the older one, it would never be read.
    @Test("but no name leaves out what was born and written after all that was read")
    func namesAgainstTimes() throws {
        let newest = try newest("app.log.3", modified: 50, born: 40)
        #expect(try newest.isBefore(name("app.log.4"), file(modified: 60, born: 51)))
        // Born in one tick of the kernel's clock.
        #expect(try newest.isBefore(name("app.log.4"), file(modified: 60, born: 40)))
        // An older one that was touched.
        #expect(try !newest.isBefore(name("app.log.4"), file(modified: 60, born: 39)))
        #expect(try !newest.isBefore(name("app.log.4"), file(modified: 50, born: 45)))
        // Where there are no births, their last changes have to do.
        #expect(try newest.isBefore(name("app.log.4"), file(modified: 51)))
    }

    /// 1. `app.log.3` was read. `app.log.4` is compressed after that, to a file that is born now.
    /// 2. Compressors give it the time of its content. One that does not is no witness.
    @Test("what is compressed is as old as its content, where its compressor kept the time")
    func packed() throws {
        let newest = try newest("app.log.3", modified: 50, born: 40)
        let name = try name("app.log.4.gz")
        #expect(!newest.isBefore(name, file(modified: 30, born: 70, isPacked: true)))
        #expect(newest.isBefore(name, file(modified: 60, born: 70, isPacked: true)))
        #expect(!newest.isBefore(name, file(modified: 70, born: 70, isPacked: true)))
        #expect(!newest.isBefore(name, file(modified: 80, born: 70, isPacked: true)))
        #expect(!newest.isBefore(name, file(modified: 60, isPacked: true)))
    }

    @Test("where names do not tell, births do, and of what is compressed the last change")
    func births() throws {
        for known in [nil, "app.log-20261123"] {
            let newest = try newest(known, modified: 50, born: 40)
            let name = try name("app.log.1")
            #expect(newest.isBefore(name, file(modified: 10, born: 41)))
            #expect(newest.isBefore(name, file(modified: 10, born: 40)))
            #expect(!newest.isBefore(name, file(modified: 90, born: 39)))
            #expect(newest.isBefore(name, file(modified: 50, born: 1, isPacked: true)))
            #expect(!newest.isBefore(name, file(modified: 49, born: 90, isPacked: true)))
            // A file system without births.
            #expect(newest.isBefore(name, file(modified: 50)))
            #expect(!newest.isBefore(name, file(modified: 49)))
        }
        let unborn = try newest(modified: 50)
        #expect(try unborn.isBefore(name("app.log.1"), file(modified: 50, born: 1)))
        #expect(try !unborn.isBefore(name("app.log.1"), file(modified: 49, born: 99)))
    }
}
