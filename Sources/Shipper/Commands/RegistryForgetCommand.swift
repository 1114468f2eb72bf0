package import Platform
import Model
import Registry

/// `shipper registry forget`: entries leave, and their files become ones that were never seen.
package enum RegistryForgetCommand {
    /// Forgets every file whose path or stream the glob `pattern` matches; with `isDry` only says
    /// which.
    package static func run(
        pattern: String, _ place: RegistryPlace, isDry: Bool
    ) throws(SystemError) -> ExitCode {
        try RegistryEditing.run(place) { directory in
            if isDry {
                return try tell(
                    RegistryEditing.matching(pattern, RegistryEditing.preview(directory)), pattern,
                    isDry: true)
            }
            let (registry, _) = try RegistryEditing.open(directory)
            let found = try RegistryEditing.matching(pattern, registry.entries())
            if !found.isEmpty { try registry.edit(found.map { .forget($0.file) }) }
            registry.close()
            return try tell(found, pattern, isDry: false)
        }
    }

    private static func tell(
        _ found: [FileEntry], _ pattern: String, isDry: Bool
    ) throws(SystemError) -> ExitCode {
        guard !found.isEmpty else {
            return try RegistryEditing.complain("no known file matches \(pattern)", .fault)
        }
        let rows =
            [["STREAM", "PATH", "STATE", "OFFSET", "SIZE"]]
            + found.map { entry in
                [
                    PrintableText.of(entry.stream), PrintableText.of(entry.path),
                    entry.state.rawValue, "\(entry.offset.bytes)", "\(entry.size.bytes)",
                ]
            }
        try RegistryEditing.say(
            TextColumns.lines(rows, right: [3, 4]) + [
                "\(RegistryEditing.files(found.count)) forgotten; what is there of them is shipped "
                    + "from its beginning" + (isDry ? RegistryEditing.dry : "")
            ])
        return .done
    }
}
