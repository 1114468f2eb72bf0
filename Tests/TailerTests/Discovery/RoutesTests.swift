import Patterns
import Platform
import Testing

@testable import Tailer

@Suite("All ways in which prefixes lead to one directory") struct RoutesTests {
    private static let mounts = MountTable(
        text: Array(
            #"""
            22 1 259:2 / / rw - ext4 /dev/root rw
            23 22 259:2 /srv/data /mnt/data rw - ext4 /dev/root rw
            24 22 0:30 / /mnt/disk rw - xfs /dev/b rw
            25 22 0:30 /pods /var/pods rw - xfs /dev/b rw
            26 25 0:30 /pods/a/logs /var/pods/b/copy rw - xfs /dev/b rw
            27 24 0:31 / /mnt/disk/pods/covered rw - tmpfs tmpfs rw
            """#.utf8))

    private static func routes(
        _ prefixes: [String], links: [String: String] = [:], _ mounts: MountTable? = mounts
    ) throws -> Routes {
        let paths = try prefixes.map { try PathPattern("\($0)/*/x.log") }
        return Routes(
            [TailerInput(name: "in", paths: paths, exclude: [], maxLine: 1)], mounts
        ) { Array((links[$0] ?? $0).utf8) }
    }

    private static func others(_ routes: Routes, _ prefix: String, _ path: String) -> [String] {
        routes.others(than: prefix, Array(path.utf8))
            .map { "\($0.prefix)|\(String(decoding: $0.path, as: UTF8.self))" }.sorted()
    }

    @Test("of prefixes that have nothing in common none leads to the other's directories")
    func apart() throws {
        let routes = try Self.routes(["/logs", "/log", "/logs2"])
        for path in ["", "a", "a/b"] { #expect(Self.others(routes, "/logs", path) == []) }
        #expect(Self.others(try Self.routes(["/logs"], nil), "/logs", "a") == [])
    }

    @Test("a prefix that lies beneath another one, whichever of them a directory was found by")
    func beneath() throws {
        let routes = try Self.routes(["/logs", "/logs/pods"])
        #expect(Self.others(routes, "/logs", "") == [])
        #expect(Self.others(routes, "/logs", "pods") == ["/logs/pods|"])
        #expect(Self.others(routes, "/logs", "pods/a/b") == ["/logs/pods|a/b"])
        #expect(Self.others(routes, "/logs", "podsx") == [])
        #expect(Self.others(routes, "/logs/pods", "a") == ["/logs|pods/a"])
    }

    @Test("a prefix that is a link, or lies beneath one")
    func links() throws {
        let links = ["/a": "/logs/pods", "/b/c": "/logs"]
        let routes = try Self.routes(["/a", "/b/c", "/logs"], links: links)
        #expect(Self.others(routes, "/a", "x") == ["/b/c|pods/x", "/logs|pods/x"])
        #expect(Self.others(routes, "/logs", "pods") == ["/a|", "/b/c|pods"])
        #expect(Self.others(routes, "/logs", "") == ["/b/c|"])
    }

    @Test("what is mounted at two places, in whole or in part, and within one prefix")
    func mounts() throws {
        let two = try Self.routes(["/srv/data", "/mnt/data/pods"])
        #expect(Self.others(two, "/srv/data", "pods/a") == ["/mnt/data/pods|a"])
        #expect(Self.others(two, "/mnt/data/pods", "a") == ["/srv/data|pods/a"])
        #expect(Self.others(two, "/srv/data", "other") == [])
        let three = try Self.routes(["/mnt/disk", "/var/pods"])
        #expect(
            Self.others(three, "/mnt/disk", "pods/a/logs/x")
                == ["/var/pods|a/logs/x", "/var/pods|b/copy/x"])
        let one = try Self.routes(["/var/pods"])
        #expect(Self.others(one, "/var/pods", "a/logs") == ["/var/pods|b/copy"])
        #expect(Self.others(one, "/var/pods", "b/copy/x") == ["/var/pods|a/logs/x"])
    }

    @Test("what something else is mounted over is no way to it")
    func covered() throws {
        let routes = try Self.routes(["/mnt/disk", "/var/pods"])
        #expect(Self.others(routes, "/var/pods", "covered/x") == [])
        #expect(Self.others(routes, "/mnt/disk", "pods/covered/x") == [])
        #expect(Self.others(routes, "/var/pods", "b/copy") != [])
    }
}
