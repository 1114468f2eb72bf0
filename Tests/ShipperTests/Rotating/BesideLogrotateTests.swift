import Glibc
import Model
import Platform
import Rotator
import Settings
import TestSupport
import Testing

@testable import Registry
@testable import Shipper
@testable import Tailer

/// The same log, rotated as often, by logrotate in one directory and by us in another: the same
/// names, owners, groups and modes lie there, and archives are compressed or not.
@Suite(
    "Beside logrotate 3.21",
    .enabled(if: CollapsingDisk.isHere, "the file system of /tmp cannot collapse"),
    .enabled(
        if: Logrotate.isHere,
        "logrotate is not installed; it comes with Debian's logrotate"))
struct BesideLogrotateTests {
    struct Configuration: CustomTestStringConvertible, Sendable {
        /// As logrotate has it, with blanks for newlines.
        let theirs: String
        /// As we have it.
        let ours: String
        var mode: UInt32 = 0o644
        var owner: UInt32 = 0
        var rounds = 4
        /// It is asked for as often, and is not due.
        var isForced = true
        /// Archives that lie there, by number, and how many days ago they were changed last.
        var old: [Int: Int64] = [:]
        /// Lines that are written before each round.
        var lines = 800
        var testDescription: String { "\(theirs) \(String(mode, radix: 8)) \(owner)" }
    }

    private static let configurations: [Configuration] = [
        Configuration(theirs: "rotate 1", ours: "keep: 1"),
        Configuration(theirs: "rotate 2", ours: "keep: 2", mode: 0o600),
        Configuration(theirs: "rotate 3", ours: "keep: 3", mode: 0o640),
        Configuration(theirs: "rotate 7", ours: "keep: 7", mode: 0o666),
        Configuration(theirs: "rotate 1 compress", ours: "keep: 1, compress: gzip"),
        Configuration(theirs: "rotate 2 compress", ours: "keep: 2, compress: gzip", mode: 0o600),
        Configuration(theirs: "rotate 7 compress", ours: "keep: 7, compress: gzip", mode: 0o400),
        Configuration(
            theirs: "rotate 1 compress delaycompress",
            ours: "keep: 1, compress: gzip, delay_compress: true"),
        Configuration(
            theirs: "rotate 2 compress delaycompress",
            ours: "keep: 2, compress: gzip, delay_compress: true"),
        Configuration(
            theirs: "rotate 7 compress delaycompress",
            ours: "keep: 7, compress: gzip, delay_compress: true", mode: 0o640),
        Configuration(theirs: "rotate 2 nocompress", ours: "keep: 2, compress: none"),
        Configuration(theirs: "rotate 2", ours: "keep: 2", mode: 0o640, owner: 33),
        Configuration(
            theirs: "rotate 3 compress", ours: "keep: 3, compress: gzip", mode: 0o600, owner: 65_534
        ),
        Configuration(
            theirs: "rotate 5 compress delaycompress",
            ours: "keep: 5, compress: gzip, delay_compress: true",
            mode: 0o660, owner: 12),
        // By size.
        Configuration(
            theirs: "size 64k rotate 3", ours: "size: 64KiB, keep: 3", isForced: false, lines: 2_500
        ),
        Configuration(theirs: "size 1G rotate 3", ours: "size: 1GiB, keep: 3", isForced: false),
        Configuration(
            theirs: "size 64k rotate 2 compress", ours: "size: 64KiB, keep: 2, compress: gzip",
            rounds: 3,
            isForced: false, lines: 2_500),
        // By time: the first look remembers, and nothing is due.
        Configuration(
            theirs: "daily rotate 3", ours: "schedule: \"0 0 * * *\", keep: 3", isForced: false),
        Configuration(
            theirs: "weekly rotate 3 compress",
            ours: "schedule: \"0 0 * * 0\", keep: 3, compress: gzip", isForced: false),
        Configuration(
            theirs: "hourly rotate 3", ours: "schedule: \"0 * * * *\", keep: 3", rounds: 1,
            isForced: false),
        // By age of the archives.
        Configuration(
            theirs: "rotate 9 maxage 5", ours: "keep: 9, max_age: 5d", rounds: 1,
            old: [1: 2, 2: 4, 3: 6, 4: 9]),
        // Nothing is there, and nothing is in it.
        Configuration(
            theirs: "rotate 3 missingok", ours: "keep: 3, missing_ok: true", rounds: 2, lines: -1),
        Configuration(
            theirs: "rotate 3 notifempty", ours: "keep: 3, not_empty: true", rounds: 2, lines: 0),
    ]

