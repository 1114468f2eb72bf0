import Benchmark
import Glibc
import Machine

/// Exit codes as in sysexits.h; 1: a run failed.
func main() -> Int32 {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do throws(MachineError) {
        // The harness calls itself so: its broker is a process that can be measured apart.
        if arguments.first == "broker", arguments.count < 3 {
            let brokers = arguments.count == 1 ? 1 : Int(arguments[1]) ?? 0
            guard (1...Options.mostBrokers).contains(brokers) else {
                return complain("broker: no number from 1 to \(Options.mostBrokers)", 64)
            }
            try MockBroker.serve(brokers: brokers)
            return 0
        }
        if arguments == ["--help"] {
            try StandardStream.output.write(Options.help)
            return 0
        }
    } catch {
        return complain("\(error)", 70)
    }
    let options: Options
    do throws(UsageError) {
        options = try Options(arguments)
    } catch {
        return complain("\(error)\nsee 'shipper-bench --help'", 64)
    }
    var code: Int32
    do throws(MachineError) {
        try Scene.begin()
        let command = ["shipper-bench"] + arguments
        code = try Harness.run(options, command: command) ? 0 : 1
    } catch {
        code = complain("\(error)", 70)
    }
    for complaint in Scene.end() { code = complain(complaint, 70) }
    return code
}

func complain(_ text: String, _ code: Int32) -> Int32 {
    do throws(MachineError) {
        try StandardStream.error.write("shipper-bench: \(text)\n")
    } catch {
        // Standard error is where it would be told.
    }
    return code
}

exit(main())
