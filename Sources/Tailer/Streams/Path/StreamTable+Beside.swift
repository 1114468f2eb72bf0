import Model
import Platform

/// Rotated files beside a live file that is still the same.
extension StreamTable {
    /// Files beside a live one that is still the same: a copy that was made and truncated from
    /// faster than was seen, or one that is being made.
    func lookForMissed(_ look: StreamLook, _ live: TailedFile, _ rotated: [DirectoryEntry])
        -> LookEnd
    {
        let stream = look.stream
        var unknown = unknownRotatedFiles(look, rotated, for: nil)
        guard case .fine = unknown.end else { return unknown.end }
        stream.hasMoreRotated = unknown.isPartial
        recognise(&unknown, look, before: live)
        var unread: [Candidate] = []
        var end = LookEnd.fine
        for (_, candidate) in unknown.found {
            do throws(SystemError) {
                guard case .open = try opener.reopen(live) else { return .retry }
                switch try judge(candidate, beside: live, look) {
                case .done: break
                case .unread: unread.append(candidate)
                case .changed: return .again
                case .replaced: return renew(live, look)
                }
            } catch {
                // One that cannot be read does not keep the others from their turn.
                opener.tell(candidate.request.path, error)
                let inode = candidate.status.inode
                if waits(look, inode, candidate.request.name, status: candidate.status) {
                    end = .retry
                }
            }
        }
        while !unread.isEmpty, opener.cache.makeRoom() {
            takeUp([unread.removeFirst()], look, before: live)
        }
        if !unread.isEmpty { stream.hasMoreRotated = true }
        if stream.hasMoreRotated { return .retry }
        return unknown.isCut ? worse(end, .underWay) : end
    }

    private enum Judgement {
        /// There is nothing more to do about it.
        case done
        case unread
        /// It is written to while it is looked at.
        case changed
        /// The live file's content is another one by now.
        case replaced
    }

    private func judge(_ candidate: Candidate, beside live: TailedFile, _ look: StreamLook)
        throws(SystemError) -> Judgement
    {
        let stream = look.stream
        if candidate.status.size == 0 {
            // 1. A copy was begun. What is in the live file now is what will be copied.
            // 2. The live file is truncated and filled again before anything of it was read.
            let head = try live.opened().descriptor.read(count: Fingerprint.longest, at: 0)
            let status = try candidate.source.descriptor.status()
            guard status.size == 0 else { return .changed }
            live.expect(head)
            expectTruncation(look, candidate)
            stream.judged.insert(LogStream.Stamp(candidate.status))
            return .done
        }
        if try holds(candidate, live) {
            // A copy of what is being read: what lies beside it comes after it.
            if try !live.isWhatWasRead() {
                live.becomeReplaced()
                return .replaced
            }
            live.lookAgain()
            expectTruncation(look, candidate)
            // Whether it is still one is asked again when the live file is replaced.
            if candidate.packed != nil {
                stream.copies.insert(LogStream.Stamp(candidate.status))
            }
            return .done
        }
        if try candidate.isBeginning(of: live) {
            // 1. Nothing of it was read yet. It is being copied.
            // 2. It is truncated and filled again before its turn.
            live.expect(candidate.head)
            expectTruncation(look, candidate)
            return .done
        }
        let isWanted = stream.obstacles.wants(candidate)
        stream.obstacles.forget(candidate.status.inode)
        let isLater =
            candidate.status.modified >= live.begunAt
            && !stream.beside.contains(LogStream.Stamp(candidate.status))
        if isLater || isWanted || stream.claimed.contains(candidate.request.name) {
            return .unread
        }
        stream.judged.insert(LogStream.Stamp(candidate.status))
        return .done
    }

    /// 1. The live file was copied, or is being copied.
    /// 2. More is written to it.
    /// 3. It is truncated. What was not read of it by then is lost.
    private func expectTruncation(_ look: StreamLook, _ copy: Candidate) {
        let stream = look.stream
        agenda.wake(stream)
        // What lay there when this agent started is no copy that is being made.
        guard copy.status.modified >= opener.startTimes.time(on: copy.status.device),
            opener.stillness.time(of: copy.status, look.now) < 5_000_000_000
        else { return }
        stream.expectsTruncationUntil = look.now + truncationPatience
        agenda.retry(look.node)
    }
}
