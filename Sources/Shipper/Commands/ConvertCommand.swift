package import Platform
import Settings

/// `shipper convert`: a filebeat.yml as our configuration.
package enum ConvertCommand {
    /// Prints the configuration to standard output, and to standard error a line for each setting
    /// that has no equal here, with what to do.
    package static func run(file: String) throws(SystemError) -> ExitCode {
        let conversion: FilebeatConversion
        do throws(SettingsError) {
            conversion = try FilebeatConversion(
                path: file, environment: ProcessContext.environment())
        } catch {
            try StandardStream.error.write(error.description + "\n")
            return .badConfiguration
        }
        try StandardStream.output.write(conversion.text)
        for note in conversion.notes {
            try StandardStream.error.write(note.line(PrintableText.of(file)) + "\n")
        }
        return conversion.isComplete ? .done : .fault
    }
}
