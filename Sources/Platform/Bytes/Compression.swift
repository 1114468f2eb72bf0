/// The way in which a file is compressed, as its first bytes say it. Names say nothing: archives
/// that s6-log's processors make have an archive's name, and logrotate's `compressext` can be any.
package enum Compression: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case gzip
    case xz
    case zstd
    case bzip2
    // Told apart so that they are never taken for text; there is no reading them.
    case lz4
    case compress
    case lzma
    case lzip
    case lzop
    case snappy
    case zip
    case sevenZip = "7z"
    case rar

    package var description: String { rawValue }

    /// `Decompressor` can read it.
    package var isReadable: Bool {
        switch self {
        case .gzip, .xz, .zstd, .bzip2: true
        case .lz4, .compress, .lzma, .lzip, .lzop, .snappy, .zip, .sevenZip, .rar: false
        }
    }

    /// First bytes that are looked at.
    package static let longestMagic = 13

    /// Nil where `head`, the first bytes of a file, are those of none. No line of text begins so.
    package init?(head: [UInt8]) {
        if let found = Self.magics.first(where: { head.starts(with: $0.bytes) }) {
            self = found.compression
        } else if head.count >= 4, Self.isSkippable(head) {
            self = .zstd
        } else if head.count >= 10, head.starts(with: Array("BZh".utf8)),
            (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(head[3]),
            [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]]
                .contains(Array(head[4..<10]))
        {
            self = .bzip2
        } else if head.count >= 13, head.starts(with: [0x5D, 0, 0]), Self.isSize(head[5..<13]) {
            self = .lzma
        } else {
            return nil
        }
    }

    /// A frame of zstd's without content, with which `pzstd` begins its files.
    private static func isSkippable(_ head: [UInt8]) -> Bool {
        head[0] & 0xF0 == 0x50 && head[1] == 0x2A && head[2] == 0x4D && head[3] == 0x18
    }

    /// Bytes one of which a member of it begins with, where it can be read.
    var firstBytes: [UInt8] {
        switch self {
        case .gzip: [0x1F]
        case .xz: [0xFD]
        case .zstd: [0x28] + (0x50...0x5F)
        case .bzip2: [UInt8(ascii: "B")]
        case .lz4, .compress, .lzma, .lzip, .lzop, .snappy, .zip, .sevenZip, .rar: []
        }
    }

    /// The size that stands in the head of an lzma file: unknown, or below 2^40.
    private static func isSize(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0 == 0xFF } || bytes.suffix(3).allSatisfy { $0 == 0 }
    }

    private static let magics: [(compression: Compression, bytes: [UInt8])] = [
        (.gzip, [0x1F, 0x8B, 8]),
        (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]),
        (.zstd, [0x28, 0xB5, 0x2F, 0xFD]),
        (.lz4, [0x04, 0x22, 0x4D, 0x18]),
        (.lz4, [0x02, 0x21, 0x4C, 0x18]),
        (.compress, [0x1F, 0x9D]),
        (.lzip, [0x4C, 0x5A, 0x49, 0x50, 1]),
        (.lzop, [0x89, 0x4C, 0x5A, 0x4F, 0, 0x0D, 0x0A, 0x1A, 0x0A]),
        (.snappy, [0xFF, 6, 0, 0, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59]),
        (.zip, [0x50, 0x4B, 3, 4]),
        (.zip, [0x50, 0x4B, 5, 6]),
        (.sevenZip, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),
        (.rar, [0x52, 0x61, 0x72, 0x21, 0x1A, 7]),
    ]
}
