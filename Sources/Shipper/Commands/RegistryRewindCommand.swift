package import Platform
import Registry

/// `shipper registry rewind`: positions move to where an operator wants them.
package enum RegistryRewindCommand {
    /// Moves the position of every file whose path or stream the glob `pattern` matches; with
    /// `isDry` only says how. `fault` where a file could not be moved; the others are all the same.
    package static func run(
        pattern: String, to target: RewindTarget, _ place: RegistryPlace, isDry: Bool
    ) throws(SystemError) -> ExitCode {
        try RegistryEditing.run(place) { directory in
            if isDry {
                let rewind = try Rewind(
                    RegistryEditing.matching(pattern, RegistryEditing.preview(directory)), target)
                return try tell(rewind, pattern, isDry: true)
            }
            let (registry, _) = try RegistryEditing.open(directory)
            let rewind = try Rewind(
                RegistryEditing.matching(pattern, registry.entries()), target)
            if !rewind.edits.isEmpty { try registry.edit(rewind.edits) }
            registry.close()
            return try tell(rewind, pattern, isDry: false)
        }
    }

    private static func tell(
        _ rewind: Rewind, _ pattern: String, isDry: Bool
    ) throws(SystemError) -> ExitCode {
        guard !rewind.items.isEmpty else {
            return try RegistryEditing.complain("no known file matches \(pattern)", .fault)
        }
        try RegistryEditing.say(rewind.lines(isDry: isDry))
        return rewind.refused == 0 ? .done : .fault
    }
}
