import Model
import Platform

extension TailedFile {
    /// What is known of a content that is compressed, beside what its reader has produced. Logical
    /// offsets are those of what it was.
    struct Packing {
        let reader: Decompressor
        /// As much as it is known to have been when it was not compressed, logical.
        fileprivate(set) var seenSize = LogicalOffset(0)
        /// It was read to its end, or as far as there is any of it.
        fileprivate(set) var isComplete = false
        /// Its bytes on the disk when last looked at.
        fileprivate(set) var diskSize: Int
        /// It has the entry of a file that it begins like, and was not compared any further.
        fileprivate(set) var isSupposed = false
        /// The fault of its bytes was reported, or that it ends early.
        fileprivate(set) var isDamaged = false

        init(_ reader: Decompressor, diskSize: Int) {
            self.reader = reader
            self.diskSize = diskSize
        }

        /// Of a file that is taken up.
        ///
        /// 1. Its end is not known before it is reached: it has one byte more than was produced.
        /// 2. When it was, it has as many as were read. It may have been appended to since, unless
        ///    it still has the time that its compressor took over from what it compressed.
        init(_ reader: Decompressor, of candidate: Candidate, _ start: FileStart) {
            self.init(reader, diskSize: candidate.status.size)
            seenSize = start.base.logical(start.size)
            let isAsMade =
                candidate.request.isArchived
                || candidate.identity.birthTime.map { candidate.status.modified < $0 } ?? false
            isComplete = seenSize == start.offset && (!start.isKnown || isAsMade)
        }
    }
}

extension TailedFile.Content {
    /// Of a compressed file there is at least one byte more than was produced until its end was
    /// reached.
    mutating func updatePackedSize() {
        guard let packing else { return }
        let produced = base.logical(PhysicalOffset(packing.reader.size))
        if packing.isComplete {
            size = position
        } else if packing.reader.isAtEnd || packing.reader.isWaiting {
            size = produced
        } else {
            size = max(packing.seenSize, produced, position + 1)
        }
        assertInvariants()
    }

    /// It has so many bytes on the disk.
    mutating func sawDisk(size: Int) {
        packing?.diskSize = size
        updatePackedSize()
    }

    /// It is known to have been so long when it was not compressed.
    mutating func expect(size: LogicalOffset) {
        guard let seen = packing?.seenSize else { return }
        packing?.seenSize = max(seen, size)
        updatePackedSize()
    }

    /// It has the entry of a file that it seems to be made of, until it is read.
    mutating func suppose(_ isSupposed: Bool) { packing?.isSupposed = isSupposed }

    /// There is no more of it, whatever its position.
    mutating func complete() {
        packing?.isComplete = true
        updatePackedSize()
    }

    /// Something is wrong with it, or it ends early. False where that was told.
    mutating func becomeDamaged() -> Bool {
        guard let packing, !packing.isDamaged else { return false }
        self.packing?.isDamaged = true
        return true
    }
}
