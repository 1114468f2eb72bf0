package import Model
import Platform

/// Mints the id of one life of a file's content.
///
/// The id is the first 8 bytes, big endian, of SHA-256 over
///
///     'h', device (8 bytes big endian), the handle's bytes      where there is a handle, else
///     'i', device, inode, birth time (each 8 bytes big endian; 0 for no birth time)
///
/// followed by the generation count (8 bytes big endian). It is saved at once and read back ever
/// after: were it computed again, a handle that a sandbox now refuses would change every `_id`.
package enum Generation {
    package static func mint(_ identity: FileIdentity, count: Int) -> GenerationID {
        var bytes: [UInt8] = []
        func append(_ value: UInt64) {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
            }
        }
        if let handle = identity.handle {
            bytes.append(UInt8(ascii: "h"))
            append(identity.device)
            bytes += handle
        } else {
            bytes.append(UInt8(ascii: "i"))
            append(identity.device)
            append(identity.inode)
            append(UInt64(bitPattern: identity.birth ?? 0))
        }
        append(UInt64(truncatingIfNeeded: count))
        return GenerationID(value: Digest.id64(bytes.span))
    }
}

extension Fingerprint {
    /// The fingerprint of a file that begins with `head`: its first 1024 bytes, or all of them where
    /// it is shorter.
    package static func of(head: [UInt8]) -> Fingerprint {
        let length = min(head.count, longest)
        return Fingerprint(
            length: length, digest: Digest.sha256(head.span.extracting(0..<length)))
    }

    /// Whether a file that begins with `head` begins with what this fingerprint covers.
    package func matches(head: [UInt8]) -> Bool {
        guard length > 0 else { return true }
        guard head.count >= length else { return false }
        return Digest.sha256(head.span.extracting(0..<length)) == digest
    }
}
