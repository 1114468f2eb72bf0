import Platform
import Registry

/// Finds Filebeat's registry in its data directory, in `registry` beneath that or in
/// `registry/filebeat`, and reads it. Changes nothing.
struct FilebeatDirectory {
    let store: FilebeatStore
    /// The directory with meta.json.
    let path: String
    /// When Filebeat wrote to it last, nanoseconds since 1970.
    let written: Int64
    /// A Filebeat that uses this registry runs now.
    let isInUse: Bool

    /// Filebeat begins a checkpoint when log.json has 10 MiB; a row takes some 300 bytes.
    private static let longestFile = 1 << 30

    init(_ given: String) throws(FilebeatDirectoryError) {
        var base = given
        while base.count > 1, base.hasSuffix("/") { base.removeLast() }
        let places = ["/registry/filebeat", "/filebeat", "", "/registry"].map { base + $0 }
        guard let path = try Self.store(among: places) else {
            throw try Self.refusal(given, places)
        }
        self.path = path
        let log = try Self.contents("\(path)/log.json")
        let number = try Self.names(of: path).compactMap(FilebeatStore.Checkpoint.number).max()
        let checkpoint = try number.flatMap { number throws(FilebeatDirectoryError) in
            try Self.contents("\(path)/\(number).json")
        }
        written = max(log?.modified ?? 0, checkpoint?.modified ?? 0)
        do {
            store = try FilebeatStore(
                meta: try Self.contents("\(path)/meta.json")?.bytes ?? [],
                checkpoint: number.map { .init(number: $0, bytes: checkpoint?.bytes ?? []) },
                log: log?.bytes ?? [])
        } catch let error as FilebeatDirectoryError {
            throw error
        } catch let error as FilebeatStoreError {
            throw .unusable(path: path, error)
        } catch {
            preconditionFailure("nothing else is thrown: \(error)")
        }
        isInUse = try Self.isInUse([path, "\(path)/..", "\(path)/../.."])
    }

    private static func store(
        among places: [String]
    ) throws(FilebeatDirectoryError) -> String? {
        for place in places {
            let names = try names(of: place)
            guard names.contains("meta.json"), !names.contains("data.json") else { continue }
            // The data directory has a meta.json of its own, about something else.
            let hasRows = names.contains {
                $0 == "log.json" || FilebeatStore.Checkpoint.number(of: $0) != nil
            }
            if hasRows || place.hasSuffix("/registry/filebeat") { return place }
        }
        return nil
    }

    /// Filebeat holds `filebeat.lock` in its data directory while it runs.
    private static func isInUse(_ places: [String]) throws(FilebeatDirectoryError) -> Bool {
        for place in places {
            do throws(SystemError) {
                let directory = try Descriptor.open(place, O.directory)
                if try FileLock.isHeld("filebeat.lock", in: directory) { return true }
            } catch {
                throw .unreadable(path: "\(place)/filebeat.lock", error)
            }
        }
        return false
    }

    /// The names in a directory; none where it is no directory.
    private static func names(of path: String) throws(FilebeatDirectoryError) -> [String] {
        do throws(SystemError) {
            return try Descriptor.open(path, O.directory).entries()
                .map { String(decoding: $0.name, as: UTF8.self) }
        } catch {
            if error.code == .notFound || error.code == .notDirectory { return [] }
            throw .unreadable(path: path, error)
        }
    }

    private struct Contents {
        let bytes: [UInt8]
        let modified: Int64
    }

    /// Nil where there is no such file.
    private static func contents(
        _ path: String, most: Int = longestFile
    ) throws(FilebeatDirectoryError) -> Contents? {
        do throws(SystemError) {
            let file = try Descriptor.open(path, O.read | O.nonBlocking)
            let status = try file.status()
            guard status.isRegular else { return nil }
            guard status.size <= longestFile else { throw SystemError("read", code: .overflow) }
            return Contents(
                bytes: try file.read(count: min(most, status.size), at: 0),
                modified: status.modified.nanoseconds)
        } catch {
            if error.code == .notFound || error.code == .notDirectory { return nil }
            throw .unreadable(path: path, error)
        }
    }

    // MARK: What it is instead

    private static func refusal(
        _ given: String, _ places: [String]
    ) throws(FilebeatDirectoryError) -> FilebeatDirectoryError {
        for place in places {
            // A registry was one file before Filebeat 7.0.
            if let kind = try kind(of: place) { return .refused(path: place, kind) }
            for name in try names(of: place).sorted() {
                if name == "data.json" { return .refused(path: "\(place)/\(name)", .json) }
                if let kind = try kind(of: "\(place)/\(name)"), kind != .json {
                    return .refused(path: "\(place)/\(name)", kind)
                }
            }
        }
        return .missing(path: given)
    }

    /// The kind of a file by its first bytes; nil where it cannot be told and where there is no
    /// file.
    private static func kind(
        of path: String
    ) throws(FilebeatDirectoryError) -> FilebeatDirectoryError.Kind? {
        guard let head = try contents(path, most: 32)?.bytes else { return nil }
        // bbolt: a page header of 16 bytes, and then the magic number, in the byte order of the
        // machine.
        let magic: [UInt8] = [0xED, 0xDA, 0x0C, 0xED]
        if head.count >= 20, head[16..<20].elementsEqual(magic) || head[16..<20].reversed() == magic
        {
            let name = path.split(separator: "/").last ?? ""
            let isCollector = ["receiver_", "processor_", "exporter_", "extension_", "connector_"]
                .contains { name.hasPrefix($0) }
            return isCollector ? .otel : .bbolt
        }
        let first = head.first { $0 > 0x20 }
        return first == UInt8(ascii: "[") || first == UInt8(ascii: "{") ? .json : nil
    }
}

/// Why there is nothing to import.
enum FilebeatDirectoryError: Error, CustomStringConvertible {
    case missing(path: String)
    case unreadable(path: String, SystemError)
    case refused(path: String, Kind)
    case unusable(path: String, FilebeatStoreError)

    enum Kind: Hashable {
        /// One JSON file, as before Filebeat 7.9.
        case json
        case bbolt
        case otel
    }

    var description: String {
        switch self {
        case .missing(let path):
            "\(path): no registry of Filebeat is here: name its data directory (path.data), in which "
                + "there is registry/filebeat/meta.json"
        case .unreadable(let path, let error):
            "\(path): cannot be read: \(error): may you read Filebeat's data directory?"
        case .refused(let path, .json):
            "\(path): \(FilebeatStoreError.oldFormat(file: "it"))"
        case .refused(let path, .bbolt):
            "\(path) is a bbolt store, which cannot be imported, only the files of Filebeat's "
                + "standard store (memlog)"
        case .refused(let path, .otel):
            "\(path) is of the OpenTelemetry Collector's file storage, which cannot be imported, only "
                + "a registry of Filebeat"
        case .unusable(let path, let error): "\(path)/\(error)"
        }
    }
}
