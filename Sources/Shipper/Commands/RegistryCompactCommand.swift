package import Platform
import Registry

/// `shipper registry compact`: the journal becomes part of the snapshot.
package enum RegistryCompactCommand {
    /// Writes the snapshot anew, or with `isDry` says what there is.
    package static func run(
        _ place: RegistryPlace, isDry: Bool
    ) throws(SystemError) -> ExitCode {
        try RegistryEditing.run(place) { directory in
            let before = try RegistryReader.read(directory: directory)
            let journal = before.journalBytes ?? 0
            if isDry {
                _ = try RegistryEditing.preview(directory)
                try RegistryEditing.say([
                    "\(RegistryEditing.files(before.entries.count)): snapshot "
                        + "\(before.snapshotBytes) bytes, journal \(journal) bytes"
                        + RegistryEditing.dry
                ])
                return .done
            }
            let (registry, listener) = try RegistryEditing.open(directory)
            try registry.edit([])
            let after = registry.health
            registry.close()
            try RegistryEditing.say([
                "\(RegistryEditing.files(after.entries)): snapshot \(before.snapshotBytes) -> "
                    + "\(listener.snapshotBytes) bytes, journal \(journal) -> "
                    + "\(after.journalBytes) bytes"
            ])
            return .done
        }
    }
}
