import Platform
import Settings

/// What the files hold that an output's settings name, to tell whether that has changed: renewed
/// certificates and changed passwords have the same names as before.
struct FileDigests: Hashable, Sendable {
    /// SHA-256 by path; nil where a file cannot be read.
    private let digests: [String: [UInt8]?]

    /// More of a file is not looked at.
    private static let mostBytes = 4 << 20

    init(_ kafka: Settings.Kafka) {
        var digests: [String: [UInt8]?] = [:]
        for file in kafka.files { digests[file.path] = .some(Self.digest(file.path)) }
        self.digests = digests
    }

    private static func digest(_ path: String) -> [UInt8]? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Descriptor.open(path, O.read).read(count: mostBytes, at: 0)
        } catch {
            // Who starts with it is told why.
            return nil
        }
        return Digest.sha256(bytes.span)
    }
}
