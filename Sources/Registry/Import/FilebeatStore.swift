// Filebeat's registry, as Filebeat 7.9 and later keep it in `<path.data>/registry/filebeat`
// ("memlog", store version 1). Read here, never written.
//
//   meta.json       {"version":"1"}
//   <N>.json        a checkpoint: an array with one object a line, each a row with its key as
//                   `_key`; it contains every operation up to number N. The highest N counts;
//                   `active.dat`, which names one, is for people and may be behind.
//   log.json        operations since, two lines each: {"op":"set","id":N} or
//                   {"op":"remove","id":N}, and {"k":KEY,"v":ROW} (without `v` for `remove`). Those
//                   the checkpoint contains are skipped: the log may not have been emptied after it
//                   was written.
//
// A row's last `set` counts, and `remove` ends it. Filebeat itself takes log.json up to the first
// operation that it cannot read, and so does this: what follows was being written when it died. A
// row that is older than it could be makes lines come twice and none be missed. A checkpoint is
// replaced whole, so one that is damaged is no accident of a crash, and is refused.
//
// Keys and rows of files (`FilebeatRow`):
//
//   filestream::<input id>::<identity>::<value>
//       {"cursor":{"offset":N},"meta":{"source":PATH,"identifier_name":IDENTITY},
//        "ttl":T,"updated":TIME}
//   filebeat::logs::[<hash>-]<identity>::<value>
//       {"source":PATH,"offset":N,"type":"log" or "container",
//        "FileStateOS":{"inode":I,"device":D},
//        "identifier_name":IDENTITY,"ttl":T,"timestamp":TIME}
//
// The identities are `native` (inode-device), `path` (the path), `fingerprint` (SHA-256 of bytes
// 0..1024 in hex) and `inode_marker` (inode-content of a marker file). A hash stands there where an
// input reads a file by parts, as `container` does for standard output and standard error: such a
// file has a row for each. `cursor` is null while nothing was read. A ttl of 0 says that the row
// may be forgotten. TIME is [extra, seconds]: the low 32 bits of `extra` are nanoseconds, the
// seconds are of 64 bits with a sign.
import FoundationEssentials

