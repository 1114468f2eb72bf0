import Model
import Platform

/// s6 log directories: `current`, `previous` and the archives of one writer.
extension StreamTable {
    /// Its files in the order of their content. What is new under the names that files pass through
    /// is opened first and the directory listed after; what is to be done about each name then is a
    /// plan (`S6Plan`).
    func lookAtS6(_ look: StreamLook) -> LookEnd {
        do throws(LookEnd) {
            let first = S6Listing(look.names.entries)
            var held = hold(first, look)
            var end = LookEnd.fine
            if let refused = held.refusedCurrent {
                end = accept(refused.result, look.stream)
            }
            let here = try listAgain(look, held)
            follow(here.look, here.listing)
            settleClosed(here.look)
            try takeUpPruned(&held, here, &end)
            beginProcessing(here)
            let items = here.listing.items(with: held.lost(in: here.listing, after: first))
            let isPartial = try !takeUp(items, &held, here, &end)
            return finish(here, end, isPartial: isPartial)
        } catch {
            return error
        }
    }

    /// After something was opened the directory is listed once more.
    private func listAgain(
        _ look: StreamLook, _ held: borrowing S6Held
    ) throws(LookEnd) -> S6Look {
        var look = look
        if held.isTried {
            do throws(SystemError) {
                look.names = DirectoryNames(try look.directory.descriptor.entries())
            } catch {
                opener.tell(look.node.text, error)
                throw LookEnd.retry
            }
        }
        return S6Look(
            look: look, listing: S6Listing(look.names.entries),
            ranAt: ranAt(in: look.directory.descriptor))
    }

    /// A file that was opened and that the listing has under no name was rotated and removed in
    /// between: only this descriptor still has its bytes, and whatever the listing has that is not
    /// open yet is newer.
    private func takeUpPruned(
        _ held: inout S6Held, _ here: S6Look, _ end: inout LookEnd
    ) throws(LookEnd) {
        for name in S6Held.names {
            guard
                let pruned = held.take(
                    name, { inode in !here.listing.items.contains { $0.inode == inode } })
            else { continue }
            // What a processor has made of it by now is found as an archive.
            if isRunning(here) || (here.ranAt ?? .min) >= pruned.status.modified {
                throw LookEnd.again
            }
            let request = FileOpener.Request(
                stream: here.stream, name: name, path: here.node.text(of: name), isArchived: true,
                mostLinks: 2)
            let result = opener.adopt(request, pruned)
            if case .opened = result { here.stream.census.fileBecameNameless() }
            end = worse(end, accept(result, here.stream, isPruned: true))
        }
    }

    /// Takes up what is new, one name after the other. False where there is more of it than the
    /// stream may have for now.
    private func takeUp(
        _ items: [S6Listing.Item], _ held: inout S6Held, _ here: S6Look, _ end: inout LookEnd
    ) throws(LookEnd) -> Bool {
        let stream = here.stream
        for item in items {
            let result: FileOpener.OpenResult
            switch S6Plan.step(for: known(of: item, held, here)) {
            case .pass:
                if item.role == .archive { stream.processing.order.pass(item.name) }
                continue
            case .waitForRoom: return false
            case .waitForProcessor: throw LookEnd.again
            case .openHeld(let role):
                result = openHeld(held.take(role), role, item, here)
            case .open: result = openArchive(request(for: item, here), nil, here)
            case .takeRefusal: result = held.refusedPrevious?.result ?? .notTakenUp(.postponed)
            case .leaveToOther:
                end = worse(end, .retry)
                continue
            case .leaveToNextLook:
                end = worse(end, .again)
                continue
            case .endLook: throw LookEnd.again
            }
            try goOn(after: result, item, here, &end)
        }
        return true
    }

    /// What is known of a name and what stands there. Each is asked for where nothing before it
    /// decides.
    private func known(
        of item: S6Listing.Item, _ held: borrowing S6Held, _ here: S6Look
    ) -> S6Plan.Item {
        let stream = here.stream
        var known = S6Plan.Item(role: item.role, once: opener.once)
        known.isKnown =
            stream.files.contains { $0.identity.inode == item.inode } || isClosed(item, here.look)
        if known.isKnown { return known }
        known.isFull = hasEnough(stream)
        if known.isFull { return known }
        known.isAwaited = item.isCurrent && waitsForProcessed(here)
        known.held = held.held(item)
        let key = InodeKey(device: here.look.scanned.device, inode: item.inode)
        known.isTaken = item.isCurrent && opener.isTaken(key, for: stream)
        return known
    }

    private func openHeld(
        _ held: consuming FileOpener.OpenFile?, _ role: S6Plan.Role, _ item: S6Listing.Item,
        _ here: S6Look
    ) -> FileOpener.OpenResult {
        guard let file = held.take() else { return .notTakenUp(.postponed) }
        let request = request(for: item, here)
        guard role == .current else { return openArchive(request, file, here) }
        switch opener.examine(request, file) {
        case .candidate(let candidate):
            succeed(candidate, here)
            return opener.takeUp(candidate)
        case .failed(let failure): return failure
        }
    }

