internal import Glibc

/// System calls that fail in one program, on chosen paths, for as long as a test wants: what sick disks, stale
/// mounts and other people's rights do.
package struct FailingCalls: Sendable {
    /// The calls in groups; `access` is an open for more than a look at what a file is.
    package enum Call: String, Sendable, CaseIterable {
        case stat, open, access, read, lseek, lease, getdents, handle, statx
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
        let call: Call
        let code: Code
        let times: Int
        let path: String

        package init(_ call: Call, _ code: Code, times: Int = 0, _ path: String) {
            self.call = call
            self.code = code
            self.times = times
            self.path = path
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
        ]
    }

    /// From now on, and instead of what failed before.
    package func fail(_ rules: Rule...) throws { try fail(rules) }

    package func fail(_ rules: [Rule]) throws {
        let lines = rules.map { "\($0.call.rawValue) \($0.code.value) \($0.times) \($0.path)\n" }
        try home.write("next", lines.joined())
        // A program that reads it meanwhile sees the old rules or the new ones.
        try rename(home.path("next"), home.path("rules"))
    }

    /// Nothing fails any more.
    package func heal() throws { try fail([]) }

    /// Calls that have failed up to now.
    package func count() throws -> Int {
        unsafe access(home.path("rules.hits"), F_OK) == 0
            ? try readFile(home.path("rules.hits")).count : 0
    }
}