    @Test("O5, O6: the same names, owners and modes", arguments: configurations)
    func same(configuration: Configuration) throws {
        if configuration.owner != 0, getuid() != 0 { return }
        let home = try TemporaryDirectory()
        for side in ["theirs", "ours"] {
            try prepare(home.makeDirectory(side), configuration)
        }
        let ours = try Side(home, configuration)
        for round in 0..<configuration.rounds {
            let bytes = LineSource("w", payload: 40...120).lines(
                round * 3_000..<round * 3_000 + max(0, configuration.lines))
            if configuration.lines >= 0 {
                for side in ["theirs", "ours"] {
                    try appendBytes(bytes, to: home.path("\(side)/app.log"))
                }
            }
            try logrotate(home, configuration)
            try ours.rotate()
            #expect(
                try look(home.path("ours")) == look(home.path("theirs")),
                "round \(round): \(ours.said)")
        }
    }

    private func prepare(_ directory: String, _ configuration: Configuration) throws {
        try setMode(directory, 0o755)
        guard configuration.lines >= 0 else { return }
        var names = ["app.log"]
        names += configuration.old.keys.sorted().map { "app.log.\($0)" }
        for name in names {
            let path = "\(directory)/\(name)"
            try appendBytes(name == "app.log" ? [] : Array("old \(name)\n".utf8), to: path)
            try setMode(path, configuration.mode)
            if configuration.owner != 0 {
                try give(path, owner: configuration.owner, group: configuration.owner)
            }
        }
        for (number, days) in configuration.old {
            try Descriptor.open("\(directory)/app.log.\(number)", O_RDWR).setTimes(
                FileTime(
                    nanoseconds: Clock.wallNanoseconds() - (days * 86_400 + 60) * 1_000_000_000))
        }
    }

    private func logrotate(_ home: TemporaryDirectory, _ configuration: Configuration) throws {
        // The words that take another one stay on their lines.
        var text = "\(home.path("theirs"))/app.log {\n copytruncate\n"
        var words = configuration.theirs.split(separator: " ").map(String.init)[...]
        while let word = words.popFirst() {
            let takes = ["rotate", "size", "maxage"].contains(word)
            text += " \(word)\(takes ? " \(words.popFirst() ?? "")" : "")\n"
        }
        let file = try home.write("logrotate.conf", text + "}\n")
        try setMode(file, 0o644)
        let program = try ChildProcess(
            findProgram("logrotate", package: "logrotate"),
            (configuration.isForced ? ["-f"] : []) + ["-s", home.path("state"), file])
        let exit = try program.wait()
        #expect(exit == .code(0), "\(program.errors)")
    }

    private struct Seen: Hashable, CustomStringConvertible {
        let name: String
        let mode: UInt32
        let owner: UInt32
        let group: UInt32
        let isPacked: Bool
        var description: String { "\(name) \(String(mode, radix: 8)) \(owner):\(group)" }
    }

    private func look(_ directory: String) throws -> Set<Seen> {
        Set(
            try directoryNames(directory).map { name in
                let path = "\(directory)/\(name)"
                let status = try FileStatus.glance(at: Array(path.utf8))
                return Seen(
                    name: name, mode: status.mode & 0o7777, owner: status.owner,
                    group: status.group,
                    isPacked: try readFile(path).starts(with: [0x1F, 0x8B]))
            })
    }

    /// Our side: a registry in which all is delivered, and the rotator.
    private final class Side {
        private let home: TemporaryDirectory
        private let registry: Registry
        private let round: RotationRound
        private let lines = LogLines()
        private let isForced: Bool

        init(_ home: TemporaryDirectory, _ configuration: Configuration) throws {
            self.home = home
            isForced = configuration.isForced
            let log = Log(level: .debug, format: .text, sink: lines.add)
            registry = try Registry.open(
                directory: home.path("data"), observer: EventLog(log), allowsCuts: true)
            let size =
                configuration.ours.contains("size:") || configuration.ours.contains("schedule:")
                ? "" : "size: 1GiB, "
            let settings = try Settings.parse(
                """
                data: \(home.path("data"))
                inputs:
                  - name: pods
                    paths: ["\(home.path("ours"))/*.log"]
                    rotation: {\(size)\(configuration.ours)}
                output: {kafka: {brokers: embedded, topic: logs}}

                """)
            round = RotationRound(
                settings, RotationRun.Parts(registry: registry), Counters(), log,
                isNear: { _ in true })
        }

        var said: [String] { lines.all }

        func rotate() throws {
            // What the reader would have done since.
            for name in try home.names("ours") { try deliver(home.path("ours/\(name)"), name) }
            for entry in registry.entries() {
                let isThere = try home.names("ours").contains {
                    try FileStatus.glance(at: Array(home.path("ours/\($0)").utf8)).inode
                        == entry.identity.inode
                }
                if !isThere { registry.gone(entry.file) }
            }
            if isForced {
                _ = round.fulfil(RotationWish(isForced: true))
            } else {
                round.look(Clock.monotonicNanoseconds())
            }
            round.finishArchives()
        }

        private func deliver(_ path: String, _ name: String) throws {
            let file = try Descriptor.open(path, O.read)
            let identity = FileIdentity(of: file, try file.status())
            let bytes = try readFile(path)
            guard !bytes.isEmpty else { return }
            let known = registry.entries().first { $0.identity.agrees(with: identity) }
            if known?.state == .archived { return }
            let entry =
                known
                ?? registry.see(
                    NewFile(
                        input: "pods", stream: home.path("ours/app.log"), path: path,
                        identity: identity,
                        fingerprint: .of(head: Array(bytes.prefix(1024))), offset: .start,
                        size: PhysicalOffset(bytes.count),
                        state: name == "app.log" ? .active : .archived))
            registry.headGrew(entry.file, head: Array(bytes.prefix(1024)))
            registry.advance([
                Advance(
                    file: entry.file, generation: entry.generation,
                    offset: entry.base.logical(PhysicalOffset(bytes.count)),
                    anchor: Anchor(bytes: Array(bytes.suffix(64))),
                    size: PhysicalOffset(bytes.count))
            ])
        }
    }
}

private enum Logrotate {
    static let isHere = (try? findProgram("logrotate", package: "logrotate")) != nil
}
