/// One stream within this run of the process; never saved.
package struct StreamID: Hashable, Sendable {
    /// Counted by its reader, whose own number is in the bits from the 41st on.
    package let number: Int

    package init(number: Int) { self.number = number }
}

/// One file's entry in the registry; saved, and never used again for another file.
package struct FileID: Hashable, Sendable, Comparable {
    /// Counted up by the registry, over all its starts.
    package let number: Int

    package init(number: Int) { self.number = number }

    package static func < (a: FileID, b: FileID) -> Bool { a.number < b.number }
}

/// The 64-bit id of one life of a file's content; the first half of every record's `_id`.
package struct GenerationID: Hashable, Sendable {
    /// 16 hexadecimal digits where it is written down.
    package let value: UInt64

    package init(value: UInt64) { self.value = value }

    /// 16 lower-case hex digits, as records and people see it.
    package var digits: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// One topic within this run of the process; never saved.
package struct DestinationID: Hashable, Sendable {
    /// Counted up by the producer whenever a topic gets its first lane.
    package let number: Int

    package init(number: Int) { self.number = number }
}
