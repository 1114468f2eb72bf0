import CLinux
import Glibc

extension Descriptor {
    /// readlinkat(2): where the symbolic link of this name in the directory leads, as it was
    /// written. Nothing there is touched. Fails with `invalid` where the name is no link.
    package borrowing func target(ofLink name: [UInt8]) throws(SystemError) -> [UInt8] {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let terminated = name.map { CChar(bitPattern: $0) } + [0]
        let count = withRawValue { directory in
            unsafe readlinkat(directory, terminated, &text, text.count)
        }
        guard count >= 0 else {
            throw SystemError(
                "readlinkat", path: String(decoding: name, as: UTF8.self), code: .last)
        }
        return text[..<count].map { UInt8(bitPattern: $0) }
    }
}
