import Model
import Platform

extension TailedFile {
    /// What is known of a file that is read to its end, quiet and parked, beside its entry.
    struct Rest {
        let changed: FileTime
        let modified: FileTime
        let intactAt: FileTime
        let begunAt: FileTime
        /// On the disk.
        let size: Int
        /// Its first bytes as they were read; nil where the anchor has all of them.
        let beginning: [UInt8]?
        let firstBytes: FirstBytes
        let landmarks: Landmarks
        let headLength: UInt16
        let mayBeginWithZeros: Bool
    }

    /// All that is known of it beside its entry; nil where that is more than a `Rest` has, or where
    /// something is to be found out about it.
    func rest(_ saved: SavedFile) -> Rest? {
        guard state.isParkedAndLive, name == lastName, identity == saved.identity,
            identity.inode == key.inode, identity.device == key.device,
            ExactText(path) == ExactText(saved.path), !saved.isArchived
        else { return nil }
        return content.rest(saved)
    }
}

extension TailedFile.Content {
    /// The same of its bytes.
    func rest(_ saved: SavedFile) -> TailedFile.Rest? {
        guard !hasExceptions, !hasUnprovenGrowth, !isInZeros, !isPreallocated, limit == .max,
            size == position, !continuesLine, expectedHead.isEmpty, base == saved.base,
            physicalPosition == saved.position, anchor == saved.anchor.bytes,
            let headLength = UInt16(exactly: headLength)
        else { return nil }
        return TailedFile.Rest(
            changed: changed, modified: modified, intactAt: intactAt, begunAt: begunAt,
            size: diskSize, beginning: beginning.known == anchor ? nil : beginning.known,
            firstBytes: firstBytes, landmarks: landmarks, headLength: headLength,
            mayBeginWithZeros: mayBeginWithZeros)
    }

    /// As it was.
    init(_ rest: TailedFile.Rest, _ saved: SavedFile) {
        let position = saved.base.logical(saved.position)
        self.init(
            id: saved.file, base: saved.base, position: position, size: position,
            anchor: saved.anchor.bytes, expectedHead: [], headLength: Int(rest.headLength),
            mayBeginWithZeros: rest.mayBeginWithZeros, changed: rest.changed,
            intactAt: rest.intactAt, begunAt: rest.begunAt)
        saw(modified: rest.modified)
        begins(Beginning(head: rest.beginning ?? saved.anchor.bytes))
        begins(rest.firstBytes)
        landmarks = rest.landmarks
    }
}
