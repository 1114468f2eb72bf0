package import Model
import Platform

/// A file as it was opened.
package struct FileSighting: Sendable {
    /// Index of the input whose pattern led to it.
    package let input: Int
    /// The stream that reads it.
    package let stream: StreamID
    /// The stream's saved name: an s6 log directory, or the path of an ordinary log.
    package let streamName: String
    /// One of the files of an s6 log directory (or multilog's, or svlogd's).
    package let isS6: Bool
    /// As `PathText` spells it, at this moment.
    package let path: String
    /// The stream's, by name; text as `PathText` spells it.
    package let captures: [String: String]
    /// The link that leads to the stream, as `PathText` spells it; nil where a pattern does.
    package var link: String?
    /// Of the inode that was opened, whatever its name leads to by now.
    package let identity: FileIdentity
    /// The first bytes, at most `Fingerprint.longest`.
    package let head: [UInt8]
    /// `head` without zeros at its end, which may not be written yet: what the content is to be
    /// known by from now on.
    package let begin: [UInt8]
    /// Bytes of the content, which of a compressed file are at least so many unless `hasKnownSize`.
    package let size: PhysicalOffset
    /// False for a compressed file whose end was not reached.
    package var hasKnownSize = true
    /// Nobody is going to write to it.
    package let archived: Bool
    /// Found by the first scan of this run.
    package let firstScan: Bool
}

extension FileSighting {
    static func written(_ head: [UInt8]) -> [UInt8] {
        head.dropLast(ByteSearch.trailingZeros(in: head.span))
    }
}
