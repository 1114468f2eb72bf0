internal import CTestSupport
internal import Glibc
package import Platform
internal import Synchronization

/// File systems that a test mounts, seen by its own thread alone and gone with it. For exit tests, and
/// for tests that call nothing asynchronous in between.
package enum PrivateMounts {
    /// Gives the calling thread mounts of its own; false where that is not permitted.
    package static func begin() throws(SystemError) -> Bool {
        if ctest_private_mounts() == 0 { return true }
        let error = SystemError("unshare", code: .last)
        guard error.code == .notPermitted || error.code == .permission else { throw error }
        return false
    }

    /// What to start a program with so that it has the mounts of the calling thread. That has to be there yet.
    package static func wrapper() throws -> [String] {
        var name = [CChar](repeating: 0, count: 64)
        let count = unsafe readlink("/proc/thread-self", &name, name.count)
        guard count > 0 else { throw SystemError("readlink", code: .last) }
        let thread = String(
            decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return [
            try findProgram("nsenter", package: "util-linux"), "--mount=/proc/\(thread)/ns/mnt",
            // Where this process has another root than the machine's.
            "--root=/proc/\(thread)/root",
        ]
    }

    /// Runs `body` on a thread that has mounts of its own, which go with it. Nothing can be expected there:
    /// what is wrong is thrown.
    package static func run(_ body: @escaping @Sendable () throws -> Void) throws {
        final class Box: Sendable {
            let failure = Mutex<(any Error)?>(nil)
        }
        let box = Box()
        _ = productDirectory
        try SystemThread("mounts") {
            do {
                guard try begin() else { throw SystemError("unshare", code: .notPermitted) }
                try body()
            } catch {
                box.failure.withLock { $0 = error }
            }
        }.join()
        if let error = box.failure.withLock({ $0 }) { throw error }
    }

    /// Mounts a tmpfs of `bytes` on a directory.
    package static func mount(_ path: String, bytes: Int) throws(SystemError) {
        guard unsafe ctest_mount_tmpfs(path, Int64(bytes)) == 0 else {
            throw SystemError("mount", path: path, code: .last)
        }
    }

    /// Lets `place`, a directory, lead to the directory `source` (`mount --bind`).
    package static func bind(_ source: String, at place: String) throws(SystemError) {
        guard unsafe ctest_mount_bind(source, place) == 0 else {
            throw SystemError("mount", path: place, code: .last)
        }
    }

    /// Mounts what lies in `store`, a directory of a file system that can be written to, on a directory: each time
    /// with the same inodes, births and content, and with a device number of its own.
    package static func overlay(_ store: String, at place: String) throws(SystemError) {
        guard
            unsafe ctest_mount_overlay(store + "/lower", store + "/upper", store + "/work", place)
                == 0
        else { throw SystemError("mount", path: place, code: .last) }
    }

    /// Takes a mount away, although files on it may be open.
    package static func unmount(_ place: String) throws(SystemError) {
        guard unsafe ctest_unmount(place) == 0 else {
            throw SystemError("umount", path: place, code: .last)
        }
    }

    /// Whether this machine lets tests mount: a test that needs it is skipped where not, with these
    /// words.
    package static let permitted = isPermitted()
    package static let needed: String = "mounting is not permitted here (root and CAP_SYS_ADMIN)"

    private static func isPermitted() -> Bool {
        // On a thread of its own, which takes its mounts with it.
        final class Answer: Sendable { let value = Atomic(false) }
        let answer = Answer()
        do throws(SystemError) {
            try SystemThread("mounts") {
                answer.value.store(ctest_private_mounts() == 0, ordering: .releasing)
            }.join()
        } catch {
            return false
        }
        return answer.value.load(ordering: .acquiring)
    }
}

/// Acts as user `user`, and as root again with 0; false where this process may not. For exit tests: it
/// holds for the whole process.
package func act(as user: UInt32) -> Bool { ctest_act_as(user) == 0 }
