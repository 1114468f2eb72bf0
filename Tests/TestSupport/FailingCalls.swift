internal import Glibc
private import Platform

/// System calls that fail in one program, on chosen paths, for as long as a test wants: what sick disks, stale
/// mounts and other people's rights do.
package struct FailingCalls: Sendable {
    /// The calls in groups; `access` is an open for more than a look at what a file is.
    package enum Call: String, Sendable, CaseIterable {
        case stat, open, access, read, lseek, lease, getdents, handle, statx, statfs
    }

    /// Why they fail.
    package enum Code: Sendable, CaseIterable {
        case io, stale, access, notFound, interrupted

        var value: Int32 {
            switch self {
            case .io: EIO
            case .stale: ESTALE
            case .access: EACCES
            case .notFound: ENOENT
            case .interrupted: EINTR
            }
        }
    }

    /// What fails: `times` 0 is for ever.
    package struct Rule: Hashable, Sendable {
        /// As the library has it.
        fileprivate let line: String

        package init(_ call: Call, _ code: Code, times: Int = 0, _ path: String) {
            line = "\(call.rawValue) \(code.value) \(times) \(path)\n"
        }

        /// The process has no descriptor left for this file.
        package static func noDescriptor(_ path: String) -> Rule {
            Rule(line: "access \(EMFILE) 0 \(path)\n")
        }

        /// Nothing beneath the directory gets to its disk, and nobody is told so.
        package static func hangForced(beneath path: String) -> Rule {
            Rule(line: "fsync -1 0 \(path)/**\n")
        }

        /// Nothing can be written beneath the directory, and nobody is told so.
        package static func hangWritten(beneath path: String) -> Rule {
            Rule(line: "write -1 0 \(path)/**\n")
        }

        /// Calls on the directory and on what is beneath it are counted, and none fails.
        package static func counted(_ call: Call, beneath path: String) -> Rule {
            Rule(line: "\(call.rawValue) 0 0 \(path)/**\n")
        }

        private init(line: String) { self.line = line }

        /// No call on the directory or on what is beneath it comes back, as where a server is gone.
        package static func hang(beneath path: String) -> Rule {
            Rule(line: "any -1 0 \(path)/**\n")
        }
    }

    private let home: TemporaryDirectory
    /// What to start the program with.
    package let wrapper: [String]

    package init() throws {
        home = try TemporaryDirectory()
        let library = try findProduct("libfailcalls.so")
        wrapper = [
            "/usr/bin/env", "LD_PRELOAD=\(library)", "FAIL_CALLS=\(home.path("rules"))",
            "FAIL_MOUNTS=\(home.path("mounts"))",
        ]
    }

    /// The same for a program for which what lies beneath `path` has the times of a server with another clock,
    /// that many seconds ahead of ours, in steps of `tick` nanoseconds.
    package func wrapper(clockAt path: String, seconds: Int, tick: Int = 1) -> [String] {
        wrapper + ["FILE_CLOCK=\(seconds) \(tick) \(path)"]
    }

    /// From now on, and instead of what failed before.
    package func fail(_ rules: Rule...) throws { try fail(rules) }

    package func fail(_ rules: [Rule]) throws {
        try home.write("next", rules.map(\.line).joined())
        // A program that reads it meanwhile sees the old rules or the new ones.
        try rename(home.path("next"), home.path("rules"))
    }

    /// Has the program take directories for what was mounted there from a server: each a file system of its own.
    package func pretendMounts(_ points: [String]) throws {
        var lines = ["22 1 259:2 / / rw - ext4 /dev/root rw\n"]
        for (index, point) in points.enumerated() {
            lines.append("\(60 + index) 22 0:\(900 + index) / \(point) rw - nfs4 server:/a rw\n")
        }
        try home.write("mounts", lines.joined())
    }

    /// Nothing fails any more.
    package func heal() throws { try fail([]) }

    /// Calls that have failed up to now.
    package func count() throws -> Int { try bytes("rules.hits") }

    /// Calls that were counted up to now.
    package func count(of call: Call) throws -> Int { try bytes("rules.\(call.rawValue)") }

    private func bytes(_ name: String) throws -> Int {
        unsafe access(home.path(name), F_OK) == 0
            ? try FileStatus.glance(at: Array(home.path(name).utf8)).size : 0
    }
}
