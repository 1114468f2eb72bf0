package import Model
package import Platform
import Synchronization

/// Follows the files that the inputs' patterns match, on one thread of its own, and hands their
/// lines to a `TailerOutput`. Sendable; `wake` and `stop` may be called from any thread.
package final class Tailer: Sendable {
    private let thread: SystemThread
    private let control: TailerControl
    /// The reader thread's figures of the moment.
    package let figures = TailerFigures()
    /// The reader thread's.
    package let heartbeat = Heartbeat()

    /// Looks at an open directory.
    package typealias FileSystemLook =
        @Sendable (borrowing Descriptor) throws(SystemError) -> FileSystemType

    /// Starts the reader thread. `output` is called once, there, and what it makes is used there
    /// only. With `once` the thread ends when what was there at the start is read; `ended` is
    /// called on it at its end in any case, with the error that made it impossible to begin, if
    /// any. At most `openFiles` of the followed files, at least one, have a descriptor at a time,
    /// and such that nothing else leads to keep at most `heldBytes` of the disk; there are at most
    /// `watches` inotify watches. `fileSystem` says what kind of one a directory lies on. Of all
    /// that the patterns lead to it has what is in its `territory`; by default everything.
    /// `startTimes` says when the agent started.
    package init(
        inputs: [TailerInput], once: Bool = false, intervals: TailerIntervals = TailerIntervals(),
        openFiles: Int, heldBytes: Int, watches: Int, territory: Territory? = nil,
        startTimes: StartTimes = StartTimes(),
        fileSystem: @escaping FileSystemLook = { directory throws(SystemError) in
            try directory.fileSystemType()
        },
        output: @escaping @Sendable () -> any TailerOutput,
        ended: @escaping @Sendable (SystemError?) -> Void
    ) throws(SystemError) {
        let control = TailerControl(wakeup: try Wakeup())
        self.control = control
        let (figures, heartbeat) = (figures, heartbeat)
        let territory = territory ?? Territory(Territories(inputs), reader: 0)
        let name = territory.reader == 0 ? "reader" : "reader-\(territory.reader)"
        thread = try SystemThread(name) {
            // What the output does at its beginning may hang as well.
            if territory.reader > 0 {
                control.touches(territory.map.points(of: territory.reader).first)
            }
            let loop = ReaderLoop(
                inputs: inputs, once: once, intervals: intervals, openFiles: max(1, openFiles),
                heldBytes: heldBytes, watches: watches, territory: territory,
                fileSystem: fileSystem, startTimes: startTimes, output: output(), control: control,
                figures: figures, heartbeat: heartbeat)
            loop.run()
            ended(nil)
        }
    }

    /// With `once`, what was not read of what was there; after the thread has ended.
    package var leftovers: TailerLeftovers { control.left }

    /// Room has come back: streams that had none are tried again.
    package func wake() { control.wake() }

    /// The log or directory that the reader is at, and the how manieth of all; nil while it waits
    /// for something to do.
    package var touch: (place: String, number: Int)? { control.touch }

    /// The territories may be shared otherwise now.
    package func redistributed() { control.redistributed() }

    /// Something of its territory may be mounted over, or not any more.
    package func remounted(_ changes: MountChanges) { control.remounted(changes) }

    /// Asks for the file of this identity, of which all before `end` is to be removed: once it is
    /// lent, nothing of it is read or judged until `giveBack`. Waits for at most `nanoseconds`.
    /// False where the reader does not answer, or does not read that file, or is not sure of it.
    package func lend(
        _ file: FileID, _ identity: FileIdentity, upTo end: LogicalOffset, within nanoseconds: Int64
    ) throws(SystemError) -> Bool {
        let loan = try FileLoan(file, identity, upTo: end)
        control.post(.lend(loan))
        return loan.isLent(within: nanoseconds)
    }

    /// A file that was lent is read on. What was before `base` is gone from its front, and it
    /// begins with `head` now; nil where nothing has changed.
    package func giveBack(
        _ file: FileID, _ identity: FileIdentity, base: Base, beginsWith head: [UInt8]?
    ) {
        control.post(.giveBack(file, identity, base, head))
    }

    /// Whether a file is open that no name leads to and that is not read to its end, or may still
    /// be written to: if it were closed now, lines would be lost. Nil where the reader does not
    /// answer within `nanoseconds`, which may be a file system's fault.
    package func holdsOnlyCopies(
        within nanoseconds: Int64
    ) throws(SystemError) -> Bool? {
        let question = try ReaderQuestion()
        control.ask(question)
        defer { control.withdraw(question) }
        return question.answer(within: nanoseconds)
    }

    /// Ends reading, without waiting for it.
    package func askToStop() { control.stop() }

    /// As `stop`, for `nanoseconds` at most. False where the thread has not ended, because a file
    /// system does not answer: it is left to itself, and ends when its call comes back.
    package func stop(within nanoseconds: Int64) -> Bool {
        control.stop()
        return thread.join(within: nanoseconds)
    }

    /// Ends reading and waits for the thread. What was not taken by the output is read again by the
    /// next run. A second call returns at once.
    package func stop() {
        control.stop()
        thread.join()
    }
}

