import TestSupport
import Testing

@testable import Platform

@Suite("What is mounted where") struct MountTableTests {
    private static let table = MountTable(
        text: Array(
            #"""
            22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw
            23 22 0:21 / /proc rw,nosuid - proc proc rw
            60 22 0:51 / /logs/nfs rw,relatime shared:31 master:4 - nfs4 server:/export rw,vers=4.2
            61 60 0:52 / /logs/nfs/local rw - tmpfs tmpfs rw
            62 22 0:53 / /logs/with\040blank rw - fuse.sshfs host: rw
            63 22 0:54 / /covered rw - nfs server:/a rw
            64 22 0:55 / /covered rw - ext4 /dev/b rw
            65 60 0:56 / /logs/nfs/other rw - cifs //server/b rw
            66 22 0:51 /sub /logs/again rw - nfs4 server:/export rw
            damaged line
            67 22 0:57 / /short rw
            68 22 0:x / /number rw - nfs server:/c rw
            """#.utf8))

    @Test(
        "Of a path, the innermost mount on its way that may not answer",
        arguments: [
            ("/logs/app.log", nil), ("/", nil), ("/logs/nfs", "/logs/nfs"),
            ("/logs/nfs/pod/app.log", "/logs/nfs"), ("/logs/nfsx/app.log", nil),
            // What is local there is reached through it.
            ("/logs/nfs/local/a", "/logs/nfs"), ("/logs/nfs/other/a", "/logs/nfs/other"),
            ("/logs/with blank/a", "/logs/with blank"), ("/covered/a", nil), ("/short/a", nil),
            ("/number/a", nil),
        ])
    func innermost(path: String, point: String?) {
        let mount = Self.table.remote(Array(path.utf8))
        #expect(mount.map { String(decoding: $0.point, as: UTF8.self) } == point)
    }

    @Test("One file system at two places has one number")
    func device() throws {
        let some = try #require(Self.table.remote(Array("/logs/nfs/a".utf8)))
        let other = try #require(Self.table.remote(Array("/logs/again/a".utf8)))
        #expect(some.device == other.device)
        #expect(Self.table.devices.contains(some.device))
    }

    @Test("The numbers are those that stat has, and this machine's root is none to wait for")
    func here() throws {
        let table = try MountTable.now()
        #expect(table.remote(Array("/proc/self".utf8)) == nil)
        #expect(try table.devices.contains(FileStatus.glance(at: Array("/proc".utf8)).device))
    }

    @Test("Where links lead is found out without touching what may not answer")
    func links() throws {
        let home = try TemporaryDirectory()
        let root = MountTable(text: []).destination(of: Array(home.path("").utf8))
        let path = String(decoding: root, as: UTF8.self)
        try home.makeDirectory("real/below")
        for (link, target) in [
            ("absolute", "\(path)/real"), ("relative", "real/../real"), ("loop", "loop"),
            ("far", "\(path)/mounted/x"), ("mounted", "real"),
        ] {
            try symbolicLink(target, at: home.path(link))
        }
        let table = MountTable(text: Array("1 1 0:9 / \(path)/mounted rw - nfs4 s:/ rw\n".utf8))
        for (link, destination) in [
            ("absolute/below", "real/below"), ("relative/below", "real/below"),
            ("missing/below", "missing/below"), ("far/below", "mounted/x/below"),
            // As it is taken for a mount, nobody asks whether it is a link.
            ("mounted/below", "mounted/below"),
        ] {
            let found = table.destination(of: Array(home.path(link).utf8))
            #expect(String(decoding: found, as: UTF8.self) == "\(path)/\(destination)")
        }
        // As many as the kernel follows, and not for ever.
        _ = table.destination(of: Array(home.path("loop/x").utf8))
    }
}
