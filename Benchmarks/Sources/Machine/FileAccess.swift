internal import CMachine
internal import Glibc

/// A file that grows by what is appended to it. One thread.
package final class OutputFile {
    private let path: String
    private let descriptor: Descriptor

    /// Creates the file, readable by its owner alone, or goes on at its end.
    package init(_ path: String) throws(MachineError) {
        self.path = path
        descriptor = try .open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
    }

    /// Writes all of the bytes, in one call where the kernel takes them at once.
    package func append(_ bytes: [UInt8]) throws(MachineError) {
        try write(bytes, to: descriptor.raw, path)
    }
}

/// The standard streams of this process.
package enum StandardStream: Int32 {
    case output = 1
    case error = 2

    package func write(_ text: String) throws(MachineError) {
        try Machine.write(Array(text.utf8), to: rawValue, self == .output ? "stdout" : "stderr")
    }

    /// True: a person looks on, and a line may be overwritten.
    package var isTerminal: Bool { isatty(rawValue) == 1 }
}

func write(_ bytes: [UInt8], to descriptor: Int32, _ name: String) throws(MachineError) {
    var done = 0
    while done < bytes.count {
        let written = unsafe bytes.withUnsafeBytes { bytes in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
        }
        if written < 0 && errno == EINTR { continue }
        guard written >= 0 else { throw MachineError("write", name) }
        done += written
    }
}

/// All that a file holds, also one of /proc, whose size is not known beforehand.
package func readFile(_ path: String) throws(MachineError) -> [UInt8] {
    let descriptor = try Descriptor.open(path, O_RDONLY)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe read(descriptor.raw, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw MachineError("read", path) }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}

/// The text of a file.
package func readText(_ path: String) throws(MachineError) -> String {
    String(decoding: try readFile(path), as: UTF8.self)
}

/// Makes a file with this text, or replaces what is in it; mode 0600.
package func writeText(_ text: String, to path: String) throws(MachineError) {
    let descriptor = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try write(Array(text.utf8), to: descriptor.raw, path)
}

/// Makes a directory for its owner alone; its parent must be there.
package func makeDirectory(_ path: String) throws(MachineError) {
    guard unsafe mkdir(path, 0o700) == 0 else { throw MachineError("mkdir", path) }
}

/// Gives a file or directory another path on the same file system.
package func move(_ path: String, to other: String) throws(MachineError) {
    guard unsafe rename(path, other) == 0 else { throw MachineError("rename", path) }
}

/// How many names are in a directory, without `.` and `..`.
package func countEntries(_ path: String) throws(MachineError) -> Int {
    try entries(path).count
}

/// Names in a directory, without `.` and `..`.
package func entries(_ path: String) throws(MachineError) -> [String] {
    guard let directory = unsafe opendir(path) else { throw MachineError("opendir", path) }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names
}

/// Removes a file or a directory with what is in it.
package func remove(_ path: String) throws(MachineError) {
    guard unsafe cmachine_remove(path) == 0 else { throw MachineError("remove", path) }
}

/// The path of a program, found as a shell finds it and in the sbin directories; nil: not there.
package func findProgram(_ name: String) -> String? {
    let path = (variable("PATH") ?? "").split(separator: ":").map(String.init)
    let directories = path + ["/usr/sbin", "/sbin"]
    return directories.lazy.map { "\($0)/\(name)" }.first(where: isProgram)
}

/// True: this process may execute it.
package func isProgram(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

/// A variable of the environment, nil if it is not set or empty.
package func variable(_ name: String) -> String? {
    guard let value = unsafe cmachine_variable(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}

/// The path of the program that this process runs.
package func ownProgram() throws(MachineError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    guard length > 0 else { throw MachineError("readlink", "/proc/self/exe") }
    return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
}
