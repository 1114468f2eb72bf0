/// The processor time of a thread of another process.
package enum ThreadTime {
    /// Of the first thread of this name, in seconds; nil: it has none, or the kernel does not tell.
    package static func seconds(
        of name: String, in process: ChildProcess
    ) throws(MachineError) -> Double? {
        let tasks = "/proc/\(process.pid)/task"
        for thread in try entries(tasks) {
            do throws(MachineError) {
                guard try readText("\(tasks)/\(thread)/comm") == name + "\n" else { continue }
                let times = try readText("\(tasks)/\(thread)/schedstat")
                return times.split(separator: " ").first.flatMap { Double($0) }.map { $0 / 1e9 }
            } catch {
                // The thread has ended since the look, or such figures are not kept.
                continue
            }
        }
        return nil
    }
}
