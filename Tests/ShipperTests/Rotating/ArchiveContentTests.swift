import Glibc
import Platform
import Rotator
import TestSupport
import Testing

@testable import Registry
@testable import Shipper

@Suite("What is in an archive is looked at before it goes", .overBases)
struct ArchiveContentTests {
    private let base: ArchiveKeeperTests

    init() throws { base = try ArchiveKeeperTests() }

    /// What has the inode of an archive, and other content: an entry says that all is delivered.
    enum Other: CaseIterable {
        case head, tail, packedOther, packedHalf, packedLonger
        var isPacked: Bool { self != .head && self != .tail }
    }

    /// 1. An archive is delivered to its end.
    /// 2. Somebody writes something else into it, in place; or its gzip is not done yet.
    /// 3. By number and size alone it would go, and nobody has what is in it.
    @Test(
        "O5: what has an archive's inode number and other bytes does not go",
        arguments: Other.allCases)
    func otherContent(other: Other) throws {
        let registry = try base.open()
        try base.enter(registry, base.path, state: .active)
        let newest = try base.directory.write("logs/app.log.1", base.source.lines(10..<20))
        try base.enter(registry, newest)
        let content = base.source.lines(100..<900)
        let old = try base.directory.write("logs/app.log.2", content)
        try base.enter(registry, old)
        let name = other.isPacked ? "app.log.2.gz" : "app.log.2"
        if other.isPacked {
            let round = try base.keeper(registry, "compress: gzip, delay_compress: true")
            base.look(round)
            #expect(try base.names() == ["app.log.1", name], "\(base.lines.all)")
        }
        let target = base.directory.path("logs/\(name)")
        let bytes = try readFile(target)
        let others: [UInt8]
        switch other {
        case .head: others = base.source.lines(2_000..<2_020) + content.dropFirst(2_000)
        case .tail: others = content.dropLast(64) + [UInt8](repeating: 65, count: 64)
        case .packedHalf: others = Array(bytes.prefix(bytes.count / 2))
        case .packedOther, .packedLonger:
            let text = other == .packedOther ? base.source.lines(5_000..<5_800) : content + content
            let file = try base.directory.write("other", text)
            let program = try ChildProcess("/bin/sh", ["-c", "exec gzip \"$0\"", file])
            #expect(try program.wait() == .code(0))
            others = try readFile(file + ".gz")
        }
        // In place, and not longer than what was delivered.
        let file = try Descriptor.open(target, O_RDWR | O_TRUNC)
        try file.write(other.isPacked ? others : Array(others.prefix(content.count)))
        let before = base.counters.removedArchives
        base.look(try base.keeper(registry, "max_age: 1h"))
        base.look(
            try base.keeper(registry, "max_age: 1h"),
            wall: Clock.wallNanoseconds() + 7_200_000_000_000)
        #expect(try base.names().contains(name), "\(base.lines.all)")
        #expect(base.counters.removedArchives == before + 1, "\(base.lines.all)")
        #expect(
            base.lines.all.contains { $0.contains("not what was delivered") }, "\(base.lines.all)")
        // With its own bytes it goes.
        try file.truncate(to: 0)
        try Descriptor.open(target, O_RDWR).write(bytes)
        base.look(
            try base.keeper(registry, "max_age: 1h"),
            wall: Clock.wallNanoseconds() + 7_200_000_000_000)
        #expect(try !base.names().contains(name), "\(base.lines.all)")
    }

    /// 1. A run was killed with the packed one in place, and the plain one there yet.
    /// 2. Somebody writes something else into the packed one.
    @Test("O2: the plain one of a pair stays where the packed one is not the same")
    func unequalPair() throws {
        let registry = try base.open()
        try base.enter(registry, base.path, state: .active)
        let content = base.source.lines(100..<900)
        let old = try base.directory.write("logs/app.log.1", content)
        try base.enter(registry, old)
        base.look(
            try base.keeper(registry, mayPack: { step throws(SystemError) in step != .remove }))
        #expect(try base.names() == ["app.log.1", "app.log.1.gz"])
        let packed = try readFile(old + ".gz")
        let file = try Descriptor.open(old + ".gz", O_RDWR)
        try file.truncate(to: packed.count / 2)
        base.look(try base.keeper(registry, "compress: none"))
        #expect(try base.names() == ["app.log.1", "app.log.1.gz"])
        #expect(try readFile(old) == content)
        try file.truncate(to: 0)
        try Descriptor.open(old + ".gz", O_RDWR).write(packed)
        base.look(try base.keeper(registry, "compress: none"))
        #expect(try base.names() == ["app.log.1.gz"], "\(base.lines.all)")
    }

    @Test("O2: a run that ends in the middle of packing leaves nothing of it")
    func stopped() throws {
        let registry = try base.open()
        try base.enter(registry, base.path, state: .active)
        let old = try base.directory.write("logs/app.log.1", base.source.lines(10..<60_000))
        try base.enter(registry, old)
        let round = try base.keeper(registry)
        #expect(round.look(0).isUnderWay)
        #expect(try base.names().count == 2)
        round.stop()
        #expect(try base.names() == ["app.log.1"])
    }
}
