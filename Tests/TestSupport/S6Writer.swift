internal import Glibc
package import Platform
package import Shipper
internal import Synchronization

/// A real `s6-log` (Debian package s6) that writes a log directory, fed by the test through a pipe.
///
/// The pipe outlives the s6-log, as it does under a supervisor: after `kill`, `restart` starts
/// another one on it. What the killed one had read and not yet written is lost with it, so after a
/// kill only `linesOnDisk` tells what was logged. Any thread may use it, one at a time feeds it.
///
/// s6-log 2.13 (Debian 13) looks at the size of `current` only after it has written all it had read: fed
/// flat out, archives are many times over `s`, and there are as many fewer. 2.11 (Debian 12) keeps to it.
/// A test that needs a number of rotations calls `rotate` or feeds slowly.
package final class S6Writer: Sendable {
    /// The log directory; `current` and the archives are in it.
    package let directory: String
    private let program: String
    private let arguments: [String]
    private let environment: [String: String]
    private let pipe: String
    private let feed: Feed
    private let process: Mutex<ChildProcess>
    private let home: TemporaryDirectory

    /// Starts `s6-log DIRECTIVES... DIRECTORY`; directives as in its man page, for example
    /// `["n20", "s1000000", "T"]`. The directory is made if need be. `environment` is added to
    /// the inherited one: `TZ` is that of the directive `T`.
    package init(
        directory: String, directives: [String], environment: [String: String] = [:]
    ) throws {
        self.directory = directory
        program = try findProgram("s6-log", package: "s6")
        arguments = directives + [directory]
        self.environment = environment
        if let slash = directory.lastIndex(of: "/") {
            try makeDirectories(String(directory[..<slash]))
        }
        // A FIFO, because it can be opened again for the next s6-log.
        home = try TemporaryDirectory()
        pipe = home.path("input")
        guard unsafe mkfifo(pipe, 0o600) == 0 else {
            throw SystemError("mkfifo", path: pipe, code: .last)
        }
        // Open for reading and writing, so that no open blocks and no kill makes EPIPE.
        let both = try Descriptor.open(pipe, O_RDWR)
        feed = Feed(owning: both.withRawValue { fcntl($0, F_DUPFD_CLOEXEC, 3) })
        process = Mutex(try Self.start(program, arguments, environment, pipe))
    }

    deinit {
        feed.close()
        process.withLock { $0 }.end()
    }

    /// The s6-log that runs now, or ran last.
    package var current: ChildProcess { process.withLock { $0 } }

    /// Gives it bytes, blocking while its pipe is full.
    package func write(_ bytes: [UInt8]) throws(SystemError) { try feed.write(bytes) }

    /// Gives it lines of a source, `chunk` lines at a time, blocking until the last is in the pipe.
    package func write(
        _ source: LineSource, _ range: Range<Int>, chunk: Int = 200
    ) throws(SystemError) {
        var next = range.lowerBound
        while next < range.upperBound {
            let end = min(next + chunk, range.upperBound)
            try write(source.lines(next..<end))
            next = end
        }
    }

    /// Does the same on a thread of its own; `join` of what it returns waits for it.
    package func writing(
        _ source: LineSource, _ range: Range<Int>, chunk: Int = 200
    ) throws(SystemError) -> Writing {
        try Writing(self, source, range, chunk)
    }

    /// Ends its input and waits until everything is on the disk and it has exited.
    @discardableResult
    package func finish(within deadline: Duration = .patience) throws -> ChildProcess.Exit {
        feed.close()
        return try current.wait(within: deadline)
    }

    /// SIGALRM: it rotates now.
    package func rotate() { current.signal(SIGALRM) }

    /// Waits until a rotation is over and there are so many archives. An archive has its name before
    /// `previous` loses its own: who lists the directory in between reads a file that is gone.
    package func waitForArchives(_ count: Int) throws {
        try eventually("s6-log has rotated; there are to be \(count) archives") {
            let names = try directoryNames(directory)
            return names.contains("current") && !names.contains("previous")
                && names.count { $0.hasPrefix("@") } == count
        }
    }

    /// SIGKILL, and waits for its end. `current` on the disk stays as it is.
    package func kill() { current.end() }

    /// Starts another s6-log on the same directory and pipe, after `kill`.
    package func restart() throws {
        precondition(feed.isOpen, "an s6-log restarted after the end of its input")
        let next = try Self.start(program, arguments, environment, pipe)
        process.withLock { $0 = next }
    }

    private static func start(
        _ program: String, _ arguments: [String], _ environment: [String: String], _ pipe: String
    ) throws -> ChildProcess {
        let process = try ChildProcess(
            program, arguments, environment: environment, input: .file(pipe), output: .discard)
        try eventually("\(process.commandLine) is ready; it says: \(process.errors)") {
            if let exit = try process.exit {
                throw TimedOut(description: "s6-log ended, \(exit): \(process.errors)")
            }
            return process.isPrepared(for: SIGALRM)
        }
        return process
    }

    /// The archives there are now, oldest first.
    package func archives() throws(SystemError) -> [String] {
        try directoryNames(directory).filter { $0.hasPrefix("@") }
    }

    /// The lines, without newline, in the archives, then `previous`, then `current`. To be called
    /// while no s6-log writes; an unterminated tail is the last element if `current` has one.
    package func linesOnDisk() throws(SystemError) -> [[UInt8]] {
        var bytes: [UInt8] = []
        let names = try directoryNames(directory)
        for name in names.filter({ $0.hasPrefix("@") }) + ["previous", "current"]
        where names.contains(name) {
            bytes += try readFile("\(directory)/\(name)")
        }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map(Array.init)
    }

    /// Lines on their way to an s6-log, written by a thread of their own.
    package final class Writing: Sendable {
        private let thread: SystemThread
        private let failure: Failure

        private final class Failure: Sendable {
            let error = Mutex<SystemError?>(nil)
        }

        fileprivate init(
            _ writer: S6Writer, _ source: LineSource, _ range: Range<Int>, _ chunk: Int
        ) throws(SystemError) {
            let failure = Failure()
            self.failure = failure
            thread = try SystemThread("test-writer") {
                do throws(SystemError) {
                    try writer.write(source, range, chunk: chunk)
                } catch {
                    failure.error.withLock { $0 = error }
                }
            }
        }

        /// Waits until the last line is in the pipe; throws why one is not.
        package func join() throws(SystemError) {
            thread.join()
            if let error = failure.error.withLock({ $0 }) { throw error }
        }
    }
}
