extension BidirectionalCollection<UInt8> {
    /// The bytes of a path before its last slash, and those behind it: the directory, which is
    /// empty for the root, and the name in it. Nil for a path without a slash.
    package var directoryAndName: (directory: SubSequence, name: SubSequence)? {
        guard let slash = lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return (self[..<slash], self[index(after: slash)...])
    }
}
