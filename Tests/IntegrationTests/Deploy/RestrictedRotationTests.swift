import Platform
import Shipper
import TestSupport
import Testing

/// The agent with the rights that `deploy/rotate` gives it, and with fewer.
@Suite struct RestrictedRotationTests {
    private static let owner: UInt32 = 65_534
    /// Lines of the log.
    private static let lines = 2_000

    /// A log of another user, in a directory where nobody else may look; delivered.
    private final class Node {
        let home: TemporaryDirectory
        let log = "logs/shop/orders/orders-7d9f/log"
        let content: [UInt8]
        let broker: BrokerProcess
        let config: String

        /// The settings of the ConfigMap; the places are others, and archives are compressed where
        /// that is asked for.
        init(compress: Bool) throws {
            broker = try BrokerProcess()
            let address = broker.address
            home = try TemporaryDirectory()
            content = LineSource("orders-7d9f").lines(0..<RestrictedRotationTests.lines)
            try home.write("\(log)/app.log", content)
            try home.makeDirectory("data")
            let owner = RestrictedRotationTests.owner
            let another = ["chown", "--recursive", "\(owner):\(owner)", home.path("logs/shop")]
            #expect(try Deployment.run(another).exit == .code(0))
            try setMode(home.path(log), 0o700)
            try setMode(home.path("\(log)/app.log"), 0o600)
            var settings = try Deployment.text("rotate/shipper.yaml")
            settings.replace("/data/logs/", with: "\(home.path("logs"))/")
            settings.replace("/var/lib/shipper", with: home.path("data"))
            settings.replace("size: 1GiB", with: "size: 64KiB")
            if compress { settings.replace("# compress: gzip", with: "compress: gzip") }
            settings = settings.split(separator: "\n", omittingEmptySubsequences: false).map {
                $0.hasPrefix("    brokers: ")
                    ? "    brokers: [\"\(address)\"]" : String($0)
            }.joined(separator: "\n")
            config = try home.write("shipper.yaml", settings)
        }

        /// `shipper` with these capabilities and no others.
        func shipper(
            _ words: [String], _ capabilities: [String]
        ) throws -> (exit: ChildProcess.Exit, output: String, errors: String) {
            try Deployment.run(
                Deployment.restricted(to: capabilities) + [findBinary()] + words
                    + ["--config", config],
                environment: ["NODE_NAME": "node-7"])
        }

        func status(_ name: String) throws -> FileStatus {
            try FileStatus.glance(at: Array(home.path("\(log)/\(name)").utf8))
        }

        /// Delivers the log, and takes its front away with these capabilities.
        func rotate(_ capabilities: [String]) throws -> String {
            let run = try shipper(["run", "--once"], capabilities)
            #expect(run.exit == .code(0), "\(run.errors)")
            let rotate = try shipper(["rotate", "--force"], capabilities)
            return rotate.output + rotate.errors
        }
    }

    @Test func theShippedSettingsAreValid() throws {
        let check = try Deployment.run(
            [findBinary(), "check", "--config", Deployment.path("rotate/shipper.yaml")],
            environment: ["NODE_NAME": "node-7"])
        #expect(check.exit == .code(0), "\(check.errors)")
        // s6-log's directories are in an input without it.
        #expect(check.output.split(separator: "\n").count { $0 == "    rotation:" } == 1)
        #expect(check.output.contains("      size: 1GiB\n      keep: 1\n"), "\(check.output)")
    }

    @Test(
        "O6: with the rights of the overlay a log of another user is rotated, and the archive is that user's",
        .enabled(
            "needs root, and a machine that lets it make mount namespaces",
            Deployment.canRestrict),
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"),
        arguments: [false, true])
    func rotated(compress: Bool) throws {
        let node = try Node(compress: compress)
        let rights = try Deployment.capabilities(of: "rotate") + (compress ? ["fowner"] : [])
        let said = try node.rotate(rights)
        let archive = compress ? "app.log.1.gz" : "app.log.1"
        #expect(try node.home.names(node.log).sorted() == ["app.log", archive], "\(said)")
        for name in ["app.log", archive] {
            let status = try node.status(name)
            #expect(status.owner == Self.owner && status.group == Self.owner, "\(name)")
            #expect(status.mode & 0o7777 == 0o600, "\(name)")
        }
        let kept = try Deployment.run([
            "sh", "-euc", "cd \"$1\"; zcat -f \"$2\" app.log", "sh", node.home.path(node.log),
            archive,
        ])
        #expect(Array(kept.output.utf8) == node.content)
    }

    @Test(
        "O6: without any one of the rights that are added for it, nothing is touched, and that is told",
        .enabled(
            "needs root, and a machine that lets it make mount namespaces",
            Deployment.canRestrict),
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"),
        arguments: ["chown", "dac_override"])
    func refused(missing: String) throws {
        let node = try Node(compress: false)
        let rights = try Deployment.capabilities(of: "rotate")
        #expect(rights.contains(missing))
        // It has to read, at least, as the agents that do not rotate.
        let rest = rights.filter { $0 != missing } + ["dac_read_search"]
        let said = try node.rotate(rest)
        #expect(said.contains("not permitted") || said.contains("ermission denied"), "\(said)")
        #expect(try node.home.names(node.log) == ["app.log"])
        #expect(try readFile(node.home.path("\(node.log)/app.log")) == node.content)
    }

    @Test(
        "O6: without FOWNER an archive stays plain, and that is told",
        .enabled(
            "needs root, and a machine that lets it make mount namespaces",
            Deployment.canRestrict),
        .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"))
    func plain() throws {
        let node = try Node(compress: true)
        let said = try node.rotate(try Deployment.capabilities(of: "rotate"))
        #expect(said.contains("futimens: Operation not permitted"), "\(said)")
        #expect(try node.home.names(node.log).sorted() == ["app.log", "app.log.1"])
    }
}
