/// Whether a compressor or a processor has made a candidate of one of a stream's files, and what
/// follows from that: pure values. What takes a system call is asked for where nothing before it
/// decides.
enum Recognition {
    /// A file that a candidate may have been made of.
    struct Source {
        /// It holds another content by now, and looks itself for what it held.
        var isReplaced = false
        /// The stream has it open, has read it, or looks for what became of it.
        var isSought = false
        /// It was removed, and closed.
        var isAwaitingCopy = false
        /// Its inode lies where rotated files go.
        var isElsewhere = false
        /// It is open here, and no name leads to it any more.
        var isNameless = false
        /// There is a descriptor for it.
        var isOpen = false
    }

    /// How a candidate was made.
    struct Making {
        /// By a processor of s6-log's, which may have left its bytes as they were.
        var isProcessed = false
        /// It is not compressed.
        var isPlain = false
    }

    /// The name that the listing has for the source's inode number.
    enum Name: Equatable {
        /// There is none, or it is another file's by now.
        case none
        /// It leads there. `isArchive`: of s6-log's.
        case there(isArchive: Bool)
        /// It was given to another file since it was listed.
        case moved(isArchive: Bool)
    }

    enum Origin: Equatable {
        /// It is none of that.
        case another
        /// The next look tells.
        case undecided
        /// The same, and what is newer waits for it.
        case holdsUp
        case made
    }

    static func origin(
        of making: Making, _ source: Source, isS6: Bool, beginsAlike: () -> Bool,
        name: () -> Name, endsAlike: () -> Bool, isWritten: () -> Bool
    ) -> Origin {
        guard !source.isReplaced, source.isSought, beginsAlike() else { return .another }
        if !source.isAwaitingCopy {
            // Until the compressor has removed what it read, that has the name.
            if source.isElsewhere { return .undecided }
            if !source.isNameless {
                switch name() {
                case .none: break
                // Of what a processor makes: what was renamed or removed since it was listed is not
                // there.
                case .moved where making.isProcessed: break
                // An archive stays what it is: what begins alike is another one.
                case .there(isArchive: true), .moved(isArchive: true): return .another
                case .there(isArchive: false): return .undecided
                // The next listing tells, and what is newer waits for that.
                case .moved(isArchive: false): return isS6 ? .holdsUp : .undecided
                }
            }
        }
        if making.isPlain, !endsAlike() { return .another }
        // What is still written to it is in no other file: it is read to its end first.
        if !making.isProcessed, source.isOpen, isWritten() { return .undecided }
        return .made
    }

    /// What becomes of a file and of what was made of it.
    enum Sequel: Equatable {
        /// The file is read on by its descriptor; what was made of it is entered as read then.
        case settleLater
        /// The same, and the file has the new name from now on.
        case goOnByDescriptor
        /// All of it was read.
        case isRead
        /// What is left of it is read in what was made of it.
        case goOnInCopy
    }

    /// `isRead`: whether it was read to its end and nothing can have come since; asked of what
    /// compressors make.
    ///
    /// That two archives begin alike is no proof: what a processor made is read once more, up to
    /// the position and to its end, where its order does not tell. For what a whole log holds that
    /// may take minutes. Nor is it known that all of it was read where it was written to once more
    /// before it was compressed.
    static func sequel(of making: Making, _ source: Source, isRead: () -> Bool) -> Sequel {
        switch (making.isProcessed, source.isOpen) {
        case (true, true): .settleLater
        case (false, true): .goOnByDescriptor
        case (true, false): .goOnInCopy
        case (false, false): isRead() ? .isRead : .goOnInCopy
        }
    }
}
