import Glibc
import Platform
import Registry

/// `registry-bench [ENTRIES [DIRECTORY]]`: what a registry of that many files costs to load, to keep
/// and to compact while it is used. The directory should be on the disk that is meant; it is made in
/// $TMPDIR or /tmp if not given, and removed.
func main() -> ExitStatus {
    let arguments = CommandLine.arguments.dropFirst()
    guard let entries = Int(arguments.first ?? "100000"), entries > 0, arguments.count <= 2 else {
        return .usage
    }
    do {
        let given = arguments.dropFirst().first
        let scratch = try ScratchDirectory(
            "registry-bench",
            environment: given.map { ["TMPDIR": $0] } ?? ProcessContext.environment())
        let bench = RegistryBench(entries: entries, data: scratch.path + "/data")
        let isGood = try bench.run()
        try scratch.remove()
        return isGood ? .done : .missed
    } catch {
        say("registry-bench: \(error)", to: .error)
        return .failed
    }
}

enum ExitStatus: Int32 {
    case done = 0
    /// A figure is beyond its target.
    case missed = 1
    case usage = 64
    case failed = 70
}

func say(_ text: String, to stream: StandardStream = .output) {
    do throws(SystemError) {
        try stream.write(text + "\n")
    } catch {
        // Where the output is gone nobody reads the figures.
    }
}

let status = main()
if status == .usage { say("usage: registry-bench [ENTRIES [DIRECTORY]]", to: .error) }
exit(status.rawValue)
