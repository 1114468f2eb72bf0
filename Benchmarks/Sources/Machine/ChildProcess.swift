internal import CMachine
internal import Glibc

/// A program that is measured, or that serves the measurement. Started, waited for and reaped on
/// the main thread.
package final class ChildProcess {
    /// How it ended and what it used, with its own children.
    package struct End: Hashable, Sendable {
        package let userSeconds: Double
        package let systemSeconds: Double
        package let peakBytes: Int
        /// Nil: it ended with 0.
        package let fault: String?
    }

    package let pid: Int32
    /// Its pidfd.
    let process: Descriptor
    private let input: Descriptor?
    private let name: String
    private var end: End?

    /// Where a program's standard output or error goes.
    package enum Output {
        /// The end of this file, made if need be.
        case file(String)
        case discard
    }

    /// Starts `command`, whose first word is the program's path. Its input is empty, or with
    /// `feeding` a pipe that stays open until this object goes.
    package init(
        _ command: [String], output: Output, errors: Output, feeding: Bool = false
    ) throws(MachineError) {
        name = command[0]
        let output = try Self.open(output)
        let errors = try Self.open(errors)
        let childInput: Descriptor
        if feeding {
            var ends: [Int32] = [-1, -1]
            guard unsafe cmachine_pipe(&ends) == 0 else { throw MachineError("pipe for", name) }
            childInput = Descriptor(owning: ends[0])
            input = Descriptor(owning: ends[1])
        } else {
            childInput = try .open("/dev/null", O_RDONLY)
            input = nil
        }
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var handle: Int32 = -1
        let (inRaw, outRaw, errRaw) = (childInput.raw, output.raw, errors.raw)
        let pid = Scene.start {
            unsafe cmachine_spawn(command[0], &arguments, inRaw, outRaw, errRaw, &handle)
        }
        guard pid > 0 else { throw MachineError("start", name) }
        self.pid = pid
        process = Descriptor(owning: handle)
    }

    deinit {
        if end == nil {
            Scene.signal(pid, SIGKILL)
            var usage = cmachine_usage()
            _ = Scene.reap(pid, &usage)
        }
    }

    /// Writes a line to the input of a program that is fed.
    func tell(_ line: String) throws(MachineError) {
        switch input {
        case .some(let input):
            try write(Array((line + "\n").utf8), to: input.raw, name)
        case .none:
            throw MachineError("tell \(name): it is not fed")
        }
    }

    /// CPU time that it has used so far, with all its threads. It still runs.
    package func cpuSeconds() throws(MachineError) -> Double {
        let nanoseconds = cmachine_cpu(pid)
        guard nanoseconds >= 0 else { throw MachineError("CPU time of", name) }
        return Double(nanoseconds) / 1e9
    }

    /// Waits at most so long for its end; nil: it still runs.
    package func wait(milliseconds: Int) throws(MachineError) -> End? {
        if let end { return end }
        let ended = cmachine_wait(process.raw, Int32(clamping: milliseconds))
        guard ended >= 0 else { throw MachineError("wait for", name) }
        return ended == 0 ? nil : try reap()
    }

    /// Asks it to end, and makes it if it does not within so long. A program that is asked ends as
    /// it likes: how is no fault.
    package func stop(withinSeconds seconds: Int = 30) throws(MachineError) -> End {
        if let end { return end }
        Scene.signal(pid, SIGTERM)
        let ended = cmachine_wait(process.raw, Int32(clamping: seconds * 1_000))
        if ended <= 0 { Scene.signal(pid, SIGKILL) }
        let end = try reap()
        let fault = ended <= 0 ? "did not end within \(seconds) s of SIGTERM" : nil
        return End(
            userSeconds: end.userSeconds, systemSeconds: end.systemSeconds,
            peakBytes: end.peakBytes, fault: fault)
    }

    private func reap() throws(MachineError) -> End {
        var usage = cmachine_usage()
        guard Scene.reap(pid, &usage) == 0 else { throw MachineError("reap", name) }
        let fault: String? =
            usage.signalled != 0
            ? "killed by signal \(usage.code)"
            : usage.code != 0 ? "exit code \(usage.code)" : nil
        let end = End(
            userSeconds: usage.user_seconds, systemSeconds: usage.system_seconds,
            peakBytes: Int(usage.peak_rss_bytes), fault: fault)
        self.end = end
        return end
    }

    private static func open(_ output: Output) throws(MachineError) -> Descriptor {
        switch output {
        case .file(let path): try .open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        case .discard: try .open("/dev/null", O_WRONLY)
        }
    }
}
