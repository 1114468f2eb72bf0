internal import CTestSupport
internal import Glibc
package import Platform
internal import Synchronization

/// A program that a test runs. It is killed when the last reference goes, and by the kernel when the
/// test process ends in whatever way, so nothing is left running. Any thread may use it.
package final class ChildProcess: Sendable {
    /// What the program reads.
    package enum Input: Sendable {
        /// /dev/null
        case nothing
        /// What `write` gives it until `closeInput`.
        case pipe
        case file(String)
    }

    /// Where the program writes.
    package enum Output: Sendable {
        /// Kept in memory, to be read by `output` and `errors`.
        case collect
        /// Added to the end of this file.
        case file(String)
        case discard
    }

    /// How the program ended.
    package enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    /// What the program used until it ended.
    package struct Usage: Sendable {
        /// User and system time together.
        package let cpu: Duration
        package let peakMemoryBytes: Int
    }

    private struct State {
        var exit: Exit?
        var usage: Usage?
    }

    package let pid: Int32
    /// The program and its arguments, for messages.
    package let commandLine: String
    private let process: Descriptor
    private let input: Feed?
    private let standardOutput: Collector?
    private let standardError: Collector?
    private let state = Mutex(State())

    /// Starts `executable`, a path, or throws what exec says. `environment` is added to the
    /// inherited one.
    package init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        directory: String? = nil, input: Input = .nothing, output: Output = .collect,
        errors: Output = .collect
    ) throws(SystemError) {
        ctest_ignore_sigpipe()
        let childInput: Descriptor
        switch input {
        case .nothing:
            childInput = try .open("/dev/null", O_RDONLY)
            self.input = nil
        case .file(let path):
            childInput = try .open(path, O_RDONLY)
            self.input = nil
        case .pipe:
            let pipe = try makePipe()
            self.input = Feed(owning: pipe.writing)
            childInput = Descriptor(owning: pipe.reading)
        }
        let childOutput = try Self.open(output)
        let childErrors = try Self.open(errors)
        standardOutput = childOutput.collector
        standardError = childErrors.collector
        commandLine = ([executable] + arguments).joined(separator: " ")
        let started = try Self.spawn(
            executable, arguments, environment, directory,
            childInput, childOutput.descriptor, childErrors.descriptor)
        pid = started.pid
        process = Descriptor(owning: started.process)
    }

    deinit {
        end()
    }

    /// Kills it, with the processes it started that are still in its group, and waits for its end.
    package func end() {
        state.withLock { state in
            guard state.exit == nil else { return }
            _ = Glibc.kill(-pid, SIGKILL)
            reap(&state)
        }
        input?.close()
        standardOutput?.join()
        standardError?.join()
    }

    /// Sends it a signal; nothing happens if it has ended.
    package func signal(_ number: Int32) {
        state.withLock { state in
            // Before its status is taken its number cannot belong to another process.
            if state.exit == nil { _ = Glibc.kill(pid, number) }
        }
    }

    /// How it ended, or nil while it runs.
    package var exit: Exit? {
        get throws(SystemError) { try hasEnded(within: 0) }
    }

    /// What it used; nil while it runs.
    package var usage: Usage? { state.withLock { $0.usage } }

    /// Blocks until it ended; after the deadline throws `TimedOut` with what it wrote to its errors.
    /// What it wrote is complete then, unless a process that it started still runs.
    @discardableResult
    package func wait(within deadline: Duration = .patience) throws -> Exit {
        let (seconds, attoseconds) = deadline.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        guard let exit = try hasEnded(within: milliseconds) else {
            throw TimedOut(
                description: "\(commandLine) did not end within \(deadline); errors: \(errors)")
        }
        standardOutput?.join()
        standardError?.join()
        return exit
    }

    /// What it wrote to its standard output so far, if that is collected.
    package var output: String { standardOutput?.text ?? "" }

    /// What it wrote to its standard error so far, if that is collected.
    package var errors: String { standardError?.text ?? "" }

    /// Gives it input, blocking while the pipe is full. A reader that is gone is EPIPE.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        guard let input else { preconditionFailure("\(commandLine) was started without a pipe") }
        try input.write(bytes)
    }

    /// Ends its input.
    package func closeInput() { input?.close() }

    /// A number in bytes from its /proc/PID/status, such as `VmRSS` or `VmHWM` (the peak); nil if it
    /// has ended.
    package func memoryBytes(_ field: String = "VmRSS") -> Int? {
        status(field).flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// Whether it catches, blocks or ignores a signal by now: before that the signal would kill it.
    package func isPrepared(for signal: Int32) -> Bool {
        for field in ["SigCgt", "SigBlk", "SigIgn"] {
            guard let text = status(field), let mask = UInt64(text, radix: 16) else { continue }
            if mask & (1 << UInt64(signal - 1)) != 0 { return true }
        }
        return false
    }

    /// The first word of a field of its /proc/PID/status.
    private func status(_ field: String) -> String? {
        // It may end between any two looks: no file, no answer.
        guard let bytes = try? readFile("/proc/\(pid)/status") else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("\(field):") {
            return line.split { $0 == " " || $0 == "\t" }.dropFirst().first.map(String.init)
        }
        return nil
    }

    private func hasEnded(within milliseconds: Int64) throws(SystemError) -> Exit? {
        if let exit = state.withLock({ $0.exit }) { return exit }
        let answer = process.withRawValue { ctest_wait_ended($0, milliseconds) }
        if answer < 0 { throw SystemError("poll of a process", code: .last) }
        if answer == 0 { return nil }
        return state.withLock { state in
            if state.exit == nil { reap(&state) }
            return state.exit
        }
    }

    private func reap(_ state: inout State) {
        var code: Int32 = 0
        var signalled: Int32 = 0
        var cpu: Int64 = 0
        var peak: Int64 = 0
        let answer = unsafe ctest_reap(pid, &code, &signalled, &cpu, &peak)
        precondition(answer == 0, "wait4 of a child of ours: \(Errno.last)")
        state.exit = signalled != 0 ? .signal(code) : .code(code)
        state.usage = Usage(cpu: .microseconds(cpu), peakMemoryBytes: Int(peak))
    }

    private struct Opened: ~Copyable {
        let descriptor: Descriptor
        let collector: Collector?
    }

    private static func open(_ output: Output) throws(SystemError) -> Opened {
        switch output {
        case .collect:
            let pipe = try makePipe()
            let writing = Descriptor(owning: pipe.writing)
            let collector = try Collector(owning: pipe.reading)
            return Opened(descriptor: writing, collector: collector)
        case .file(let path):
            let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
            return Opened(descriptor: file, collector: nil)
        case .discard:
            return Opened(descriptor: try .open("/dev/null", O_WRONLY), collector: nil)
        }
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ added: [String: String],
        _ directory: String?, _ input: borrowing Descriptor, _ output: borrowing Descriptor,
        _ errors: borrowing Descriptor
    ) throws(SystemError) -> (pid: Int32, process: Int32) {
        var variables: [String] = added.map { "\($0.key)=\($0.value)" }
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let variable = unsafe String(cString: entry)
            let name = String(variable.prefix { $0 != "=" })
            if added[name] == nil { variables.append(variable) }
            unsafe next += 1
        }
        var argv = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
        var envp = unsafe variables.map { unsafe strdup($0) } + [nil]
        defer {
            unsafe argv.forEach { unsafe free($0) }
            unsafe envp.forEach { unsafe free($0) }
        }
        var process: Int32 = -1
        let pid = input.withRawValue { input in
            output.withRawValue { output in
                errors.withRawValue { errors in
                    unsafe ctest_spawn(
                        executable, &argv, &envp, directory, input, output, errors, &process)
                }
            }
        }
        guard pid > 0 else { throw SystemError("exec", path: executable, code: .last) }
        return (pid, process)
    }
}
