/// The bytes just before a position, at most `longest`: when they are no longer what they were, the
/// file was truncated and written again, whatever its size.
package struct Anchor: Hashable, Sendable {
    /// In the order of the file; fewer than `longest` only near its beginning.
    package let bytes: [UInt8]

    /// Bytes: few enough to be in each record of the journal.
    package static let longest = 64
    /// Before the first byte of a file there is nothing.
    package static let none = Anchor(bytes: [])

    package init(bytes: [UInt8]) { self.bytes = bytes }
}
