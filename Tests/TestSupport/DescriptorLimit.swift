internal import Glibc
package import Platform

/// Lets this process have no descriptor with a number of `most` or above; nil lifts it. For exit
/// tests: it holds for the whole process.
package func limitDescriptors(_ most: Int?) throws(SystemError) {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
        throw SystemError("getrlimit", code: .last)
    }
    limit.rlim_cur = most.map { rlim_t($0) } ?? limit.rlim_max
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
        throw SystemError("setrlimit", code: .last)
    }
}
