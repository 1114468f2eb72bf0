import CLinux
import Glibc

/// The environment and the host of this process, and its end.
package enum ProcessContext {
    /// The environment. A name that stands twice counts as getenv(3) has it, the first; bytes that
    /// are not UTF-8 become U+FFFD. To be read before threads are started: nothing here sets
    /// variables, but C libraries may.
    package static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        guard var next = unsafe clinux_environment() else { return variables }
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                let name = String(text[..<equals])
                let value = String(text[text.index(after: equals)...])
                variables[name] = variables[name] ?? value
            }
            unsafe next += 1
        }
        return variables
    }

    /// Whether this process may do what root may, as geteuid(2) has it.
    package static var isRoot: Bool { geteuid() == 0 }

    /// getpid(2).
    package static var number: Int32 { getpid() }

    /// _exit(2): nothing of the process is tidied up, and none of its threads is waited for.
    package static func endAtOnce(_ code: Int32) -> Never { _exit(code) }

    /// The host's name, gethostname(2).
    package static func hostName() throws(SystemError) -> String {
        // HOST_NAME_MAX is 64; the last byte stays NUL whatever the call does.
        var name = [CChar](repeating: 0, count: 256)
        let code = unsafe gethostname(&name, name.count - 1)
        guard code == 0 else { throw SystemError("gethostname", code: .last) }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
