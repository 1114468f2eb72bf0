import FoundationEssentials
package import Model
import Platform

/// A row's value, as far as it is about a file. What is missing or of another type is a reason to
/// leave the row alone, not to distrust the registry.
enum FilebeatValue: Sendable {
    case fields(Fields)
    case strange(String)

    struct Fields: Decodable, Sendable {
        struct Inode: Decodable, Sendable {
            let inode: UInt64
            let device: UInt64
        }
        struct Cursor: Decodable, Sendable { let offset: Int? }
        struct Meta: Decodable, Sendable {
            let source: String?
            let identity: String?
            enum CodingKeys: String, CodingKey {
                case source
                case identity = "identifier_name"
            }
        }
        let ttl: Int?
        let source: String?
        let offset: Int?
        let type: String?
        let inode: Inode?
        let identity: String?
        let cursor: Cursor?
        let meta: Meta?
        let updated: [UInt64]?
        let timestamp: [UInt64]?

        enum CodingKeys: String, CodingKey {
            case ttl, source, offset, type, cursor, meta, updated, timestamp
            case inode = "FileStateOS"
            case identity = "identifier_name"
        }

        /// When Filebeat changed the row last; nil for a time that it never set.
        var time: Int64? {
            guard let pair = updated ?? timestamp, pair.count == 2 else { return nil }
            let seconds = Int64(bitPattern: pair[1])
            // Before 1970 is Go's zero time, after 2200 an accident.
            guard seconds > 0, seconds < 7_258_118_400 else { return nil }
            return seconds * 1_000_000_000 + Int64(pair[0] & 0xFFFF_FFFF)
        }
    }

    /// The object that `decoder` stands at.
    init(reading decoder: any Decoder) {
        do {
            self = .fields(try Fields(from: decoder))
        } catch {
            self = .strange(Self.words(error))
        }
    }

    /// The object under `key`.
    init<Key: CodingKey>(in line: KeyedDecodingContainer<Key>, _ key: Key) {
        do {
            self = .fields(try line.decode(Fields.self, forKey: key))
        } catch {
            self = .strange(Self.words(error))
        }
    }

    /// The fault of a piece of JSON, in a few words.
    static func words(_ error: any Error) -> String {
        func place(_ context: DecodingError.Context, _ last: String? = nil) -> String {
            let path = context.codingPath.map(\.stringValue) + (last.map { [$0] } ?? [])
            return path.isEmpty ? "the line" : "\"\(path.joined(separator: "."))\""
        }
        switch error as? DecodingError {
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "no valid JSON" : "\(place(context)) has no value that is possible"
        case .keyNotFound(let key, let context):
            return "\(place(context, key.stringValue)) is missing"
        case .typeMismatch(_, let context): return "\(place(context)) is of another type"
        case .valueNotFound(_, let context): return "\(place(context)) is null"
        // JSONDecoder throws errors of its own for numbers beyond all types.
        default: return "a value is not possible: \(error)"
        }
    }
}

