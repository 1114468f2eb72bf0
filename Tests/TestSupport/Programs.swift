internal import Glibc

/// A program that a test needs and that is not there.
package struct MissingProgram: Error, CustomStringConvertible {
    package let description: String
}

/// The path of a program of the system, found as a shell finds it and in the sbin directories. It is
/// an error, not a skipped test, if it is missing: `package` is the Debian package that brings it.
package func findProgram(_ name: String, package: String) throws -> String {
    let path = environmentValue("PATH") ?? ""
    let directories = path.split(separator: ":").map(String.init)
    return try findProgram(
        name, package: package,
        in: directories + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"])
}

/// The same, in these directories and no others.
package func findProgram(
    _ name: String, package: String, in directories: [String]
) throws -> String {
    for directory in directories {
        let candidate = "\(directory)/\(name)"
        if unsafe access(candidate, X_OK) == 0 { return candidate }
    }
    throw MissingProgram(
        description: "\(name) is not installed; it comes with the Debian package \(package): "
            + "run `make test`, which installs what tests need, or `apt-get install \(package)`")
}

/// The `shipper` of this build.
package func findBinary() throws -> String { try findProduct("shipper") }

/// What to start a program with so that these system calls are refused there with EPERM, as a
/// container's seccomp profile does: `name_to_handle_at`, `openat2`, `statx`, `inotify_init1`,
/// `inotify_add_watch`.
package func refusing(_ calls: String...) throws -> [String] {
    [try findProduct("refuse-calls"), calls.joined(separator: ",")]
}

/// What to start a program with so that it may have this many descriptors.
package func withDescriptors(_ count: Int) -> [String] {
    ["/bin/sh", "-c", "ulimit -n \(count) && exec \"$0\" \"$@\""]
}

/// Where the test bundle is. In a root of its own, the way to it can be asked for only where its mount is: not by
/// who has mounts of his own.
let productDirectory: String = {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    let bundle = String(
        decoding: buffer.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return bundle.lastIndex(of: "/").map { String(bundle[..<$0]) } ?? "."
}()

/// An executable that this build made beside the test bundle.
func findProduct(_ name: String) throws -> String {
    let candidate = "\(productDirectory)/\(name)"
    guard unsafe access(candidate, X_OK) == 0 else {
        throw MissingProgram(
            description: "\(candidate) is not there; build it with `swift build --build-tests`")
    }
    return candidate
}

/// Whether a program of the system is there that a test can do without; it says then that it is
/// skipped.
package func hasProgram(_ name: String) -> Bool {
    do {
        _ = try findProgram(name, package: name)
        return true
    } catch {
        return false
    }
}
