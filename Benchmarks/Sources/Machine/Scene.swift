internal import CMachine
internal import Glibc
internal import Synchronization

/// What this process has put into the world: processes and one scratch directory. All of it is
/// taken away by `end`, and by SIGINT, SIGTERM and SIGHUP. A child is killed by the kernel too when
/// this process is.
package enum Scene {
    private struct State {
        var children: Set<Int32> = []
        var directory: String?
    }

    private static let state = Mutex(State())

    /// Starts the thread that answers signals. Before any other thread is started.
    package static func begin() throws(MachineError) {
        cmachine_block_signals()
        try Thread.start {
            let number = cmachine_wait_signal()
            // The lock is kept until the process is gone, so nothing is started or reaped any more.
            state.withLock { state in
                for complaint in clear(&state) { complain(complaint) }
                complain("stopped by signal \(number)")
                _exit(128 + number)
            }
        }
    }

    /// Kills what still runs and removes the scratch directory. What could not be removed is told.
    package static func end() -> [String] {
        state.withLock { clear(&$0) }
    }

    /// The directory for everything that is written, made at the first call below `TMPDIR`, or
    /// /var/tmp, which is meant for what is too large for memory.
    package static func directory() throws(MachineError) -> String {
        let made = state.withLock { state in
            Result { () throws(MachineError) in
                if let directory = state.directory { return directory }
                let base = variable("TMPDIR") ?? "/var/tmp"
                var name = "\(base)/shipper-bench.XXXXXX".utf8CString.map { $0 }
                guard unsafe mkdtemp(&name) != nil else { throw MachineError("mkdtemp", base) }
                let path = String(
                    decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
                state.directory = path
                return path
            }
        }
        return try made.get()
    }

    static func start(_ spawn: () -> Int32) -> Int32 {
        state.withLock { state in
            let pid = spawn()
            if pid > 0 { state.children.insert(pid) }
            return pid
        }
    }

    /// Its number is free again only after it has left the set.
    static func reap(_ pid: Int32, _ usage: inout cmachine_usage) -> Int32 {
        state.withLock { state in
            state.children.remove(pid)
            return unsafe cmachine_reap(pid, &usage)
        }
    }

    /// Sends a signal to a child that was not reaped yet, and to the processes that it started.
    static func signal(_ pid: Int32, _ number: Int32) {
        state.withLock { state in
            guard state.children.contains(pid) else { return }
            _ = kill(-pid, number)
        }
    }

    private static func clear(_ state: inout State) -> [String] {
        var complaints: [String] = []
        for pid in state.children {
            _ = kill(-pid, SIGKILL)
            var usage = cmachine_usage()
            _ = unsafe cmachine_reap(pid, &usage)
        }
        state.children = []
        if let directory = state.directory, unsafe cmachine_remove(directory) != 0 {
            complaints.append(MachineError("remove", directory).description)
        }
        state.directory = nil
        return complaints
    }

    private static func complain(_ text: String) {
        do throws(MachineError) {
            try StandardStream.error.write("\nshipper-bench: \(text)\n")
        } catch {
            // Standard error is where it would be told.
        }
    }
}
