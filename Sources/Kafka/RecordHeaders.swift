import Model
import Platform

/// The headers of a batch's records: the same names, in this order, for all of them.
package struct RecordHeaders: Hashable, Sendable {
    /// The bytes of one header.
    package enum Value: Hashable, Sendable {
        /// The same for all records.
        case bytes([UInt8])
        /// Where the record begins in its file, in decimal digits.
        case offset
        /// The record's `_id`.
        case id
        /// One after the other.
        case all([Value])
    }

    /// One of them; names may stand more than once.
    package struct Header: Hashable, Sendable {
        /// Without a byte 0.
        package let name: String
        /// May be empty, and is never null.
        package let value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// In the order in which consumers see them.
    package let list: [Header]

    package init(_ list: [Header]) { self.list = list }

    /// Records without headers, which take a quicker way to the client.
    package static let none = RecordHeaders([])

    /// Most bytes that they add to a record, names and lengths included.
    package var most: Int {
        // Two lengths of up to five bytes each.
        list.reduce(0) { $0 +| ($1.name.utf8.count + Self.most($1.value) + 10) }
    }

    /// Bytes that they take in memory beside a record until its verdict, at the most: librdkafka
    /// keeps a copy of each.
    package var overhead: Int { most + list.count * 64 }

    private static func most(_ value: Value) -> Int {
        switch value {
        case .bytes(let bytes): bytes.count
        case .offset: 20
        case .id: 33
        case .all(let values): values.reduce(0) { $0 +| most($1) }
        }
    }

    /// The value of one header of record `index`.
    func bytes(_ value: Value, _ batch: RecordBatch, _ index: Int) -> [UInt8] {
        switch value {
        case .bytes(let bytes): bytes
        case .offset: Array(String(batch.fileOffset(of: index).bytes).utf8)
        case .id: Array(batch.id(of: index).utf8)
        case .all(let values): values.flatMap { bytes($0, batch, index) }
        }
    }
}
