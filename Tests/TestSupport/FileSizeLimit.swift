internal import Glibc
package import Platform

/// Lets no file of this process grow past `bytes`: a write beyond is cut short, the next one fails
/// (EFBIG). The nearest thing to a full disk that needs no rights. For exit tests: it holds for the
/// whole process, and `bytes` nil lifts it.
package func limitFileSize(_ bytes: Int?) throws(SystemError) {
    // The default action of SIGXFSZ ends the process.
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
        throw SystemError("getrlimit", code: .last)
    }
    limit.rlim_cur = bytes.map { rlim_t($0) } ?? limit.rlim_max
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
        throw SystemError("setrlimit", code: .last)
    }
}
