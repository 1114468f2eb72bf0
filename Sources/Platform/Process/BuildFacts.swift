import CBZip2
import CCrypto
import CLZMA
import CLinux
import CZlib
import CZstd

/// What the program was built from, and what it runs with.
package enum BuildFacts {
    /// Digits of the commit, with a + where files were changed since; nil where nobody wrote it
    /// down, as in a build for debugging.
    package static var commit: String? {
        let text = unsafe String(cString: clinux_commit())
        return text.isEmpty ? nil : text
    }

    /// The version of the Swift compiler, as far as the code can tell.
    package static var compiler: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    /// Names and versions of the libraries that this module binds, as they are loaded now.
    package static var libraries: [(name: String, version: String)] {
        // libbz2 adds the date of its release.
        let bzip2 = unsafe text(BZ2_bzlibVersion()).prefix { $0 != "," }
        return unsafe [
            ("zlib", text(zlibVersion())), ("libzstd", text(ZSTD_versionString())),
            ("liblzma", text(lzma_version_string())), ("libbz2", String(bzip2)),
            ("libcrypto", text(OpenSSL_version(OPENSSL_VERSION_STRING))),
        ]
    }

    private static func text(_ version: UnsafePointer<CChar>?) -> String {
        unsafe version.map { unsafe String(cString: $0) } ?? "unknown"
    }
}
