internal import CTestSupport
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

    /// Mounts a tmpfs of `bytes` on a directory.
    package static func mount(_ path: String, bytes: Int) throws(SystemError) {
        guard unsafe ctest_mount_tmpfs(path, Int64(bytes)) == 0 else {
            throw SystemError("mount", path: path, code: .last)
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