    private func request(for item: S6Listing.Item, _ here: S6Look) -> FileOpener.Request {
        FileOpener.Request(
            stream: here.stream, name: item.name, path: here.node.text(of: item.name),
            isArchived: !item.isCurrent, mostLinks: item.mostLinks, inode: item.inode)
    }

    /// Takes account of what came of a name.
    private func goOn(
        after result: FileOpener.OpenResult, _ item: S6Listing.Item, _ here: S6Look,
        _ end: inout LookEnd
    ) throws(LookEnd) {
        let stream = here.stream
        let outcome = outcome(of: result, stream)
        if item.role == .previous, outcome != .missing { stream.missingPrevious = nil }
        let next = S6Plan.next(
            after: outcome, of: item.role,
            isPhantom: stream.phantoms.contains(item.name) || isLost(item, stream),
            isFirstScan: opener.isFirstScan, isProcessed: { isProcessed(item, here) },
            hasProduct: { hasProduct(item, here.look) })
        if next == .ignore { return }
        end = worse(end, accept(result, stream))
        switch next {
        case .goOn, .ignore: break
        case .end: throw end
        case .lookAgain: throw LookEnd.again
        case .lookAgainForPrevious:
            noteLost(item, here.look)
            throw LookEnd.again
        case .missed:
            output.report(.missed(path: here.node.text(of: item.name)))
            stream.phantoms.insert(item.name)
        }
    }

    private func outcome(of result: FileOpener.OpenResult, _ stream: LogStream) -> S6Plan.Outcome {
        if stream.processing.holdsUp { return .heldUp }
        switch result {
        case .opened, .already, .nothing, .notTakenUp: return .done
        case .exhausted: return .noRoom
        case .missing: return .missing
        }
    }

    /// All names were gone through, or as many as the stream may have files for.
    private func finish(_ here: S6Look, _ end: LookEnd, isPartial: Bool) -> LookEnd {
        let (look, stream) = (here.look, here.stream)
        var end = end
        if !stream.phantoms.isEmpty {
            stream.phantoms.formIntersection(look.names.entries.lazy.map(\.name))
        }
        if !isPartial {
            switch end {
            case .fine:
                followLater(here)
                end = endProcessing(here)
            case .again: followLater(here)
            case .retry, .underWay: break
            }
        }
        forgetMissing(look)
        countMissed(look)
        stream.hasMoreRotated = isPartial
        if !stream.isReconciled, !isPartial, case .fine = end,
            // What a processor made of a file may have no archive's name yet, and the file none any
            // more.
            look.names.inode(of: S6Name.processed) == nil
        {
            reconcile(look)
        }
        return end
    }

    /// `previous` is listed and is not there, under no name.
    ///
    /// Its name as an archive was told of where events are, so that is counted where archives are.
    private func noteLost(_ item: S6Listing.Item, _ look: StreamLook) {
        let stream = look.stream
        let before = stream.missingPrevious.flatMap { $0.inode == item.inode ? $0.looks : nil } ?? 0
        stream.missingPrevious = (item.inode, before + 1)
        if !opener.isFirstScan, before + 1 == (look.node.watch == nil ? 1 : Self.mostLostLooks) {
            output.report(.missed(path: look.node.text(of: item.name)))
        }
    }

    /// A disk that goes on listing it (a stale cache of a server's) does not hold up what is newer
    /// for ever.
    private func isLost(_ item: S6Listing.Item, _ stream: LogStream) -> Bool {
        guard item.name == S6Name.previous, let lost = stream.missingPrevious else { return false }
        return lost.inode == item.inode && lost.looks >= Self.mostLostLooks
    }

    /// Looks in a row that a file may be given another name just before. A number is given again by
    /// and by.
    private static let mostLostLooks = 8

    /// `previous` was removed, and a processor has made something of it since it was listed.
    private func isProcessed(_ item: S6Listing.Item, _ here: S6Look) -> Bool {
        guard item.name == S6Name.previous else { return false }
        return ranAt(in: here.directory.descriptor) != here.ranAt
            || isThere(S6Name.processed, here.look)
    }

    private func hasProduct(_ item: S6Listing.Item, _ look: StreamLook) -> Bool {
        S6Name.product(of: item.name).map { isThere($0, look) } ?? false
    }

    private func isThere(_ name: [UInt8], _ look: StreamLook) -> Bool {
        do throws(SystemError) {
            return try look.directory.descriptor.status(of: name).isRegular
        } catch {
            return false
        }
    }

    /// An archive's name is given once. The next file may get the number of an earlier `previous`
    /// that was read.
    func isClosed(_ item: S6Listing.Item, _ look: StreamLook) -> Bool {
        guard let closed = look.stream.closed[item.name], closed.inode == item.inode else {
            return false
        }
        return S6Name.isArchive(item.name)
            || opener.presence(closed.identity, item.name, look.directory.descriptor) == .there
    }

