/// How the characters of a text are bytes, by Filebeat's names, the usual ones, and those of the
/// system's iconv.
package struct TextEncoding: Hashable, Sendable {
    /// As it was asked for.
    package let name: String
    let kind: Kind

    enum Kind: Hashable, Sendable {
        case utf8
        /// A byte order mark at a file's beginning knows better.
        case utf16(isBig: Bool)
        /// The characters of all 256 bytes; U+FFFD where there is none.
        case table([UInt32])
        /// Characters of several bytes, by iconv's name.
        case converter(String)
    }

    /// No byte is changed.
    package static let utf8 = TextEncoding(name: "utf-8", kind: .utf8)

    /// No byte of such a text is changed.
    package var isUTF8: Bool { kind == .utf8 }

    /// Characters are two bytes or four, and so is a newline.
    package var isWide: Bool {
        switch kind {
        case .utf16: true
        case .utf8, .table, .converter: false
        }
    }

    /// A character may have several bytes, of which all but the first may look like ASCII.
    package var hasLongCharacters: Bool {
        switch kind {
        case .converter: true
        case .utf8, .utf16, .table: false
        }
    }

    /// That of a file which begins with `head`.
    package func resolved(head: Span<UInt8>) -> TextEncoding {
        guard isWide, head.count >= 2 else { return self }
        switch (head[0], head[1]) {
        case (0xFE, 0xFF): return TextEncoding(name: name, kind: .utf16(isBig: true))
        case (0xFF, 0xFE): return TextEncoding(name: name, kind: .utf16(isBig: false))
        default: return self
        }
    }

    /// The encoding of that name. Throws where nobody knows it, iconv has no module for it, or a
    /// newline cannot be found in it.
    package static func load(_ name: String) throws(TextEncodingError) -> TextEncoding {
        let plain = name.lowercased().replacing("_", with: "-")
        switch plain {
        case "plain", "utf-8", "utf8": return TextEncoding(name: name, kind: .utf8)
        case "utf-16", "utf16", "utf-16-bom", "utf-16le", "utf16le", "utf-16le-bom":
            return TextEncoding(name: name, kind: .utf16(isBig: false))
        case "utf-16be", "utf16be", "utf-16be-bom":
            return TextEncoding(name: name, kind: .utf16(isBig: true))
        case "utf-7", "utf-32", "utf-32le", "utf-32be", "ucs-4", "iso-2022-jp", "iso-2022-kr",
            "iso-2022-cn", "hz-gb-2312", "hz":
            throw .unsuited
        default: break
        }
        guard !name.isEmpty, name.utf8.count <= 40, name.utf8.allSatisfy(isNameByte) else {
            throw .unknown
        }
        let system = systemName(plain)
        guard let converter = TextConverter(system) else { throw .unknown }
        return TextEncoding(name: name, kind: try kind(system, converter))
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// Names that iconv has otherwise, or that stand for more than there: what Windows and browsers
    /// write under them.
    private static let systemNames = [
        "latin-1": "ISO-8859-1", "gb2312": "EUC-CN", "shift-jis": "CP932", "sjis": "CP932",
        "windows-31j": "CP932", "euc-kr": "UHC",
        "euc-jp": "EUC-JP-MS", "big5": "BIG5-HKSCS", "koi8r": "KOI8-R", "koi8u": "KOI8-U",
        "macintosh-cyrillic": "MAC-CYRILLIC", "iso8859-6e": "ISO-8859-6",
        "iso8859-6i": "ISO-8859-6", "iso8859-8e": "ISO-8859-8", "iso8859-8i": "ISO-8859-8",
    ]

    private static func systemName(_ plain: String) -> String {
        if let known = systemNames[plain] { return known }
        for (prefix, system) in [
            ("iso8859-", "ISO-8859-"), ("windows-", "CP"), ("windows", "CP"), ("codepage", "CP"),
        ] where plain.hasPrefix(prefix) {
            return system + plain.dropFirst(prefix.count).uppercased()
        }
        return plain.uppercased()
    }

    private static func kind(
        _ system: String, _ converter: TextConverter
    ) throws(TextEncodingError) -> Kind {
        var table: [UInt32] = []
        var isTable = true
        for byte in UInt8.min...UInt8.max {
            var text: [UInt8] = []
            let one = [byte]
            let outcome = converter.convert(one.span, room: 16, into: &text)
            if outcome.stop == .incomplete {
                // Each line would begin in the state that a character of its own sets.
                if byte == 0x1B { throw .unsuited }
                isTable = false
            }
            let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
            table.append(outcome.stop == .end && scalars.count == 1 ? scalars[0].value : 0xFFFD)
        }
        // Lines end where the byte of a newline is.
        guard table[0x0A] == 0x0A, table[0x0D] == 0x0D, table[0x41] == 0x41 else {
            throw .unsuited
        }
        // What is no ASCII below 0x80 is not taken over in runs.
        let isASCII = table[..<0x80].enumerated().allSatisfy { $0.offset == Int($0.element) }
        return isTable && isASCII ? .table(table) : .converter(system)
    }
}

/// Why a text's encoding cannot be had.
package enum TextEncodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// iconv does not know it here.
    case unknown
    /// Lines cannot be found in it.
    case unsuited

    package var description: String {
        switch self {
        case .unknown:
            "neither a name of ours nor one that the C library's iconv has a module for (`iconv"
                + " --list`; Debian's modules are in libc6, Fedora's in glibc-gconv-extra)"
        case .unsuited: "not supported: the end of a line is not to be found in it"
        }
    }
}
