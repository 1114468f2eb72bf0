internal import CTestSupport
internal import Glibc
package import Platform

/// A new directory under $TMPDIR or /tmp that is removed, with everything in it, when the last
/// reference goes.
package final class TemporaryDirectory: Sendable {
    /// Absolute, without a slash at the end.
    package let path: String

    /// `inMemory`: on tmpfs where there is one, for tests that force much to the disk and do not care
    /// which. What is put there should be small.
    package init(inMemory: Bool = false) throws(SystemError) {
        let hasMemory = unsafe access("/dev/shm", W_OK) == 0
        let disk = environmentValue("TMPDIR") ?? "/tmp"
        let parent = inMemory && hasMemory ? "/dev/shm" : disk
        var template = Array("\(parent)/shipper-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw SystemError("mkdtemp", path: parent, code: .last)
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        if unsafe ctest_remove_tree(path) != 0 {
            let error = SystemError("remove", path: path, code: .last)
            unsafe ctest_complain("left behind: \(error)\n")
        }
    }

    /// The path of something in it.
    package func path(_ relative: String) -> String { "\(path)/\(relative)" }

    /// Makes a directory in it, and those above; its path.
    @discardableResult
    package func makeDirectory(_ relative: String) throws(SystemError) -> String {
        try makeDirectories(path(relative))
        return path(relative)
    }

    /// Writes a file in it, and makes the directories above; its path.
    @discardableResult
    package func write(_ relative: String, _ bytes: [UInt8]) throws(SystemError) -> String {
        let file = path(relative)
        if let slash = file.lastIndex(of: "/") { try makeDirectories(String(file[..<slash])) }
        ctest_begin_writing()
        defer { ctest_end_writing() }
        try Descriptor.open(file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).write(bytes)
        return file
    }

    /// Writes a file in it, and makes the directories above; its path.
    @discardableResult
    package func write(_ relative: String, _ text: String) throws(SystemError) -> String {
        try write(relative, Array(text.utf8))
    }

    /// Adds to the end of a file in it, which is made if need be.
    package func append(_ relative: String, _ text: String) throws(SystemError) {
        try appendBytes(Array(text.utf8), to: path(relative))
    }

    /// The names in a directory of it, sorted.
    package func names(_ relative: String = ".") throws(SystemError) -> [String] {
        try directoryNames(path(relative))
    }
}

/// Adds bytes to the end of a file, which is made if need be.
package func appendBytes(_ bytes: [UInt8], to path: String) throws(SystemError) {
    ctest_begin_writing()
    defer { ctest_end_writing() }
    try Descriptor.openForAppending(path).write(bytes)
}

extension Descriptor {
    /// As a program opens its log.
    static func openForAppending(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
    }
}

/// Makes a directory and those above it that are missing.
package func makeDirectories(_ path: String) throws(SystemError) {
    var made = path.hasPrefix("/") ? "/" : "."
    for part in path.split(separator: "/") {
        made += "/\(part)"
        if unsafe mkdir(made, 0o755) != 0, errno != EEXIST {
            throw SystemError("mkdir", path: made, code: .last)
        }
    }
}

/// The names in a directory, without `.` and `..`, sorted.
package func directoryNames(_ path: String) throws(SystemError) -> [String] {
    guard let directory = unsafe opendir(path) else {
        throw SystemError("opendir", path: path, code: .last)
    }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
            unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) {
                unsafe String(cString: $0)
            }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// All bytes of a file.
package func readFile(_ path: String) throws(SystemError) -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY)
    var bytes: [UInt8] = []
    while true {
        let more = try file.read(count: 1 << 20, at: bytes.count)
        if more.isEmpty { return bytes }
        bytes += more
    }
}

/// A variable of this process's environment, if it is set and not empty.
package func environmentValue(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}
