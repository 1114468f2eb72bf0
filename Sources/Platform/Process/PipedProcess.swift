import CLinux
import Glibc
import Synchronization

/// A program of the system that is fed through a pipe on its standard input. Its standard output is
/// discarded, its standard error is ours.
///
/// It has a process group of its own, so that a ^C at the terminal reaches only us. However this
/// process ends, its end of the pipe goes with it: a program that ends with its input is never left
/// behind. Any thread may use it, one at a time writes.
package final class PipedProcess: Sendable {
    /// How a program ended.
    package enum End: Hashable, Sendable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        package var description: String {
            switch self {
            case .code(let code): "exit code \(code)"
            case .signal(let number): "signal \(number)"
            }
        }
    }

    private struct State: ~Copyable {
        var input: Descriptor?
        /// Nil while its status is not taken, which is how long its number is its own.
        var end: End?
    }

    private let pid: pid_t
    private let state: Mutex<State>

    /// The path of a program, found in the directories of `path` as a shell does; nil where there
    /// is none that may be executed.
    package static func find(_ program: String, path: String) -> String? {
        for directory in path.split(separator: ":") {
            let candidate = "\(directory)/\(program)"
            if unsafe access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }

    /// Starts the program at this path.
    package init(_ executable: String, _ arguments: [String]) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe clinux_pipe(&ends) == 0 else { throw SystemError("pipe2", code: .last) }
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        pid = try Self.spawn(executable, arguments, input: reading)
        state = Mutex(State(input: consume writing, end: nil))
    }

    deinit {
        closeInput()
        kill()
        _ = wait()
    }

    /// Gives it input, blocking while the pipe is full. A program that is gone is EPIPE, to a
    /// thread that blocks or ignores SIGPIPE.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        // A descriptor of its own, so that nobody waits for the lock while the pipe is full.
        let pipe = try state.withLock { state throws(SystemError) -> Descriptor in
            guard let copy = try state.input?.duplicate() else {
                throw SystemError("write", path: "a closed pipe", code: .brokenPipe)
            }
            return copy
        }
        try pipe.write(bytes)
    }

    /// Ends its input.
    package func closeInput() { state.withLock { $0.input = nil } }

    /// SIGKILL; nothing happens if it has ended.
    package func kill() {
        state.withLock { state in
            if state.end == nil { _ = Glibc.kill(pid, SIGKILL) }
        }
    }

    /// Blocks until it has ended.
    package func wait() -> End {
        var info = unsafe siginfo_t()
        // Its status stays to be taken, so that its number cannot become another process's while
        // `kill` may still use it. ECHILD: it was taken, by an earlier call.
        _ = retrying { unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) }
        return state.withLock { state in
            if let end = state.end { return end }
            var status: Int32 = 0
            let answer = retrying { unsafe waitpid(pid, &status, 0) }
            precondition(answer == pid, "waitpid of a child of ours: \(Errno.last)")
            let signal = status & 0x7f
            let end = signal == 0 ? End.code(status >> 8 & 0xff) : End.signal(signal)
            state.end = end
            return end
        }
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], input: borrowing Descriptor
    ) throws(SystemError) -> pid_t {
        var argv = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe argv.forEach { unsafe free($0) } }
        var pid: pid_t = -1
        let code = input.withRawValue { number in
            unsafe clinux_spawn(executable, &argv, clinux_environment(), number, &pid)
        }
        guard code == 0 else {
            throw SystemError("posix_spawn", path: executable, code: Errno(code))
        }
        return pid
    }
}
