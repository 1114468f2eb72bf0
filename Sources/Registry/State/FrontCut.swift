package import Model
import Platform

/// The intent to remove the front of a file in place: written before the first byte of it goes, and
/// taken back or made true after the last one. It is a part of the file's entry, so that whatever
/// is saved of the one is saved of the other.
///
/// 1. The front is in an archive, which has an entry. `punching` is written, and forced to the
///    disk.
/// 2. The front is made a hole, its first block before the rest. That is forced to the disk.
/// 3. `collapsing` is written, and forced to the disk.
/// 4. The hole is removed, all of it or nothing where the agent is killed. After a power cut some
///    file systems may have done a part: then the bytes before the position are others, and the
///    file is taken for one with another content.
///
/// A kill may come between any two of them. What stands first in the file tells how far it came:
/// what stood there before 2, zeros before 4, or what stood behind the front. The two steps are
/// told apart because what stands behind the front may begin as the front did (a log of one line
/// again and again): before `collapsing` is written it is nowhere near.
package struct FrontCut: Hashable, Sendable {
    /// How far it may have come.
    package enum Step: String, Hashable, Sendable, CaseIterable {
        /// The front may be a hole, in part or whole.
        case punching
        /// It is one, or is gone.
        case collapsing
    }

    /// Bytes that are to go, from the first one that the file has.
    package let length: Int
    /// The last one that was begun.
    package let step: Step
    /// Of what stands behind them. Never of zeros alone.
    package let head: Fingerprint
    /// The entry of the archive that has them.
    package let archive: FileID

    package init(length: Int, step: Step, head: Fingerprint, archive: FileID) {
        self.length = length
        self.step = step
        self.head = head
        self.archive = archive
    }
}

extension FileEntry {
    /// What became of a cut, as the file's first bytes show it.
    package enum CutEnd: Hashable, Sendable {
        /// There is none, or nothing of it was done.
        case untouched
        /// The front is zeros, in part or whole; nothing moved.
        case punched
        /// The front is gone.
        case collapsed
    }

    /// What became of the cut of a file that begins with `head` now; nil where that is another
    /// content.
    package func cutEnd(_ head: [UInt8]) -> CutEnd? {
        guard let cut else { return fingerprint.matches(head: head) ? .untouched : nil }
        let isZero = !head.isEmpty && head.allSatisfy { $0 == 0 }
        switch cut.step {
        case .punching:
            if isZero { return .punched }
            return fingerprint.matches(head: head) ? .untouched : nil
        case .collapsing:
            if isZero { return .punched }
            return cut.head.matches(head: head) ? .collapsed : nil
        }
    }

    /// The entry when its cut has come to that end, of a file that begins with `head`.
    func settled(_ end: CutEnd, head: [UInt8]) -> FileEntry {
        var entry = self
        entry.cut = nil
        guard let cut else { return entry }
        switch end {
        case .untouched: break
        case .punched: entry.fingerprint = .of(head: head)
        case .collapsed:
            entry.base = Base(base.logical(PhysicalOffset(cut.length)).bytes)
            entry.fingerprint = cut.head
            entry.size = max(.start, size - cut.length)
            let before = max(0, entry.base.physical(offset).bytes)
            entry.anchor = Anchor(bytes: anchor.bytes.suffix(before))
        }
        return entry
    }
}
