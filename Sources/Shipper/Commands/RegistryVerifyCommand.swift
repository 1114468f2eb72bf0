package import Platform
import Registry

/// `shipper registry verify`: whether every byte of a registry is what was written.
package enum RegistryVerifyCommand {
    /// Reads all of the registry, of a running or stopped agent or a copy of it. Each fault is a
    /// line of standard output with its byte; `fault` if there is any.
    package static func run(_ place: RegistryPlace) throws(SystemError) -> ExitCode {
        try RegistryEditing.run(place) { directory in
            let contents = try RegistryReader.read(directory: directory)
            let summary = contents.summary
            var lines = summary.damaged.map { "\($0)" }
            if summary.damagedCount > summary.damaged.count {
                lines.append("and \(summary.damagedCount - summary.damaged.count) more faults")
            }
            let journal = contents.journalBytes.map { "\($0)" } ?? "no"
            if summary.tornTail > 0 {
                // A kill in the middle of a write leaves it, and so may the write of this moment.
                lines.append(
                    "journal.jsonl: byte \(journal): ends with \(summary.tornTail) bytes of a "
                        + "record that is not finished; the next start cuts them off")
            }
            let verdict =
                summary.damagedCount == 0
                ? "every checksum is right"
                : "\(summary.damagedCount) \(summary.damagedCount == 1 ? "fault" : "faults")"
            lines.append(
                "\(directory)/registry: \(RegistryEditing.files(contents.entries.count)); snapshot "
                    + "\(contents.snapshotBytes) bytes, journal \(journal) bytes: \(verdict)")
            try RegistryEditing.say(lines.map(PrintableText.of))
            return summary.damagedCount == 0 ? .done : .fault
        }
    }
}
