import Platform
import Synchronization
import TestSupport
import Testing

@Suite("A program fed through a pipe")
struct PipedProcessTests {
    private let shell = "/bin/sh"

    @Test("It reads what it is given until the end of its input, and its exit code is known")
    func reads() throws {
        let script = #"read -r a; read -r b; test "$a-$b" = one-two && ! read -r c && exit 7"#
        let process = try PipedProcess(shell, ["-c", script])
        try process.write(Array("one\ntwo\n".utf8))
        process.closeInput()
        #expect(process.wait() == .code(7))
        #expect(process.wait() == .code(7))
    }

    @Test("A program that is killed takes a write that waits for it with it")
    func killed() throws {
        let process = try PipedProcess(shell, ["-c", "exec tail -f /dev/null"])
        // More than a pipe holds, so that the writer is waiting by the time of the kill, or finds
        // nobody: EPIPE in both cases. On a thread of the data path, where SIGPIPE is blocked.
        let failure = Failure()
        let thread = try SystemThread("test-feeder") {
            do throws(SystemError) {
                try process.write([UInt8](repeating: 0, count: 1 << 20))
            } catch {
                failure.error.withLock { $0 = error }
            }
        }
        process.kill()
        thread.join()
        #expect(failure.error.withLock { $0 }?.code == .brokenPipe)
        #expect(process.wait() == .signal(9))
        process.kill()
    }

    @Test("Signals are not ignored in it, and it has no descriptors of ours but the three")
    func inherits() throws {
        // glibc's posix_spawn lets its own two signals, 32 and 33, be ignored.
        let script = """
            test "$(echo /proc/self/fd/*)" = "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 \
            /proc/self/fd/3" || exit 1
            while read -r name value rest; do
              case $name in
                SigBlk:) test "$value" = 0000000000000000 || exit 2;;
                SigIgn:) test $((0x$value & ~0x180000000)) = 0 || exit 4;;
              esac
            done < /proc/self/status
            kill -PIPE $$
            exit 3
            """
        let process = try PipedProcess(shell, ["-c", script])
        #expect(process.wait() == .signal(13))
    }

    @Test("A program that is not there is an error with its path")
    func missing() {
        #expect {
            _ = try PipedProcess("/nowhere/program", [])
        } throws: {
            "\($0)" == "posix_spawn /nowhere/program: No such file or directory"
        }
        #expect(PipedProcess.find("sh", path: "/nowhere:/bin") == "/bin/sh")
        #expect(PipedProcess.find("sh", path: "/nowhere") == nil)
        #expect(PipedProcess.find("sh", path: "") == nil)
    }

    private final class Failure: Sendable {
        let error = Mutex<SystemError?>(nil)
    }
}
