import Model
import Registry

/// Which files of the registry lie in a directory, or belong to a log there. 16 bytes for each: a
/// directory stands for all that have its hash, and the entry says which it is.
///
/// What is opened or gets another path is added as it comes. When that is half as much as there
/// was, all is forgotten, and gone through anew when somebody asks: files that are gone by then
/// take no room, and it costs each file little however many there are.
struct EntryPlaces {
    private typealias Place = (directory: Int, file: FileID)
    /// By their directories' hashes; nil until somebody asks.
    private var places: [Place]?
    private var added: [Int: [FileID]] = [:]
    private var addedCount = 0
    /// Of a few files so many may be added all the same.
    private static let leastAdded = 4_096

    /// The entries whose file or whose log lies in `directory`, by number.
    mutating func entries(in directory: ExactText, of registry: Registry) -> [FileEntry] {
        let places = places ?? Self.places(registry)
        self.places = places
        let hash = directory.hashValue
        var (low, high) = (0, places.count)
        while low < high {
            let middle = low + (high - low) / 2
            if places[middle].directory < hash { low = middle + 1 } else { high = middle }
        }
        var files = Set(added[hash] ?? [])
        while low < places.count, places[low].directory == hash {
            files.insert(places[low].file)
            low += 1
        }
        return files.sorted().compactMap { registry.entry($0) }
            .filter { Self.directories(of: $0).contains(directory) }
    }

    /// An entry is there by now, or has another path.
    mutating func add(_ entry: FileEntry) {
        guard let places else { return }
        guard addedCount < max(Self.leastAdded, places.count / 2) else {
            self = EntryPlaces()
            return
        }
        addedCount += 1
        for directory in Self.directories(of: entry) {
            added[directory.hashValue, default: []].append(entry.file)
        }
    }

    private static func places(_ registry: Registry) -> [Place] {
        var places: [Place] = []
        for entry in registry.entries() {
            for directory in directories(of: entry) {
                places.append((directory.hashValue, entry.file))
            }
        }
        return places.sorted { $0.directory < $1.directory }
    }

    /// Two where rotated files go to another directory.
    private static func directories(of entry: FileEntry) -> Set<ExactText> {
        let path = ExactText(entry.path).parent
        let (directory, _) = log(of: entry)
        return Set([path, directory].compactMap(\.self))
    }

    /// The directory of an entry's log, and the path of that: an s6 log directory is a stream's
    /// name, and its `current` is the log.
    static func log(of entry: FileEntry) -> (directory: ExactText?, path: ExactText) {
        let stream = ExactText(entry.stream)
        if ExactText(entry.path).parent == stream {
            return (stream, ExactText(stream.text + "/current"))
        }
        return (stream.parent, stream)
    }
}