    /// An archive may be what a processor of s6-log made of `previous`.
    private func openArchive(
        _ request: FileOpener.Request, _ held: consuming FileOpener.OpenFile?, _ here: S6Look
    ) -> FileOpener.OpenResult {
        var request = request
        request.mayBePacked = true
        let examination =
            if let file = held.take() {
                opener.examine(request, file)
            } else {
                opener.examine(request, in: here.directory.descriptor)
            }
        switch examination {
        case .candidate(let candidate):
            switch original(of: candidate, here) {
            case .file(let file):
                return takeUp(candidate, madeOf: file, here)
            case .awaited:
                if let node = request.stream.node { agenda.retry(node) }
                return .notTakenUp(.postponed)
            case .none: break
            }
            succeed(candidate, here)
            if Self.isProcessed(candidate, here) {
                return takeUpProcessed(candidate, here)
            }
            return recognise(candidate, here.look)
                ?? opener.takeUp(candidate)
        case .failed(let result): return result
        }
    }

    /// Gives open files the names that they have now. What s6-log renamed it never writes to again.
    private func follow(_ look: StreamLook, _ listing: S6Listing) {
        let stream = look.stream
        for file in stream.files {
            guard let item = listing.items.first(where: { $0.inode == file.identity.inode }) else {
                if let name = file.name {
                    agenda.wake(stream)
                    if !S6Name.isArchive(name) { stream.census.fileBecameNameless() }
                }
                file.becomeNameless(look.now)
                continue
            }
            if file.name != item.name { agenda.wake(stream) }
            rename(file, to: item.name, in: look.node, final: !item.isCurrent)
        }
    }

    private func accept(
        _ result: FileOpener.OpenResult, _ stream: LogStream, isPruned: Bool = false
    ) -> LookEnd {
        switch result {
        case .opened(let file):
            if isPruned {
                // It is final.
                file.becomeNameless(.now())
                stream.files.append(file)
            } else {
                insert(file, into: stream)
            }
            if file.isFinal, file.position >= file.size, file.name != nil, !file.isReplaced {
                finish(file, of: stream)
            } else {
                agenda.wake(stream)
            }
            return .fine
        case .already, .notTakenUp: return .fine
        case .nothing(let retry): return retry ? .retry : .fine
        case .exhausted: return .retry
        case .missing: return .again
        }
    }

    /// By label: an archive that is found late still comes before what is newer.
    func insert(_ file: TailedFile, into stream: LogStream) {
        let place =
            stream.files.firstIndex { other in
                guard let name = file.name, name != stream.liveName else { return false }
                guard let theirs = other.name else { return false }
                if !S6Name.isArchive(theirs) {
                    return S6Name.isArchive(name) || theirs == stream.liveName
                }
                return name.lexicographicallyPrecedes(theirs)
            } ?? stream.files.endIndex
        stream.files.insert(file, at: place)
    }

    private func forgetMissing(_ look: StreamLook) {
        let stream = look.stream
        // 1. A processor makes `processed` of `previous`, which s6-log removes.
        // 2. `processed` gets its archive's name: until then that content has none.
        if look.names.inode(of: S6Name.processed) != nil { return }
        let awaited = awaited(stream)
        giveUpCopies(stream, but: awaited)
        // 1. A file was read to its end as `previous` and closed.
        // 2. It is an archive now: its old name is missing, but it is not gone, and under the new
        //    one it may not have been opened yet.
        var missing: [[UInt8]: LogStream.ClosedFile] = [:]
        for (name, closed) in stream.closed
        where look.names.inode(of: name) != closed.inode && !awaited.contains(closed.id) {
            if newName(of: closed, look) == nil
                || stream.files.contains(where: { $0.id == closed.id })
                || stream.closed.contains(where: { $0.key != name && $0.value.id == closed.id })
            {
                missing[name] = closed
            }
        }
        guard !missing.isEmpty else { return }
        for name in missing.keys { stream.closed[name] = nil }
        let kept = Set(stream.closed.values.map(\.id)).union(stream.files.map(\.id))
        for (name, closed) in missing where !kept.contains(closed.id) {
            if !S6Name.isArchive(name) { stream.census.fileBecameNameless() }
            leave(closed)
        }
    }

    private func countMissed(_ look: StreamLook) {
        let (appeared, forgotten) = look.node.appeared.takeArchives()
        if forgotten > 0 {
            output.report(.archivesForgotten(path: look.node.text, count: forgotten))
        }
        let all = Set(appeared)
        // 1. svlogd renames `current` to `@….u`, and makes `@….s` of it.
        // 2. It is one file, and known by the one name where it was not seen under the other.
        let archives = appeared.filter { name in
            guard let product = S6Name.product(of: name) else { return true }
            return look.names.inode(of: product) == nil && !all.contains(product)
        }
        let missed = look.stream.census.look(
            appeared: archives, there: { look.names.inode(of: $0) != nil },
            names: look.names.entries.lazy.map(\.name).filter(S6Name.isArchive),
            eventReads: look.scanned.eventReads, readsByLook: look.scanned.readsByLook)
        for name in missed { output.report(.missed(path: look.node.text(of: name))) }
    }
}
