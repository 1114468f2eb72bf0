import Glibc
import TestSupport
import Testing

@Suite("What tests run is ended with them")
struct ChildProcessTests {
    @Test("Output, errors and exit code of a program arrive whole")
    func outputArrives() throws {
        let process = try ChildProcess(
            "/bin/sh", ["-c", "cat; echo \"$SHIPPER_WORD\" >&2; exit 3"],
            environment: ["SHIPPER_WORD": "problem"], input: .pipe)
        try process.write(Array(repeating: UInt8(ascii: "x"), count: 1_000_000))
        process.closeInput()
        #expect(try process.wait() == .code(3))
        #expect(process.output.utf8.count == 1_000_000)
        #expect(process.errors == "problem\n")
        #expect(process.usage != nil)
    }

    @Test("A program that cannot be started is an error that names it")
    func missingProgram() {
        #expect {
            try ChildProcess("/nonexistent/program")
        } throws: {
            "\($0)" == "exec /nonexistent/program: No such file or directory"
        }
        #expect {
            try findProgram("shipper-nonexistent", package: "some-package")
        } throws: {
            "\($0)".contains("Debian package some-package")
        }
    }

    @Test("A deadline that passes names the program and what it said")
    func deadline() throws {
        let process = try ChildProcess("/bin/sh", ["-c", "echo stuck >&2; exec cat"], input: .pipe)
        try eventually("the message is there") { process.errors == "stuck\n" }
        #expect {
            try process.wait(within: .milliseconds(1))
        } throws: {
            "\($0)".contains("/bin/sh -c") && "\($0)".contains("stuck")
        }
        #expect(try process.exit == nil)
        process.signal(SIGTERM)
        #expect(try process.wait() == .signal(SIGTERM))
    }

    @Test("A program that nobody holds any more is killed, and its children with it")
    func killedWithLastReference() throws {
        var process: ChildProcess? = try ChildProcess("/bin/sh", ["-c", "cat & echo $!; wait"])
        try eventually("both run") { process?.output.contains("\n") == true }
        let shell = try #require(process?.pid)
        let child = try #require(process.flatMap { Int32($0.output.dropLast()) })
        process = nil
        // A killed process that is not yet reaped by init still has a number.
        try eventually("both are gone") { isGone(shell) && isGone(child) }
    }

    @Test("When a process dies by SIGKILL, what it started dies")
    func diesWithParent() async throws {
        let result = await #expect(
            processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
        ) {
            let child = try ChildProcess("/bin/cat", input: .pipe)
            print("\nchild \(child.pid)")
            fflush(nil)
            kill(getpid(), SIGKILL)
        }
        let output = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
        let line = try #require(output.split(separator: "\n").first { $0.hasPrefix("child ") })
        let child = try #require(Int32(line.dropFirst("child ".count)))
        try eventually("process \(child) is gone") { isGone(child) }
    }

    private func isGone(_ pid: Int32) -> Bool {
        guard let status = try? readFile("/proc/\(pid)/status") else { return true }
        return String(decoding: status, as: UTF8.self).contains("State:\tZ")
    }
}