/// How far Filebeat has delivered a file.
package struct FilebeatRow: Hashable, Sendable {
    /// The mark by which it knows the file.
    package enum Identity: Hashable, Sendable {
        case native(inode: UInt64, device: UInt64)
        /// The path alone.
        case path
        /// SHA-256 of the first 1024 bytes.
        case fingerprint([UInt8])
        /// The inode; in place of the device, which changes from one mount to the next, there was a
        /// marker file.
        case inodeMarker(inode: UInt64)
    }

    /// The row's key in Filebeat's store, for messages.
    package let key: String
    /// `log`, `container`, or `filestream` with its id.
    package let input: String
    /// Proves, or does not, that a file is the one that was read.
    package let identity: Identity
    /// The path under which Filebeat saw it last.
    package let source: String
    /// 0 where nothing was read.
    package let offset: PhysicalOffset
    /// When Filebeat changed the row last, nanoseconds since 1970; nil where it does not say.
    package let updated: Int64?

    /// The outcome of reading a row.
    enum Made {
        case row(FilebeatRow)
        case unusable(FilebeatStore.UnusableRow)
        /// Filebeat itself is done with it.
        case over
    }

    static func make(_ key: String, _ value: FilebeatValue) -> Made {
        let fields: FilebeatValue.Fields
        switch value {
        case .fields(let read): fields = read
        case .strange(let what):
            return .unusable(.init(name: key, reason: "the row cannot be understood: \(what)"))
        }
        if fields.ttl == 0 { return .over }
        if let tail = key.cut(after: "filebeat::logs::") {
            return log(key, tail, fields)
        }
        if let tail = key.cut(after: "filestream::") {
            return filestream(key, tail, fields)
        }
        let input = key.firstRange(of: "::").map { String(key[..<$0.lowerBound]) } ?? key
        return .unusable(.init(name: key, reason: "is of the input \(input), which reads no files"))
    }

    private static func log(_ key: String, _ tail: String, _ fields: FilebeatValue.Fields) -> Made {
        guard let source = fields.source, !source.isEmpty, let offset = fields.offset else {
            return .unusable(.init(name: key, reason: "the row names no path or no offset"))
        }
        guard offset >= 0 else { return negative(source, offset) }
        let identity = self.identity(of: tail, named: fields.identity, source)
        let found: Identity
        switch identity {
        case .native(let inode, let device):
            if let state = fields.inode, state.inode != inode || state.device != device {
                return .unusable(
                    .init(name: source, reason: "key and FileStateOS name different files"))
            }
            found = .native(inode: inode, device: device)
        case .inodeMarker, .fingerprint: found = identity ?? .path
        case .path, nil:
            // This input notes the inode whatever it knows the file by.
            guard let state = fields.inode else {
                guard identity != nil else { return unknown(source, fields.identity, key) }
                found = .path
                break
            }
            found = .native(inode: state.inode, device: state.device)
        }
        return .row(
            FilebeatRow(
                key: key, input: fields.type ?? "log", identity: found, source: source,
                offset: PhysicalOffset(offset), updated: fields.time))
    }

    private static func filestream(
        _ key: String, _ tail: String, _ fields: FilebeatValue.Fields
    ) -> Made {
        guard let source = fields.meta?.source, !source.isEmpty else {
            return .unusable(.init(name: key, reason: "the row names no path"))
        }
        let offset = fields.cursor?.offset ?? 0
        guard offset >= 0 else { return negative(source, offset) }
        let name = fields.meta?.identity
        guard let identity = identity(of: tail, named: name, source) else {
            return unknown(source, name, key)
        }
        let id = tail.firstRange(of: "::").map { String(tail[..<$0.lowerBound]) } ?? tail
        return .row(
            FilebeatRow(
                key: key, input: "filestream \(id)", identity: identity, source: source,
                offset: PhysicalOffset(offset), updated: fields.time))
    }

    private static func negative(_ source: String, _ offset: Int) -> Made {
        .unusable(.init(name: source, reason: "the offset is \(offset)"))
    }

    private static func unknown(_ source: String, _ name: String?, _ key: String) -> Made {
        let what = name.map { "the identity \($0)" } ?? "the identity in \(key)"
        return .unusable(.init(name: source, reason: "\(what) is not known or has another form"))
    }

    private static let names = ["native", "fingerprint", "inode_marker", "path"]

    /// `named`: what the row says; an input's id may hold anything, so the last place that fits
    /// counts.
    private static func identity(
        of tail: String, named: String?, _ source: String
    ) -> Identity? {
        for name in named.map({ [$0] }) ?? names {
            if name == "path", "::\(tail)".hasSuffix("::path::\(source)") { return .path }
            guard let value = tail.cut(afterLast: "\(name)::") else { continue }
            if let identity = identity(name, value) { return identity }
        }
        return nil
    }

    private static func identity(_ name: String, _ value: String) -> Identity? {
        switch name {
        case "native":
            let parts = value.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let inode = UInt64(parts[0]), let device = UInt64(parts[1])
            else { return nil }
            return .native(inode: inode, device: device)
        case "fingerprint":
            let digits = value.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
            guard digits.count == 64, !digits.contains(nil) else { return nil }
            let nibbles = digits.compactMap(\.self)
            return .fingerprint(
                stride(from: 0, to: 64, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) })
        case "inode_marker":
            guard let dash = value.firstIndex(of: "-"), let inode = UInt64(value[..<dash]) else {
                return nil
            }
            return .inodeMarker(inode: inode)
        case "path": return value.isEmpty ? nil : .path
        default: return nil
        }
    }
}

extension String {
    fileprivate func cut(after prefix: String) -> String? {
        utf8.starts(with: prefix.utf8) ? String(dropFirst(prefix.count)) : nil
    }

    fileprivate func cut(afterLast mark: String) -> String? {
        ranges(of: mark).last.map { String(self[$0.upperBound...]) }
    }
}
