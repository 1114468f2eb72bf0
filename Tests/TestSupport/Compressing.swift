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
