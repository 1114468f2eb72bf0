import Platform

/// What is to be done about rotated files of a log that nothing is known of, and about the file
/// that has the log's name: a pure value, made of what a look has found.
///
/// Which of them are to be read is asked first (`meaning`), for it decides which have to be
/// compared with what is read anyway; then, in what order and how many at a time (`make`).
enum TakeUpPlan {
    /// A rotated file that nothing is known of, as far as that tells whether it is to be read.
    struct File {
        let rotated: RotatedName
        let stranger: Stranger
        /// When it changed last, as far as the listing tells.
        let modified: FileTime
        let size: Int
        /// The very file that was taken up last. It was read to its end, and forgotten when it left
        /// its directory.
        var isNewest = false
        /// It lay there when the live file was opened, and was none of the stream's business.
        var isBeside = false
        /// A pattern matches it, too, and no file of the log is known: it is read whatever its age.
        var isClaimed = false
        /// The stream went on without it, and has to read it if it can.
        var isWanted = false
    }

    /// What such a file is to its stream.
    enum Meaning: Equatable {
        /// The newest file that was taken up, found again.
        case itself
        /// It was written before the stream began, or before what was read: none of its business.
        case older
        /// It may be a copy that was just begun: the next look tells.
        case empty
        /// It is to be read, unless it is a copy of what is read anyway.
        case unread
    }

    /// How far the stream has read.
    struct Reach {
        /// The newest file that was taken up.
        let newest: NewestTakenUp
        /// Since when that may have held another content, of which there may be a copy.
        let begun: FileTime

        func meaning(of file: File) -> Meaning {
            if file.isNewest { return .itself }
            // A copy of what the newest file held before it was truncated may be older by its name.
            let isLater = file.modified >= begun && !file.isBeside
            guard
                newest.isBefore(file.rotated, file.stranger) || isLater || file.isClaimed
                    || file.isWanted
            else { return .older }
            return file.size > 0 ? .unread : .empty
        }
    }

    /// One that is to be read and is open.
    struct Unread {
        var isElsewhere = false
        let birth: FileTime?
    }

    /// The file that has, or had, the stream's own name.
    enum Live {
        /// There is none, or it cannot be opened: which it is, `goOnWithLive` finds out.
        case none
        case listed
        /// It was removed between its opening and the listing: only a descriptor still has its
        /// bytes.
        case removed(birth: FileTime?)
    }

    /// What a look has found.
    struct Facts {
        /// Oldest first.
        var unread: [Unread] = []
        /// There are others that are to be read and were closed again, for want of descriptors.
        var hasClosed = false
        /// More lie where rotated files go than were opened.
        var isPartial = false
        var live = Live.none
    }

    enum Action: Equatable {
        /// Those of `Facts.unread`, each before or after what was last, as it is older or newer.
        case takeUp([Int])
        /// The same, as long as there is a descriptor for one more; the others come with the next
        /// look.
        case takeUpWhileThereIsRoom([Int])
        /// Those after everything else.
        case takeUpLast([Int])
        /// These and all that are closed have their turn one after the other, in order, before
        /// anything that is newer; `beforeRemoved`: the live file, which was removed, comes after
        /// them.
        case takeTurns([Int], beforeRemoved: Bool)
        /// The live file, which was removed, comes last.
        case takeUpRemoved
        /// What stands at the stream's own path.
        case goOnWithLive
        /// Whatever came of the others, the look ends with this at the least.
        case end(LookEnd)
    }

    /// `hasRoom`: whether there are so many descriptors to be had; asked once at the most.
    static func make(_ facts: Facts, hasRoom: (Int) -> Bool) -> [Action] {
        let all = Array(facts.unread.indices)
        if facts.hasClosed {
            let elsewhere = all.filter { facts.unread[$0].isElsewhere }
            let here = all.filter { !facts.unread[$0].isElsewhere }
            // What lies elsewhere is open, and would be searched for. What comes after them has its
            // turn at once.
            return [
                .takeUp(elsewhere), .takeTurns(here, beforeRemoved: facts.live.isRemoved),
                .end(.underWay),
            ]
        }
        switch facts.live {
        case .removed(let birth):
            // What is older comes before it.
            let birth = birth ?? .max
            let older = all.filter { facts.unread[$0].birth ?? .min < birth }
            let newer = all.filter { facts.unread[$0].birth ?? .min >= birth }
            return [.takeUp(older), .takeUpRemoved, .takeUpLast(newer), .end(.again)]
        case .none, .listed:
            let wanted = all.count + (facts.live.isListed ? 1 : 0)
            if facts.isPartial || (wanted > 0 && !hasRoom(wanted)) {
                // The others, and the live one, come after these.
                let isFutile = facts.isPartial && all.isEmpty
                return [.takeUpWhileThereIsRoom(all), .end(isFutile ? .again : .retry)]
            }
            return [.takeUp(all), .goOnWithLive]
        }
    }
}

extension TakeUpPlan.Live {
    var isRemoved: Bool {
        switch self {
        case .removed: true
        case .none, .listed: false
        }
    }

    var isListed: Bool {
        switch self {
        case .listed: true
        case .none, .removed: false
        }
    }
}
