import Model
import Platform

/// Streams that become dormant, and are made again.
extension StreamTable {
    /// Makes a stream dormant, if that and its entry are all that is known of it. Nil where there
    /// is more, or something is to be done for it or on its way; then it stays as it is. A look at
    /// its directory may be under way: between two of its steps it knows streams by their names
    /// alone.
    func sleep(_ stream: LogStream, _ now: MonotonicTime) -> DormantStream? {
        guard stream.isOneQuietFile(now), !hasArchives(stream), !agenda.wakes(stream),
            let node = stream.node, node.streams[stream.liveName] === stream,
            let file = stream.live, opener.open[file.key] === file,
            let saved = knownFiles.saved(file.id), ExactText(saved.path) == ExactText(stream.name),
            let rest = file.rest(saved), let newest = stream.newest,
            newest.inode == file.key.inode, newest.birth == saved.identity.birthTime,
            let note = output.sleeps(stream.id, file.id)
        else { return nil }
        let dormant = DormantStream(
            stream, file, rest, saved, newest: newest.modified, in: node, note)
        stream.files = []
        stream.node = nil
        node.streams[stream.liveName] = nil
        node.dormant[stream.liveName] = dormant
        opener.forget(file)
        opener.dormant[file.key] = dormant
        return dormant
    }

    /// Makes a dormant stream again as it was, and has it looked at. Nil where it is one already,
    /// or where its file is known as another one by now: then it ends, and what is there is found
    /// by a look, as if this run had never seen it.
    @discardableResult
    func wake(_ dormant: DormantStream) -> LogStream? {
        guard !dormant.isAwake, let node = dormant.node else { return nil }
        dormant.isAwake = true
        node.dormant[dormant.liveName] = nil
        opener.dormant[dormant.key] = nil
        let name = node.text(of: dormant.liveName)
        let sleeper = Sleeper(
            stream: dormant.id, name: name, input: dormant.input, captures: dormant.captures,
            link: dormant.link, file: dormant.file, note: dormant.note)
        guard let saved = knownFiles.saved(dormant.file), dormant.isDescribed(by: saved) else {
            unwatch(dormant)
            output.leaves(sleeper)
            agenda.look(at: node)
            return nil
        }
        output.wakes(sleeper)
        let stream = LogStream(
            id: dormant.id, kind: .path, name: name, liveName: dormant.liveName,
            input: dormant.input, captures: dormant.captures, link: dormant.link,
            earlierFiles: earlierFiles)
        stream.node = node
        stream.isReconciled = true
        stream.newest = LogStream.Newest(
            inode: dormant.key.inode, modified: dormant.newest, birth: saved.identity.birthTime)
        stream.lastGrowth = dormant.lastGrowth
        stream.interval = dormant.interval
        let file = TailedFile(
            parked: TailedFile.Name(dormant.liveName, path: name, saved.identity),
            TailedFile.Content(dormant.rest, saved), dormant.key, of: stream)
        stream.files = [file]
        opener.follow(file)
        hasWoken(dormant, stream)
        if node.isGone {
            // It is what its directory's other logs have become.
            letGo(stream, in: node, MonotonicTime.now())
        } else {
            node.streams[dormant.liveName] = stream
            agenda.wake(stream, isFresh: false)
        }
        return stream
    }

    // MARK: Directories that are gone

    /// The dormant streams of directories that have left the tree become what their other streams
    /// have become, as many as there is time for: there may be a hundred thousand of them. False
    /// where more are left.
    func letDormantGo(_ slice: inout Slice) -> Bool {
        while !forsaken.isEmpty {
            while let dormant = forsaken[forsaken.count - 1].dormant.popLast() {
                wake(dormant)
                if slice.isOverAfterStep() { return false }
            }
            forsaken.removeLast()
        }
        return true
    }

    /// The stream of that name in a directory, which is made again if it is dormant.
    func stream(_ name: [UInt8], in node: DirectoryNode) -> LogStream? {
        node.streams[name] ?? node.dormant[name].flatMap { wake($0) }
    }
}

extension LogStream {
    /// Whether it has one file and nothing else, as far as it can tell alone.
    fileprivate func isOneQuietFile(_ now: MonotonicTime) -> Bool {
        kind == .path && !isOrphan && files.count == 1 && surroundings == nil && isReconciled
            && !hasMoreRotated && savedTime == .min && movesInRow == 0
            && now >= expectsTruncationUntil
    }
}
