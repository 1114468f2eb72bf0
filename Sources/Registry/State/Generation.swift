package import Model
import Platform
import Synchronization

/// Mints the ids of the lives of files' contents; those of one opening of the registry.
///
/// An id is the first 8 bytes, big endian, of SHA-256 over
///
///     'h', device (8 bytes big endian), the handle's bytes      where there is a handle, else
///     'i', device, inode, birth time (each 8 bytes big endian; 0 for no birth time)
///
/// followed by the generation count, the entry's number, how many ids the opening has minted before
/// (8 bytes big endian each) and the opening's seed. It is saved at once and read back ever after,
/// never computed again.
///
/// Identity and count alone would give one id to two contents as soon as the count is not known:
///
/// 1. A log is read, truncated (count 1), and read on. Its entry goes: it is forgotten by hand,
///    lost by damage, with the data directory or by a power cut, or its file leaves and comes back.
/// 2. It is seen as new, count 0, and its lines get the ids of those before the truncation.
/// 3. Whoever drops what has a known id, drops them.
///
/// What was saved and lost is not known; that no other opening had this seed, and that this one
/// gives a number only once, is; and that it mints no two ids of one thing, whatever count somebody
/// has written into the registry, where no larger one is taken for true. So a line that is sent
/// again because its entry was lost has another id, and is not recognised.
final class Generation: Sendable {
    /// 16 bytes.
    let seed: [UInt8]
    private let minted = Atomic<UInt64>(0)

    init(seed: [UInt8]) { self.seed = seed }

    /// Made of the kernel's randomness.
    static func random() -> Generation {
        var random = SystemRandomNumberGenerator()
        return Generation(seed: (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    /// The life after `count` others of the file of an entry.
    func mint(_ identity: FileIdentity, _ file: FileID, count: Int) -> GenerationID {
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
        append(UInt64(truncatingIfNeeded: file.number))
        append(minted.wrappingAdd(1, ordering: .relaxed).oldValue)
        bytes += seed
        return GenerationID(value: Digest.id64(bytes.span))
    }
}

extension Fingerprint {
    /// The fingerprint of a file that begins with `head`: its first 1024 bytes, or all of them
    /// where it is shorter.
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
