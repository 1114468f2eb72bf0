import Testing

@testable import Platform
@testable import Tailer

@Suite("An s6 log directory in the order of its content") struct S6ListingTests {
    private func entry(
        _ name: String, _ inode: UInt64, _ kind: DirectoryEntry.Kind = .regular
    ) -> DirectoryEntry {
        DirectoryEntry(name: Array(name.utf8), inode: inode, kind: kind)
    }

    private func names(_ listing: S6Listing) -> [String] {
        listing.items.map { String(decoding: $0.name, as: UTF8.self) }
    }

    private let older = "@4000000065e07a152f072f40.s"
    private let newer = "@400000006b03bb0027d04f81.u"

    @Test("Archives by their labels, then previous, then current; nothing else")
    func order() {
        let listing = S6Listing([
            entry("current", 1), entry(newer, 2), entry("lock", 3), entry("state", 4),
            entry("previous", 5), entry(older, 6), entry("notes.txt", 7), entry("newstate", 8),
            entry("newprevious", 9),
        ])
        #expect(names(listing) == [older, newer, "previous", "current"])
        #expect(listing.current?.inode == 1 && listing.items.last?.isCurrent == true)
        #expect(listing.items.dropLast().allSatisfy { !$0.isCurrent })
    }

    /// s6-log links `previous` to its archive and then unlinks it: for a moment one inode has both
    /// names. Were both taken, its lines would be read twice.
    @Test("previous that is an archive already is that archive")
    func linked() {
        let listing = S6Listing([entry("previous", 2), entry(newer, 2), entry("current", 1)])
        #expect(names(listing) == [newer, "current"])
    }

    @Test("In the middle of a rotation there is no current, and that is no fault")
    func rotating() {
        let listing = S6Listing([entry(older, 2), entry("previous", 3)])
        #expect(listing.current == nil && names(listing) == [older, "previous"])
        #expect(S6Listing([]).items.isEmpty)
    }

    @Test("Directories are no logs, whatever they are called")
    func directories() {
        let listing = S6Listing([
            entry("current", 1, .directory), entry(older, 2, .directory),
            entry("previous", 3, .directory), entry(newer, 4),
        ])
        #expect(names(listing) == [newer] && listing.current == nil)
    }

    @Test(
        "A name that is not @, 24 lower-case hex digits and .s or .u is no archive",
        arguments: [
            "@4000000065e07a152f072f4.s", "@4000000065e07a152f072f400.s",
            "@4000000065E07A152F072F40.s", "@4000000065e07a152f072f40.t",
            "@4000000065e07a152f072f40.", "@4000000065e07a152f072f40s.",
            "x4000000065e07a152f072f40.s", "@4000000065e07a152f072f4g.s", "@", "",
        ])
    func others(name: String) {
        #expect(!S6Name.isArchive(Array(name.utf8)))
        #expect(S6Listing([entry(name, 1)]).items.isEmpty)
    }

    @Test(
        "svlogd's processor makes @….s of @….u and has it under @….t meanwhile; s6-log makes no such"
    )
    func products() {
        func text(_ name: [UInt8]?) -> String? { name.map { String(decoding: $0, as: UTF8.self) } }
        let label = "@4000000065e07a152f072f40"
        let (u, s, t) = (
            Array("\(label).u".utf8), Array("\(label).s".utf8), Array("\(label).t".utf8)
        )
        #expect(text(S6Name.product(of: u)) == "\(label).s")
        #expect(text(S6Name.original(of: s)) == "\(label).u")
        #expect(S6Name.isUnfinished(t) && !S6Name.isUnfinished(u) && !S6Name.isUnfinished(s))
        for name in [s, t, S6Name.current, S6Name.previous, []] {
            #expect(S6Name.product(of: name) == nil)
        }
        for name in [u, t, S6Name.current, S6Name.previous, []] {
            #expect(S6Name.original(of: name) == nil)
        }
    }
}
