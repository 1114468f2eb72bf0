internal import Glibc

/// The clock by which one program gives its records their times; a test sets it while the program runs.
package struct ShiftedClock: Sendable {
    private let home: TemporaryDirectory
    /// What to start the program with.
    package let wrapper: [String]

    /// It is right at first.
    package init() throws {
        home = try TemporaryDirectory()
        wrapper = [
            "/usr/bin/env", "LD_PRELOAD=\(try findProduct("libfailcalls.so"))",
            "CLOCK_AHEAD=\(home.path("ahead"))",
        ]
        try set(ahead: 0)
    }

    /// From now on it is so many seconds ahead; behind, below 0.
    package func set(ahead seconds: Int) throws {
        try home.write("next", "\(seconds)\n")
        // Whoever reads it meanwhile sees one or the other.
        try rename(home.path("next"), home.path("ahead"))
    }
}
