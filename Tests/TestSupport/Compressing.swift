package import Platform

/// Compresses a file as its program does it: with its ending behind the name, and the file is gone.
/// Returns the new path.
@discardableResult
package func compress(
    _ path: String, _ compression: Compression, _ options: [String] = []
) throws -> String {
    let (name, ending, package, more): (String, String, String, [String]) =
        switch compression {
        case .xz: ("xz", "xz", "xz-utils", [])
        case .zstd: ("zstd", "zst", "zstd", ["-q", "--rm"])
        case .bzip2: ("bzip2", "bz2", "bzip2", [])
        default: ("gzip", "gz", "gzip", [])
        }
    let program = try ChildProcess(
        try findProgram(name, package: package), more + ["-f"] + options + [path])
    guard try program.wait() == .code(0) else {
        throw TimedOut(description: "\(program.commandLine): \(program.errors)")
    }
    return "\(path).\(ending)"
}

/// What zcat makes of a gzip file.
package func zcat(_ path: String) throws -> [UInt8] {
    let directory = try TemporaryDirectory()
    let target = directory.path("content")
    let program = try ChildProcess(
        "/bin/sh", ["-c", "exec zcat \"$0\" > \"$1\"", path, target])
    let exit = try program.wait()
    guard exit == .code(0) else { throw MissingProgram(description: "zcat \(path): \(exit)") }
    return try readFile(target)
}
