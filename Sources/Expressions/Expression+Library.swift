private import CPCRE2

extension Expression {
    /// The version of PCRE2 that is loaded, without the date that it adds.
    package static var library: String {
        // 24 bytes are what its manual asks for at least.
        var text = [UInt8](repeating: 0, count: 64)
        let length = unsafe pcre2_config_8(UInt32(PCRE2_CONFIG_VERSION), &text)
        guard (1...Int32(text.count)).contains(length) else { return "unknown" }
        let words = text.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        return String(decoding: words, as: UTF8.self)
    }
}
