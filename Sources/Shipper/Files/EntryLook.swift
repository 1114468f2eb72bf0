import Model
import Platform
import Registry
import Tailer

/// What stands at an entry's path now. Everybody who asks that asks here, and each says how sure it
/// has to be:
///
/// | who | asks | takes for its file | beside its path |
/// | --- | --- | --- | --- |
/// | `registry show` | `EntrySearch`: `glance`, and `open` where need be | numbers, content | yes |
/// | `registry rewind` | `EntrySearch.open` | content | yes |
/// | `OutOfSightFiles`: nobody follows it | `glance`, then by handle | numbers | no |
/// | `FileMemory`: a listing misses it | `glance`, then by handle | numbers | no |
/// | `FileMemory`: it lost its name | by handle, then `open` | content | no |
/// | `FileMemory`: something seems to be made of it | `glance`, `open`, by handle | content | no |
/// | `DeviceNumbers` | `open` in its directory | content, where the device differs | yes |
/// | `VolumeNumbers` | `open` | content, where the device agrees | no |
///
/// Whether it is away its directory tells; to `OutOfSightFiles` as the reader comes there, through
/// no link beneath a prefix (`DirectoryPlace.of(_:beneath:)`).
///
/// An import asks about files that it has just found: `StreamFile.look`.
enum EntryLook {
    /// By its numbers, with nothing opened. Another file may have them since, but not for long.
    static func glance(_ entry: FileEntry) -> PlaceLook<FileStatus> {
        guard let place = FilePlace(saved: entry.path) else { return .other }
        return glance(entry, at: place)
    }

    static func glance(_ entry: FileEntry, at place: FilePlace) -> PlaceLook<FileStatus> {
        place.glance().only { entry.identity.hasNumbers(of: $0) ? $0 : nil }
    }

    /// By its identity and its content, also where only its device's number is another one now.
    static func open(_ entry: FileEntry) -> PlaceLook<EntryFile> {
        guard let place = FilePlace(saved: entry.path) else { return .other }
        return open(entry, at: place)
    }

    static func open(_ entry: FileEntry, at place: FilePlace) -> PlaceLook<EntryFile> {
        place.open().only { opened throws(SystemError) in try EntryFile(entry, opened) }
    }

    /// The same of a name in a directory that is open.
    static func open(
        _ entry: FileEntry, as name: [UInt8], in directory: borrowing Descriptor
    ) -> PlaceLook<EntryFile> {
        FilePlace.open(name, in: directory)
            .only { opened throws(SystemError) in try EntryFile(entry, opened) }
    }
}

/// The open file of an entry, which proved to be that.
struct EntryFile: Sendable {
    let file: SharedDescriptor
    /// Where it ends; of a compressed one where that ends on the disk.
    let size: PhysicalOffset
    let identity: FileIdentity
    /// It is compressed: its bytes are not those that offsets count.
    let isPacked: Bool
    /// Its device has another number than the entry knows.
    let isRenumbered: Bool

    /// Nil for another file, or other content.
    init?(_ entry: FileEntry, _ opened: FilePlace.Opened) throws(SystemError) {
        let identity = opened.identity
        isRenumbered = entry.identity.isRenumbered(from: identity)
        guard isRenumbered || entry.identity.agrees(with: identity) else { return nil }
        let head = try opened.file.descriptor.read(count: Fingerprint.longest, at: 0)
        switch entry.content(beginningAs: head) {
        case .same: isPacked = false
        case .packed: isPacked = true
        case .other: return nil
        }
        self.identity = identity
        file = opened.file
        size = opened.status.end
    }
}

extension FileEntry {
    /// What bytes are to the content that an entry knows.
    enum ContentMatch {
        case same
        case packed
        case other
    }

    /// Compares the first bytes of a file, at most `Fingerprint.longest`.
    func content(beginningAs head: [UInt8]) -> ContentMatch {
        if fingerprint.matches(head: head) { return .same }
        return Compression(head: head) == nil ? .other : .packed
    }
}

/// Looks for the files of entries at their paths, and where they are not there beside them: they
/// may have been renamed while no agent was there to see it, mostly by a rotation. Keeps what
/// directories list, for one look at many.
struct EntrySearch {
    private var listings = Listings()

    /// As `EntryLook.glance`.
    mutating func glance(_ entry: FileEntry) -> PlaceLook<FileStatus> {
        find(entry) { EntryLook.glance(entry, at: $0) }
    }

    /// As `EntryLook.open`.
    mutating func open(_ entry: FileEntry) -> PlaceLook<EntryFile> {
        find(entry) { EntryLook.open(entry, at: $0) }
    }

    /// Where `glance` finds it; nil where it does not.
    mutating func place(of entry: FileEntry) -> FilePlace? {
        let place = find(entry) { place in
            EntryLook.glance(entry, at: place).only { _ in place }
        }
        if case .found(let place) = place { return place }
        return nil
    }

    private mutating func find<Found>(
        _ entry: FileEntry, _ look: (FilePlace) -> PlaceLook<Found>
    ) -> PlaceLook<Found> {
        guard let place = FilePlace(saved: entry.path),
            let directory = ExactText(entry.path).parent
        else { return .other }
        let here = look(place)
        switch here {
        case .found, .unreachable: return here
        case .other, .missing: break
        }
        switch listings.name(of: entry.identity.inode, beside: place, in: directory) {
        case .found(let name):
            let there = look(place.beside(name))
            if case .found = there { return there }
            if case .unreachable = there { return there }
        case .other, .missing: break
        case .unreachable(let reason): return .unreachable(reason)
        }
        return here.unlessAway(entry.identity.device, .of(directory))
    }
}

/// What directories list, by inode number, for one look.
struct Listings {
    private var known: [ExactText: PlaceLook<[UInt64: [UInt8]]>] = [:]

    /// The name of an inode in the directory of `place`; `other` where that has none for it,
    /// `missing` where it is not there itself.
    mutating func name(
        of inode: UInt64, beside place: FilePlace, in directory: ExactText
    ) -> PlaceLook<[UInt8]> {
        let names = known[directory] ?? place.names()
        known[directory] = names
        return names.only { $0[inode] }
    }
}