/// One of Filebeat's registries, with all that it says of files.
package struct FilebeatStore: Sendable {
    /// In the order of their paths.
    package private(set) var rows: [FilebeatRow] = []
    /// Rows that are no position of a file, or none that can be understood, in the order of keys.
    package private(set) var unusableRows: [UnusableRow] = []
    /// Where log.json was cut, if it was.
    package private(set) var cut: Cut?

    /// A row that says nothing about a file that could be taken over.
    package struct UnusableRow: Hashable, Sendable {
        /// The path, or the key where there is none.
        package let name: String
        /// Why, in words that go on after the name.
        package let reason: String
    }

    /// The end of log.json that was left out.
    package struct Cut: Hashable, Sendable, CustomStringConvertible {
        /// Where the first operation begins that cannot be read.
        package let position: Int
        /// Bytes from there on.
        package let bytes: Int
        /// The fault at `position`, in a phrase.
        package let what: String

        package var description: String {
            "log.json: byte \(position): \(what); the last \(bytes) bytes are left out"
        }
    }

    /// A checkpoint's content and the number of its last operation.
    package struct Checkpoint: Sendable {
        /// The operations of log.json up to this one are contained.
        package let number: UInt64
        /// The file as it was read: one JSON array of rows.
        package let bytes: [UInt8]

        package init(number: UInt64, bytes: [UInt8]) {
            self.number = number
            self.bytes = bytes
        }

        /// The number that a checkpoint's file name consists of; nil for the name of anything else.
        package static func number(of name: String) -> UInt64? {
            guard name.hasSuffix(".json") else { return nil }
            let digits = name.dropLast(5)
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return UInt64(digits)
        }
    }

    /// `meta`, `log`: contents of meta.json and log.json; no `log` is an empty one.
    package init(
        meta: [UInt8], checkpoint: Checkpoint?, log: [UInt8]
    ) throws(FilebeatStoreError) {
        try Self.check(meta)
        // Bytes, not texts: two spellings of one character are two keys.
        var table: [[UInt8]: FilebeatValue] = [:]
        if let checkpoint { try Self.read(checkpoint, into: &table) }
        cut = Self.read(log, after: checkpoint?.number ?? 0, into: &table)
        for (key, value) in table {
            switch FilebeatRow.make(String(decoding: key, as: UTF8.self), value) {
            case .row(let row): rows.append(row)
            case .unusable(let row): unusableRows.append(row)
            case .over: continue
            }
        }
        rows.sort { ($0.source, $0.key) < ($1.source, $1.key) }
        unusableRows.sort { ($0.name, $0.reason) < ($1.name, $1.reason) }
    }

    private struct Meta: Decodable { let version: String }

    private static func check(_ bytes: [UInt8]) throws(FilebeatStoreError) {
        let meta: Meta
        do {
            meta = try JSONDecoder().decode(Meta.self, from: Data(bytes))
        } catch {
            throw .damaged(file: "meta.json", position: 0, what: FilebeatValue.words(error))
        }
        switch meta.version {
        case "1": return
        case "0": throw .oldFormat(file: "meta.json")
        default: throw .unknownVersion(meta.version)
        }
    }

    /// One object of a checkpoint.
    private struct Entry: Decodable {
        let key: String
        let value: FilebeatValue

        private enum Key: String, CodingKey { case key = "_key" }

        init(from decoder: any Decoder) throws {
            key = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .key)
            value = FilebeatValue(reading: decoder)
        }
    }

    private static func read(
        _ checkpoint: Checkpoint, into table: inout [[UInt8]: FilebeatValue]
    ) throws(FilebeatStoreError) {
        let file = "\(checkpoint.number).json"
        var lines = Lines(checkpoint.bytes)
        var isOpen = false
        var isClosed = false
        var mustEnd = false
        while var line = lines.next() {
            func fault(_ what: String) -> FilebeatStoreError {
                .damaged(file: file, position: line.position, what: what)
            }
            if isClosed { throw fault("something follows the end of the array") }
            if !isOpen {
                guard line.bytes == [UInt8(ascii: "[")] else {
                    throw fault("the array does not begin with [ on a line of its own")
                }
                isOpen = true
                continue
            }
            if line.bytes == [UInt8(ascii: "]")] {
                isClosed = true
                continue
            }
            if mustEnd { throw fault("a row follows one without a comma") }
            // Filebeat ends each object with a newline of its own before the next comma.
            if line.bytes.isEmpty || line.bytes == [UInt8(ascii: ",")] { continue }
            if line.bytes.first == UInt8(ascii: ",") { line.bytes.removeFirst() }
            mustEnd = line.bytes.last != UInt8(ascii: ",")
            if !mustEnd { line.bytes.removeLast() }
            do {
                let entry = try JSONDecoder().decode(Entry.self, from: Data(line.bytes))
                table[Array(entry.key.utf8)] = entry.value
            } catch {
                throw fault(FilebeatValue.words(error))
            }
        }
        guard isClosed else {
            throw .damaged(
                file: file, position: checkpoint.bytes.count, what: "the array does not end")
        }
    }

    /// The first line of an operation.
    private struct Header: Decodable {
        enum Operation: String, Decodable { case set, remove }
        let operation: Operation
        let id: UInt64

        enum CodingKeys: String, CodingKey {
            case operation = "op"
            case id
        }
    }

    /// The second one.
    private struct Operand: Decodable {
        let key: String
        let value: FilebeatValue?

        private enum Key: String, CodingKey {
            case key = "k"
            case value = "v"
        }

        init(from decoder: any Decoder) throws {
            let line = try decoder.container(keyedBy: Key.self)
            key = try line.decode(String.self, forKey: .key)
            value = line.contains(.value) ? FilebeatValue(in: line, .value) : nil
        }
    }

    private static func read(
        _ log: [UInt8], after checkpoint: UInt64, into table: inout [[UInt8]: FilebeatValue]
    ) -> Cut? {
        var lines = Lines(log)
        while let first = lines.next() {
            func cut(_ what: String) -> Cut {
                Cut(position: first.position, bytes: log.count - first.position, what: what)
            }
            do {
                let header = try JSONDecoder().decode(Header.self, from: Data(first.bytes))
                guard let second = lines.next() else { return cut("an operation is half there") }
                let operand = try JSONDecoder().decode(Operand.self, from: Data(second.bytes))
                guard header.id > checkpoint else { continue }
                switch header.operation {
                case .set:
                    guard let value = operand.value else { return cut("a set without a row") }
                    table[Array(operand.key.utf8)] = value
                case .remove: table[Array(operand.key.utf8)] = nil
                }
            } catch {
                return cut(FilebeatValue.words(error))
            }
        }
        return nil
    }

    /// Lines with their positions, the last one with or without its newline.
    private struct Lines {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        mutating func next() -> (position: Int, bytes: [UInt8])? {
            guard position < bytes.count else { return nil }
            let start = position
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            position = end + 1
            return (start, Array(bytes[start..<end]))
        }
    }
}

/// Why a registry of Filebeat cannot be read.
package enum FilebeatStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A file that Filebeat replaces whole, and that is not whole.
    case damaged(file: String, position: Int, what: String)
    case unknownVersion(String)
    /// Of Filebeat before 7.9.
    case oldFormat(file: String)

    package var description: String {
        switch self {
        case .damaged(let file, let position, let what):
            "\(file): byte \(position): \(what): Filebeat itself would not start with it; restore "
                + "the file, or start without its positions"
        case .unknownVersion(let version):
            "meta.json: version \"\(version)\" of Filebeat's registry is not known, only \"1\": "
                + "nothing is taken over"
        case .oldFormat(let file):
            "\(file) is of a registry as Filebeat kept it before 7.9: start Filebeat 7.9 or later "
                + "once, which rewrites it, stop it, and import then"
        }
    }
}
