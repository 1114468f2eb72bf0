/// What a look does about one name of an s6 log directory, against what is open and known: a pure
/// value. Names come in the order of their content, and each is done with before the next one is
/// asked about.
enum S6Plan {
    enum Role {
        case archive
        case previous
        case current
    }

    /// The file behind a name, as far as it was opened before the directory was listed (`S6Held`).
    enum Held: Equatable {
        case no
        /// It is the one that was opened under this name.
        case file(Role)
        /// It is the one that could not be opened.
        case refused
    }

    /// A name and what stands there. What is asked for is false where something before it decides.
    struct Item {
        let role: Role
        /// It is open, or was read to its end.
        var isKnown = false
        /// The stream has enough to be read for now.
        var isFull = false
        /// Something that is older is being made by a processor, and has no name yet.
        var isAwaited = false
        var held = Held.no
        /// Another stream has it open.
        var isTaken = false
        /// The agent ends with what was there when it started.
        var once = false
    }

    enum Step: Equatable {
        /// There is nothing to do about it.
        case pass
        /// What is newer has to come after what is there to be read.
        case waitForRoom
        case waitForProcessor
        /// By the descriptor that was held under the name.
        case openHeld(Role)
        case open
        /// What came of holding it is what came of it.
        case takeRefusal
        /// Another stream reads on, and this one looks again later.
        case leaveToOther
        /// It is newer than what was held: the next look takes it up.
        case leaveToNextLook
        /// The same, and what comes after it in this listing is newer yet.
        case endLook
    }

    static func step(for item: Item) -> Step {
        if item.isKnown { return .pass }
        if item.isFull { return .waitForRoom }
        if item.isAwaited { return .waitForProcessor }
        switch (item.held, item.role) {
        case (.file(let role), _): return .openHeld(role)
        case (.refused, .previous): return .takeRefusal
        case (.no, .previous): return .endLook
        case (.no, .archive), (.refused, .archive): return .open
        case (.refused, .current): return item.isTaken ? .leaveToOther : .pass
        case (.no, .current):
            if item.isTaken { return .leaveToOther }
            // With `--once` it is newer than the start.
            return item.once ? .pass : .leaveToNextLook
        }
    }

    enum Outcome: Equatable {
        case done
        /// There is no descriptor for it.
        case noRoom
        /// What is newer than it has to wait for what a processor makes.
        case heldUp
        /// The name is gone, or another file's.
        case missing
    }

    /// What follows for the names after it.
    enum Next: Equatable {
        case goOn
        /// The listing goes on having a name that is not there.
        case ignore
        /// What is newer would come before it.
        case end
        /// The next listing has what became of it, and that comes before what is newer.
        case lookAgain
        /// The same, of a `previous`: it has become an archive since it was listed, or a processor
        /// has made one of it.
        case lookAgainForPrevious
        /// An archive's name is given once: nobody has opened it.
        case missed
    }

    /// Of one that is missing it is asked whether a processor made something of it.
    ///
    /// `isPhantom`: it was found missing before, and the listing still has it; `isFirstScan`: what
    /// was there before the agent is not told of; `isProcessed`: what was made of it has no
    /// archive's name yet; `hasProduct`: it has one.
    static func next(
        after outcome: Outcome, of role: Role, isPhantom: Bool, isFirstScan: Bool,
        isProcessed: () -> Bool, hasProduct: () -> Bool
    ) -> Next {
        switch (outcome, role) {
        case (.done, _): return .goOn
        case (.noRoom, _): return .end
        case (.heldUp, _): return .lookAgain
        case (.missing, _) where isPhantom: return .ignore
        case (.missing, .previous): return isProcessed() ? .end : .lookAgainForPrevious
        case (.missing, .archive):
            if hasProduct() { return .lookAgain }
            return isFirstScan ? .goOn : .missed
        case (.missing, .current): return .goOn
        }
    }
}
