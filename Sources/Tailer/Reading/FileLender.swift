import Model
import Platform
import Synchronization

/// Lends files to whoever removes their fronts in place, and takes them back. Lives on the reader
/// thread.
///
/// 1. Another thread asks for a file that this one reads. It is compared with what was read of it
///    once more, and is lent: it keeps its descriptor, and has none for all who would look at it.
/// 2. Its front becomes zeros, and then it is gone. Whoever looked now would take the file for one
///    that was truncated. Its stream waits, and so does what is newer; its writer goes on.
/// 3. It is back, with its new base and its new first bytes: what is known of its content changes
///    in one step, and places in it stay what they were.
struct FileLender {
    let opener: FileOpener
    let output: any TailerOutput
    let agenda: Agenda

    /// What other threads ask for.
    enum Message: Sendable {
        case lend(FileLoan)
        case giveBack(FileID, FileIdentity, Base, [UInt8]?)
    }

    func take(_ message: Message) {
        switch message {
        case .lend(let loan): lend(loan)
        case .giveBack(let id, let identity, let base, let head):
            guard let file = find(id, identity), file.isLent else { return }
            takeBack(file, base, head)
        }
    }

    private func find(_ id: FileID, _ identity: FileIdentity) -> TailedFile? {
        let file = opener.open[InodeKey(device: identity.device, inode: identity.inode)]
        return file?.id == id ? file : nil
    }

    /// The file that is asked for, for which there is none to be lent unless it is one that is
    /// followed. The only place where a loan becomes a file: one that is dormant is made again.
    private func awake(_ loan: FileLoan) -> TailedFile? {
        let key = InodeKey(device: loan.identity.device, inode: loan.identity.inode)
        if let dormant = opener.dormant[key], dormant.file == loan.file { opener.wake(dormant) }
        return find(loan.file, loan.identity)
    }

    private func lend(_ loan: FileLoan) {
        guard let file = awake(loan), isSure(of: file, upTo: loan.end), opener.cache.lend(file)
        else { return loan.refuse() }
        // An acknowledgement may come between the new base and the file's return: it would save a
        // size that is counted from a byte that is gone.
        output.frontLeaves(file.id)
        // Who has asked may have given up meanwhile.
        if !loan.grant() { takeBack(file, file.base, nil) }
    }

    private func isSure(of file: TailedFile, upTo end: LogicalOffset) -> Bool {
        guard file.mayBeLent(upTo: end) else { return false }
        do throws(SystemError) {
            guard case .open = try opener.reopen(file) else { return false }
            return try file.isWhatWasRead()
        } catch {
            opener.tell(file.path, error)
            return false
        }
    }

    private func takeBack(_ file: TailedFile, _ base: Base, _ head: [UInt8]?) {
        let isShorter = head != nil
        file.takeBack(base, beginsWith: head)
        opener.cache.add(file)
        if isShorter { output.frontRemoved(file.id, base: file.base) }
        if let stream = file.stream { agenda.wake(stream) }
    }
}

/// One request for a file. Sendable: one thread asks and waits, the reader answers.
final class FileLoan: Sendable {
    let file: FileID
    let identity: FileIdentity
    /// All before it is to be removed.
    let end: LogicalOffset
    private let answer = Mutex(Answer.none)
    private let wakeup: Wakeup

    private enum Answer {
        case none, granted, refused, withdrawn
    }

    init(_ file: FileID, _ identity: FileIdentity, upTo end: LogicalOffset) throws(SystemError) {
        self.file = file
        self.identity = identity
        self.end = end
        wakeup = try Wakeup()
    }

    /// False where nobody waits any more.
    func grant() -> Bool { settle(.granted) == .granted }

    func refuse() { _ = settle(.refused) }

    /// Waits for the answer; none within `nanoseconds` is a no, for good.
    func isLent(within nanoseconds: Int64) -> Bool {
        let until = Clock.monotonicNanoseconds().addingReportingOverflow(max(0, nanoseconds))
        while answer.withLock({ $0 }) == .none {
            let left = (until.overflow ? .max : until.partialValue) - Clock.monotonicNanoseconds()
            guard left > 0 else { break }
            wakeup.wait(nanoseconds: left)
        }
        return settle(.withdrawn) == .granted
    }

    /// The first answer counts; that one.
    private func settle(_ new: Answer) -> Answer {
        let settled = answer.withLock { answer in
            if answer == .none { answer = new }
            return answer
        }
        wakeup.wake()
        return settled
    }
}