/// Messages of other threads to the reader.
final class TailerControl: Sendable {
    let wakeup: Wakeup
    private let stopped = Atomic(false)
    private let woken = Atomic(false)
    private let leftovers = Mutex(TailerLeftovers())
    private let redistribution = Atomic(false)
    private let hasMountChanges = Atomic(false)
    private let mountChanges = Mutex(MountChanges())
    private let touched = Mutex<(place: String?, number: Int)>((nil, 0))
    private let hasQuestions = Atomic(false)
    private let questions = Mutex<[ReaderQuestion]>([])
    private let hasLoans = Atomic(false)
    /// One file is lent at a time: a few at the most.
    private let loans = Mutex<[FileLender.Message]>([])

    init(wakeup: Wakeup) { self.wakeup = wakeup }

    /// The reader looks at a log or a directory now; nil when it waits.
    func touches(_ place: String?) {
        touched.withLock { touched in
            touched.place = place
            touched.number &+= 1
        }
    }

    var touch: (place: String, number: Int)? {
        touched.withLock { touched in touched.place.map { ($0, touched.number) } }
    }

    func takeRedistribution() -> Bool {
        redistribution.load(ordering: .relaxed)
            && redistribution.exchange(false, ordering: .acquiringAndReleasing)
    }

    func redistributed() {
        redistribution.store(true, ordering: .releasing)
        wakeup.wake()
    }

    func takeMountChanges() -> MountChanges? {
        guard hasMountChanges.load(ordering: .relaxed),
            hasMountChanges.exchange(false, ordering: .acquiringAndReleasing)
        else { return nil }
        return mountChanges.withLock { changes in
            defer { changes = MountChanges() }
            return changes
        }
    }

    func remounted(_ changes: MountChanges) {
        mountChanges.withLock { $0.add(changes) }
        hasMountChanges.store(true, ordering: .releasing)
        wakeup.wake()
    }

    func takeQuestions() -> [ReaderQuestion] {
        guard hasQuestions.load(ordering: .relaxed),
            hasQuestions.exchange(false, ordering: .acquiringAndReleasing)
        else { return [] }
        return questions.withLock { questions in
            defer { questions = [] }
            return questions
        }
    }

    /// Nobody waits for the answer any more.
    func withdraw(_ question: ReaderQuestion) {
        questions.withLock { $0.removeAll { $0 === question } }
    }

    /// Who asks waits, so there are a few at the most.
    func ask(_ question: ReaderQuestion) {
        questions.withLock { $0.append(question) }
        hasQuestions.store(true, ordering: .releasing)
        wakeup.wake()
    }

    func takeLoans() -> [FileLender.Message] {
        guard hasLoans.load(ordering: .relaxed),
            hasLoans.exchange(false, ordering: .acquiringAndReleasing)
        else { return [] }
        return loans.withLock { loans in
            defer { loans = [] }
            return loans
        }
    }

    func post(_ message: FileLender.Message) {
        loans.withLock { $0.append(message) }
        hasLoans.store(true, ordering: .releasing)
        wakeup.wake()
    }

    var left: TailerLeftovers { leftovers.withLock { $0 } }

    func set(_ left: TailerLeftovers) { leftovers.withLock { $0 = left } }

    var isStopped: Bool { stopped.load(ordering: .acquiring) }
    var hasWake: Bool { woken.load(ordering: .acquiring) }

    func takeWake() -> Bool { woken.exchange(false, ordering: .acquiringAndReleasing) }

    func wake() {
        woken.store(true, ordering: .releasing)
        wakeup.wake()
    }

    func stop() {
        stopped.store(true, ordering: .releasing)
        wakeup.wake()
    }
}
