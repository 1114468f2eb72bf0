import Platform

/// What is to be done about a file whose content was replaced, and about the rotated files beside
/// it that nothing is known of: a pure value, made of what came of comparing them.
enum CopyPlan {
    /// A rotated file, compared with the one that was replaced.
    enum Content: Equatable {
        /// It is no business of this look: a copy of what that holds now, or one that was just
        /// begun, or it cannot be read.
        case nothing
        /// It is a copy of what that held.
        case past
        /// It holds something else, or was closed again before it was compared.
        case other
    }

    /// A rotated file that nothing is known of.
    struct File {
        var content = Content.other
        let modified: FileTime
        var isOpen = true
        var isElsewhere = false
        /// Nil for a name that is none of rotation's.
        var rotated: RotatedName?
    }

    /// What a look has found.
    struct Facts {
        /// Oldest first.
        var files: [File] = []
        /// Since when the replaced file has held what was read of it.
        let begun: FileTime
        /// Until when it was seen to hold that.
        let intact: FileTime
        /// It has the log's own name still, or none has it.
        var isInPlace = true
        /// What rotation has made of its name.
        var rotated: RotatedName?
    }

    enum Action: Equatable {
        /// Those of `Facts.files`, before the replaced file.
        case takeUp([Int])
        /// What was left of what the file held is read in a copy, if there is one; then come these,
        /// and then the file, which begins anew.
        case restart(copy: Int?, later: [Int])
        /// The same where there are more than are open: those `here` have their turn one after the
        /// other, in order, and the file after the last of them.
        case takeTurns(copy: Int?, elsewhere: [Int], here: [Int])
    }

    static func make(_ facts: Facts) -> [Action] {
        let files = facts.files
        var copy: Int?
        var between: [Int] = []
        var later: [Int] = []
        for index in files.indices {
            switch files[index].content {
            case .nothing: break
            case .past where copy == nil:
                // What comes before it in order is older. Where something happens all the time it
                // may not have been looked for before what the file holds was read: late, but
                // whole.
                copy = index
                later.removeAll { files[$0].modified < facts.begun }
                between = later.filter { files[$0].isOpen }
                // What is not open has its turn after this.
                later.removeAll { files[$0].isOpen }
            case .past, .other: later.append(index)
            }
        }
        // What has taken its place is looked at next, and what was copied of that with it.
        if !facts.isInPlace { later = [] }
        if copy == nil { later.removeAll { files[$0].modified < facts.intact } }
        if let mine = facts.rotated {
            // What is newer than it has its turn when what took its place is taken up.
            later.removeAll { files[$0].rotated.flatMap { mine.isOlder(than: $0) } ?? false }
        }
        if later.allSatisfy({ files[$0].isOpen }) {
            // What is older has its entry before what it made way for begins.
            return [.takeUp(between), .restart(copy: copy, later: later)]
        }
        // What lies elsewhere is open, and would be searched for.
        return [
            .takeUp(between),
            .takeTurns(
                copy: copy, elsewhere: later.filter { files[$0].isElsewhere },
                here: later.filter { !files[$0].isElsewhere }),
        ]
    }
}
