import Model
import Platform

/// The files of an s6 log directory that were opened before it was listed.
///
/// 1. A listing shows `previous` and `current`. A processor is done, and `previous` is removed.
/// 2. A later file gets its inode number, and is `previous` itself by and by.
/// 3. Opened by name and number it was read before the `current` of the listing, which is older.
///
/// A file that is open keeps its number: a listing that is made after shows that file under it, or
/// nothing.
struct S6Held: ~Copyable {
    /// The names of which one was opened, oldest first.
    static let names = [S6Name.previous, S6Name.current]

    private var previous: FileOpener.OpenFile?
    private var current: FileOpener.OpenFile?
    /// The outcome of a `previous` that could not be opened.
    private(set) var refusedPrevious: (item: S6Listing.Item, result: FileOpener.OpenResult)?
    /// The same of `current`, which is its inode.
    private(set) var refusedCurrent: (inode: UInt64, result: FileOpener.OpenResult)?

    /// Whether a new listing has to tell what became of them.
    var isTried: Bool {
        if previous != nil || current != nil { return true }
        return refusedPrevious != nil || refusedCurrent != nil
    }

    mutating func keep(_ holding: consuming FileOpener.Holding, _ item: S6Listing.Item) {
        switch consume holding {
        case .held(let file):
            if item.isCurrent { current = consume file } else { previous = consume file }
        case .failed(let result):
            if item.isCurrent {
                refusedCurrent = (item.inode, result)
            } else {
                refusedPrevious = (item, result)
            }
        }
    }

    /// The file that was opened under one of `names`, if it is the wanted one by its inode.
    mutating func take(_ name: [UInt8], _ isWanted: (UInt64) -> Bool) -> FileOpener.OpenFile? {
        name == S6Name.current ? Self.take(&current, isWanted) : Self.take(&previous, isWanted)
    }

    private static func take(
        _ held: inout FileOpener.OpenFile?, _ isWanted: (UInt64) -> Bool
    ) -> FileOpener.OpenFile? {
        guard let file = held.take() else { return nil }
        if isWanted(file.status.inode) { return file }
        held = consume file
        return nil
    }

    /// The file of that name.
    mutating func take(_ role: S6Plan.Role) -> FileOpener.OpenFile? {
        take(role == .current ? S6Name.current : S6Name.previous) { _ in true }
    }

    /// Whether what an item of the listing is was opened, and under which name.
    func held(_ item: S6Listing.Item) -> S6Plan.Held {
        if Self.inode(of: current) == item.inode { return .file(.current) }
        if Self.inode(of: previous) == item.inode { return .file(.previous) }
        let isRefused =
            switch item.role {
            case .archive: false
            case .previous: refusedPrevious?.item.inode == item.inode
            case .current: refusedCurrent?.inode == item.inode
            }
        return isRefused ? .refused : .no
    }

    private static func inode(of held: borrowing FileOpener.OpenFile?) -> UInt64? {
        switch held {
        case .some(let file): file.status.inode
        case .none: nil
        }
    }

    /// A `previous` that was gone before it could be opened, where `listing`, which was made after,
    /// has it under no name, and no archive that may have been made of it.
    func lost(in listing: S6Listing, after first: S6Listing) -> S6Listing.Item? {
        guard let refused = refusedPrevious, case .missing = refused.result,
            listing.newestArchive == first.newestArchive,
            !listing.items.contains(where: { $0.inode == refused.item.inode })
        else { return nil }
        return refused.item
    }
}

extension StreamTable {
    /// 1. The listing shows `current`; s6-log rotates it away; `current` opened by name is the next
    ///    file, and the one between would come after it.
    /// 2. So what is new under the names that files pass through is opened first, and the directory
    ///    is listed after: whatever is older than an open file has a name in that listing.
    func hold(_ listing: S6Listing, _ look: StreamLook) -> S6Held {
        let stream = look.stream
        var held = S6Held()
        for item in listing.items where !S6Name.isArchive(item.name) {
            if item.isCurrent {
                let key = InodeKey(device: look.scanned.device, inode: item.inode)
                if opener.isTaken(key, for: stream) { continue }
            } else if stream.files.contains(where: { $0.identity.inode == item.inode })
                || isClosed(item, look)
            {
                continue
            }
            let request = FileOpener.Request(
                stream: stream, name: item.name, path: look.node.text(of: item.name),
                isArchived: !item.isCurrent)
            held.keep(opener.hold(request, in: look.directory.descriptor), item)
        }
        return held
    }
}
