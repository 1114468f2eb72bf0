internal import CTestSupport
import Glibc
package import Platform

/// rename(2).
package func rename(_ from: String, _ to: String) throws(SystemError) {
    guard unsafe Glibc.rename(from, to) == 0 else {
        throw SystemError("rename", path: from, code: .last)
    }
}

/// unlink(2), or rmdir(2) for an empty directory.
package func remove(_ path: String) throws(SystemError) {
    guard unsafe Glibc.remove(path) == 0 else {
        throw SystemError("remove", path: path, code: .last)
    }
}

/// Sets when a file was changed and read last; seconds since 1970, within what its file system keeps.
package func setTime(of path: String, seconds: Int) throws(SystemError) {
    let times = [timespec](repeating: timespec(tv_sec: seconds, tv_nsec: 0), count: 2)
    guard unsafe utimensat(AT_FDCWD, path, times, 0) == 0 else {
        throw SystemError("utimensat", path: path, code: .last)
    }
}

/// A symbolic link at `path`.
package func makeLink(_ path: String, to target: String) throws(SystemError) {
    guard unsafe symlink(target, path) == 0 else {
        throw SystemError("symlink", path: path, code: .last)
    }
}

/// A second name of a file.
package func makeHardLink(_ path: String, to target: String) throws(SystemError) {
    guard unsafe link(target, path) == 0 else {
        throw SystemError("link", path: path, code: .last)
    }
}

/// A FIFO at `path`.
package func makeFIFO(_ path: String) throws(SystemError) {
    guard unsafe mkfifo(path, 0o600) == 0 else {
        throw SystemError("mkfifo", path: path, code: .last)
    }
}

/// Adds bytes to the end of a file whose path is bytes, valid as text or not; it is made if need be.
package func appendBytes(_ bytes: [UInt8], toName path: [UInt8]) throws(SystemError) {
    let terminated = path.map { CChar(bitPattern: $0) } + [0]
    let number = unsafe open(terminated, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard number >= 0 else {
        throw SystemError("open", path: String(decoding: path, as: UTF8.self), code: .last)
    }
    try Descriptor(owning: number).write(bytes)
}

/// mkdir(2) of a path that is bytes, valid as text or not.
package func makeDirectory(named path: [UInt8]) throws(SystemError) {
    let terminated = path.map { CChar(bitPattern: $0) } + [0]
    guard unsafe mkdir(terminated, 0o755) == 0 else {
        throw SystemError("mkdir", path: String(decoding: path, as: UTF8.self), code: .last)
    }
}

/// A symbolic link at a path that is bytes, valid as text or not, and so is its target.
package func makeLink(named path: [UInt8], to target: [UInt8]) throws(SystemError) {
    let ends = [path, target].map { $0.map { CChar(bitPattern: $0) } + [0] }
    guard unsafe symlink(ends[1], ends[0]) == 0 else {
        throw SystemError("symlink", path: String(decoding: path, as: UTF8.self), code: .last)
    }
}

/// rename(2) of paths that are bytes, valid as text or not.
package func rename(named from: [UInt8], to new: [UInt8]) throws(SystemError) {
    let names = [from, new].map { $0.map { CChar(bitPattern: $0) } + [0] }
    guard unsafe Glibc.rename(names[0], names[1]) == 0 else {
        throw SystemError("rename", path: String(decoding: from, as: UTF8.self), code: .last)
    }
}

/// remove(3) of a path that is bytes, valid as text or not.
package func remove(named path: [UInt8]) throws(SystemError) {
    let terminated = path.map { CChar(bitPattern: $0) } + [0]
    guard unsafe Glibc.remove(terminated) == 0 else {
        throw SystemError("remove", path: String(decoding: path, as: UTF8.self), code: .last)
    }
}

/// renameat2(2) with RENAME_EXCHANGE: at no moment is either name missing.
package func exchange(_ one: String, _ other: String) throws(SystemError) {
    guard unsafe ctest_exchange(one, other) == 0 else {
        throw SystemError("renameat2", path: one, code: .last)
    }
}

/// rmdir(2).
package func removeDirectory(_ path: String) throws(SystemError) {
    guard unsafe rmdir(path) == 0 else {
        throw SystemError("rmdir", path: path, code: .last)
    }
}

/// chmod(2).
package func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
    guard unsafe chmod(path, mode) == 0 else {
        throw SystemError("chmod", path: path, code: .last)
    }
}

/// readlink(2); nil where there is no such link (any more).
package func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &buffer, buffer.count)
    guard count >= 0 else { return nil }
    return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

extension ChildProcess {
    /// The files that it has open beneath a directory, as /proc shows them: a file whose last name
    /// is gone ends in " (deleted)".
    package func openFiles(beneath directory: String) throws -> [String] {
        let numbers = try directoryNames("/proc/\(pid)/fd")
        return numbers.compactMap { linkTarget("/proc/\(pid)/fd/\($0)") }
            .filter { $0.hasPrefix("\(directory)/") }.sorted()
    }
}

/// As a program opens its log, under a name that may be no text.
package func openForAppending(
    _ name: [UInt8], in directory: String
) throws(SystemError) -> Descriptor {
    let path = Array(directory.utf8) + [UInt8(ascii: "/")] + name + [0]
    let number = unsafe path.withUnsafeBufferPointer { path in
        unsafe path.withMemoryRebound(to: CChar.self) { path in
            guard let first = path.baseAddress else { return Int32(-1) }
            return unsafe Glibc.open(first, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        }
    }
    guard number >= 0 else { throw SystemError("open", path: directory, code: .last) }
    return Descriptor(owning: number)
}

/// pwrite(2): writes at a place of a file that is there.
package func overwrite(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
    let file = try Descriptor.open(path, O_WRONLY)
    let count = file.withRawValue { number in
        unsafe pwrite(number, bytes, bytes.count, offset)
    }
    guard count == bytes.count else { throw SystemError("pwrite", path: path, code: .last) }
}

/// A file that is written to through its mapping: no call, and no event, tells of it.
@safe package final class MappedFile {
    private let bytes: UnsafeMutableRawBufferPointer

    /// The file is made `size` bytes long.
    package init(_ path: String, size: Int) throws {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o644)
        try file.truncate(to: size)
        let start = unsafe file.withRawValue { number in
            unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
        }
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            throw SystemError("mmap", path: path, code: .last)
        }
        unsafe bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
    }

    deinit { unsafe munmap(bytes.baseAddress, bytes.count) }

    package func put(_ text: String, at offset: Int) {
        unsafe bytes[offset...].copyBytes(from: text.utf8)
    }
}

/// chown(2), which takes root.
package func give(_ path: String, owner: UInt32, group: UInt32) throws(SystemError) {
    guard unsafe Glibc.chown(path, owner, group) == 0 else {
        throw SystemError("chown", path: path, code: .last)
    }
}
