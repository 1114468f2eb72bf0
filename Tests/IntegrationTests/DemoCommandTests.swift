import Glibc
import TestSupport
import Testing

/// `shipper demo` as a user runs it. Its files go into a directory of the test, so that what is left
/// behind can be seen: files in it, and processes that were started with a path in it.
@Suite("shipper demo", .serialized)
struct DemoCommandTests {
    private let home: TemporaryDirectory

    init() throws { home = try TemporaryDirectory() }

    @Test("It ships 40,000 lines of four writers, says so in a table, and leaves nothing behind")
    func ends() throws {
        _ = try findProgram("s6-log", package: "s6")
        let demo = try start(["--lines", "40000", "--writers", "4"])
        #expect(try demo.wait() == .code(0), "\(demo.output)\(demo.errors)")
        let lines = demo.output.split(separator: "\n").map(String.init)
        #expect(lines.contains("written              40,000"), "\(demo.output)")
        #expect(lines.contains("delivered            40,000"))
        #expect(lines.contains("lost                      0"))
        #expect(lines.contains("duplicated                0"))
        #expect(lines.contains("out of order              0"))
        #expect(lines.last == "Every line arrived once and in order.")
        let rotations = lines.first { $0.hasPrefix("rotations  ") }?.split(separator: " ").last
        #expect(try #require(rotations.flatMap { Int($0) }) >= 80)
        #expect(demo.errors.isEmpty)
        try expectNothingLeft()
    }

    @Test("^C at the terminal ends the writers; what they wrote is shipped and audited")
    func interrupted() throws {
        let demo = try start(["--lines", "100000000"])
        try eventually("lines are delivered; \(demo.output)") { delivered(demo) > 0 }
        // A terminal's ^C goes to the whole group.
        #expect(kill(-demo.pid, SIGINT) == 0)
        #expect(try demo.wait() == .code(0), "\(demo.output)\(demo.errors)")
        #expect(demo.output.hasSuffix("Every line arrived once and in order.\n"))
        try expectNothingLeft()
    }

    @Test("--seconds bounds how long the writers write")
    func seconds() throws {
        let demo = try start(["--lines", "100000000", "--seconds", "1"])
        #expect(try demo.wait() == .code(0), "\(demo.output)\(demo.errors)")
        #expect(demo.output.contains("for 1 s at the most"))
        #expect(delivered(demo) > 0)
        try expectNothingLeft()
    }

    @Test("However it ends, its writers end with it")
    func killed() throws {
        let demo = try start(["--lines", "100000000"])
        try eventually("its writers run") { try writers() == 4 }
        demo.signal(SIGKILL)
        #expect(try demo.wait() == .signal(SIGKILL))
        try eventually("its writers are gone") { try writers() == 0 }
    }

    @Test("Without s6-log it says what to install and ends with 70")
    func noWriterProgram() throws {
        let demo = try ChildProcess(
            try findBinary(), ["demo"],
            environment: ["PATH": "/nowhere", "TMPDIR": home.path])
        #expect(try demo.wait() == .code(70))
        #expect(
            demo.errors == "shipper: s6-log is not on PATH, and the demo's writers need it: "
                + "install the Debian package s6\n")
        try expectNothingLeft()
    }

    private func start(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(
            try findBinary(), ["demo"] + arguments, environment: ["TMPDIR": home.path])
    }

    /// The figure of the last line that says how far it is.
    private func delivered(_ demo: ChildProcess) -> Int {
        let rows = demo.output.split(separator: "\n").filter { $0.hasSuffix(" MB") }
        let cells = rows.last?.split(separator: " ") ?? []
        return cells.count < 3 ? 0 : Int(cells[2].filter { $0 != "," }) ?? 0
    }

    private func expectNothingLeft() throws {
        #expect(try home.names().isEmpty)
        #expect(try writers() == 0)
    }

    /// Processes that were started with a path in the test's directory.
    private func writers() throws -> Int {
        try directoryNames("/proc").count { name in
            guard Int(name) != nil else { return false }
            do {
                let line = String(decoding: try readFile("/proc/\(name)/cmdline"), as: UTF8.self)
                return line.contains(home.path)
            } catch {
                // It ended since the listing.
                return false
            }
        }
    }
}
