import CLinux
import Glibc

/// The resources that this process has of its machine; from /proc, as of now.
package struct ProcessFigures: Hashable, Sendable {
    /// User and system time of all threads.
    package let cpuNanoseconds: Int64
    /// Memory that is really there (RSS), shared pages included.
    package let residentBytes: Int
    /// Addresses that are taken, whether there is memory behind them or not.
    package let virtualBytes: Int
    /// Descriptors that are open, but for those with which they were counted.
    package let openDescriptors: Int
    /// The soft limit of open descriptors (`ulimit -n`).
    package let descriptorLimit: Int

    /// Reads the figures. To count the descriptors takes longest, milliseconds where there are
    /// thousands.
    package static func now() throws(SystemError) -> ProcessFigures {
        let fields = try statFields()
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        let directory = try Descriptor.open("/proc/self/fd", O.directory)
        let count = try directory.listing().entries.count
        return ProcessFigures(
            cpuNanoseconds: OutsideNumber.time(
                seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec)),
            residentBytes: fields.resident, virtualBytes: fields.virtual,
            openDescriptors: max(0, count - 2), descriptorLimit: ProcessLimits.descriptors())
    }

    /// When the process was started, nanoseconds since 1970, as the wall clock tells it now.
    package static func startNanoseconds() throws(SystemError) -> Int64 {
        let ticks = try statFields().start
        let perSecond = max(1, Int64(sysconf(Int32(_SC_CLK_TCK))))
        var sinceBoot = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
        let age =
            OutsideNumber.time(
                seconds: Int64(sinceBoot.tv_sec), nanoseconds: Int64(sinceBoot.tv_nsec))
            -| Int64(ticks) *| (1_000_000_000 / perSecond)
        return Clock.wallNanoseconds() -| age
    }

    private struct Fields {
        let start: Int
        let virtual: Int
        let resident: Int
    }

    /// Of proc_pid_stat(5): the fields 22 to 24. They are counted from behind the program's name,
    /// which may hold anything.
    private static func statFields() throws(SystemError) -> Fields {
        let path = "/proc/self/stat"
        let bytes = try Descriptor.open(path, O_RDONLY).read(count: 4096, at: 0)
        let text = String(decoding: bytes, as: UTF8.self)
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...]
            .split(separator: " ").dropFirst()
        // Field 3 is the first behind the name.
        let numbers = fields.dropFirst(19).prefix(3).compactMap { Int($0) }
        guard numbers.count == 3 else {
            throw SystemError("read", path: path, code: .invalid)
        }
        return Fields(
            start: numbers[0], virtual: numbers[1],
            resident: numbers[2] *| sysconf(Int32(_SC_PAGESIZE)))
    }
}
