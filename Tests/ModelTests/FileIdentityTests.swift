import Model
import Testing

@Suite("Two sightings are one file") struct FileIdentityTests {
    struct Case: CustomTestStringConvertible {
        let what: String
        let a: FileIdentity
        let b: FileIdentity
        let agrees: Bool
        var testDescription: String { what }
    }

    private static func file(
        _ handle: [UInt8]?, device: UInt64 = 1, inode: UInt64 = 7, birth: Int64? = 100
    ) -> FileIdentity {
        FileIdentity(handle: handle, device: device, inode: inode, birth: birth)
    }

    static let cases = [
        Case(what: "the same in everything", a: file([1]), b: file([1]), agrees: true),
        Case(
            what: "handles agree, a file system without stable inode numbers", a: file([1]),
            b: file([1], inode: 8, birth: nil), agrees: true),
        Case(
            what: "handles differ: the inode number was given out again", a: file([1]),
            b: file([2]), agrees: false),
        Case(
            what: "the same handle on another device", a: file([1]), b: file([1], device: 2),
            agrees: false),
        Case(
            what: "a sandbox refuses handles now: inode and birth time decide", a: file([1]),
            b: file(nil), agrees: true),
        Case(
            what: "no handle now, and another birth time", a: file([1]),
            b: file(nil, birth: 101), agrees: false),
        Case(
            what: "no handle now, and another inode", a: file([1]), b: file(nil, inode: 8),
            agrees: false),
        Case(
            what: "no handles, the same inode and birth time", a: file(nil), b: file(nil),
            agrees: true),
        Case(
            what: "no handles, the inode number was given out again", a: file(nil),
            b: file(nil, birth: 101), agrees: false),
        Case(
            what: "a file system without birth times: the inode is all there is", a: file(nil),
            b: file(nil, birth: nil), agrees: true),
        Case(
            what: "no handles, another device", a: file(nil), b: file(nil, device: 2),
            agrees: false),
    ]

    @Test("when either form says so, and never against the other", arguments: cases)
    func agrees(_ sample: Case) {
        #expect(sample.a.agrees(with: sample.b) == sample.agrees)
        #expect(sample.b.agrees(with: sample.a) == sample.agrees)
        #expect(sample.a.agrees(with: sample.a) && sample.b.agrees(with: sample.b))
    }

    @Test("Another number of the device is told from another file by birth, inode and handle")
    func renumbered() {
        func identity(
            _ device: UInt64, inode: UInt64 = 5, birth: Int64? = 7, handle: [UInt8]? = [1]
        ) -> FileIdentity {
            FileIdentity(handle: handle, device: device, inode: inode, birth: birth)
        }
        let known = identity(1)
        #expect(identity(2).isRenumbered(from: known))
        #expect(identity(2, handle: nil).isRenumbered(from: known))
        #expect(!identity(1).isRenumbered(from: known))
        #expect(!identity(2, inode: 6).isRenumbered(from: known))
        #expect(!identity(2, birth: 8).isRenumbered(from: known))
        #expect(!identity(2, handle: [2]).isRenumbered(from: known))
        // Without birth times, by the handle; without either, by nothing.
        let unborn = identity(1, birth: nil)
        #expect(identity(2, birth: nil).isRenumbered(from: unborn))
        #expect(identity(2).isRenumbered(from: unborn))
        #expect(!identity(2, birth: nil, handle: [2]).isRenumbered(from: unborn))
        #expect(!identity(2, birth: nil, handle: nil).isRenumbered(from: unborn))
        #expect(!identity(2).agrees(with: known))
    }
}
