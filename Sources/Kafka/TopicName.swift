/// Names that Kafka takes for a topic.
package enum TopicName {
    /// Kafka's own limit: a topic's name and a partition number make the name of a directory.
    package static let longest = 249

    /// `name` with each character outside `[a-zA-Z0-9._-]` turned into `_`. A name that is too long
    /// is cut and ends in `-` and 8 hexadecimal digits of a hash over all of it, so that two long
    /// names stay two; `.`, `..` and the empty name, which Kafka refuses, become `_`.
    package static func legal(_ name: String) -> String {
        var result = ""
        for scalar in name.unicodeScalars {
            result.unicodeScalars.append(isLegal(scalar) ? scalar : "_")
        }
        if result.isEmpty || result == "." || result == ".." { return "_" }
        guard result.unicodeScalars.count > longest else { return result }
        return String(result.prefix(longest - 9)) + "-" + hash(name)
    }

    private static func isLegal(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
        default: false
        }
    }

    /// FNV-1a of 64 bits, both halves folded into one.
    private static func hash(_ name: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let digits = String(UInt32(truncatingIfNeeded: hash ^ hash >> 32), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
