import Platform

/// How much of a file's front may go.
package enum FrontLength {
    /// Delivered bytes that stay. What stands first afterwards is known for good, for nobody
    /// changes what is delivered, and it is as much as a file is known by; and the bytes before the
    /// position, by which it is told that it goes on, are not among those that go.
    package static let kept = 1024 + 64

    /// Bytes from the first on, a multiple of `alignment`: at most what is delivered, of a file of
    /// `size` bytes, and at most `limit`: what is copied takes room on the disk. 0 where that is
    /// nothing.
    package static func of(
        delivered: Int, size: Int, alignment: Int, limit: Int = .max
    ) -> Int {
        guard alignment > 0 else { return 0 }
        let most = min(min(delivered, size) -| kept, limit)
        return most <= 0 ? 0 : most / alignment * alignment
    }
}
