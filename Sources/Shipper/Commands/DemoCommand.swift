package import Platform

/// `shipper demo`: shows it at work, and counts.
package enum DemoCommand {
    /// Runs a demo and prints how it goes to standard output. SIGINT or SIGTERM end the writers,
    /// and then it ends as after their last line; a second one gives the rest up.
    package static func run(_ plan: DemoPlan) throws(SystemError) -> ExitCode {
        Signals.prepare()
        let log = try Log(level: .warn, format: .text)
        let demo = try Demo(plan, environment: ProcessContext.environment(), log: log)
        // It ends with the process: nothing else ends sigwait.
        _ = try SystemThread("signals") {
            while true {
                _ = Signals.waitForEnd()
                demo.stop()
            }
        }
        let output = StandardStream.output
        try output.write(DemoText.beginning(plan))
        let result: DemoResult
        do throws(DemoError) {
            result = try demo.run { progress throws(SystemError) in
                try output.write(DemoText.progress(progress))
            }
        } catch {
            try StandardStream.error.write("shipper: \(error)\n")
            return .internalFault
        }
        try output.write(DemoText.result(result))
        return result.exitCode
    }
}
