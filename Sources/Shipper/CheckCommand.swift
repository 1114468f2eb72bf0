package import Platform

/// `shipper check`: says whether a configuration can be run, and what it means.
package enum CheckCommand {
    /// Prints the resolved configuration to standard output, or everything that is wrong with it to
    /// standard error.
    package static func run(config: String) throws(SystemError) -> ExitCode {
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.load(path: config, environment: ProcessContext.environment())
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .fault
        }
        try StandardStream.output.write(settings.described())
        return .done
    }
}
