import Model
import Platform

/// Parked files: how they are opened again, and what may have happened to them meanwhile.
extension FileOpener {
    /// The outcome of opening a parked file again.
    enum Reopening {
        /// It has its descriptor.
        case open
        /// Its name leads to another file or nowhere: the directory has to be looked at, which
        /// gives it its new name or none.
        case outdated
        /// The last look at its directory did not find it. It may have gone to another directory,
        /// or be removed.
        case missing
        /// Another file has its inode number: it was removed.
        case replaced
        /// Another stream reads it now.
        case takenOver
        /// Its front is being removed: it is back in a moment.
        case lent
    }

    /// Gives a parked file its descriptor again, if under its name, beneath the pattern's prefix
    /// and through no link, that very file stands.
    ///
    /// Throws where it cannot be known: a file that cannot be opened is not a removed file.
    func reopen(_ file: TailedFile) throws(SystemError) -> Reopening {
        if file.isOpen {
            cache.use(file)
            return .open
        }
        switch file.state.parking {
        case .open, .parked, .missing: break
        case .removed: return .replaced
        case .takenOver: return .takenOver
        case .lent: return .lent
        }
        guard let name = file.name, let node = file.stream?.node else { return .missing }
        let directory: Descriptor
        do {
            directory = try node.open()
        } catch {
            if error.isAbsence { return .outdated }
            throw error
        }
        guard cache.makeRoom() || cache.parkNewer(than: file) else {
            throw SystemError("open", path: file.path, code: .processLimit)
        }
        do {
            switch try openFile(name, in: directory) {
            case .refused: return .outdated
            case .file(let descriptor, let status):
                guard status.inode == file.identity.inode, status.device == file.identity.device
                else { return .outdated }
                guard file.identity.agrees(with: FileIdentity(of: descriptor, status)) else {
                    replaced(file)
                    return .replaced
                }
                file.unpark(SharedDescriptor(descriptor))
                cache.add(file)
                return .open
            }
        } catch {
            if error.code == .notFound { return .outdated }
            throw error
        }
    }

    /// Gives a closed file its descriptor again, if it is that very file under another name in
    /// another directory.
    func reopen(
        _ file: TailedFile, _ name: [UInt8], in directory: borrowing Descriptor
    ) -> Bool {
        guard cache.makeRoom() else { return false }
        do throws(SystemError) {
            guard case .file(let descriptor, let status) = try openFile(name, in: directory),
                status.inode == file.identity.inode, status.device == file.identity.device,
                file.identity.agrees(with: FileIdentity(of: descriptor, status))
            else { return false }
            file.unpark(SharedDescriptor(descriptor))
            cache.add(file)
            return true
        } catch {
            tell(file.path, error)
            return false
        }
    }

    /// Another file than `file`, to look at, was opened and has its device and inode number.
    /// Whether `file` leaves the table for it: as it is parked, it may be the same file or a later
    /// one.
    func yields(_ file: TailedFile, _ opened: FileIdentity, to stream: LogStream) -> Bool {
        guard !file.isOpen, !file.isLent else { return false }
        if !file.identity.agrees(with: opened) {
            replaced(file)
            return true
        }
        // 1. Its directory is renamed, or it is moved to another one, while it is parked.
        // 2. Under its new name it belongs to another stream.
        // 3. Its own stream can never open it again.
        guard file.name == nil, file.stream !== stream else { return false }
        file.takeOver()
        settle(file)
        return true
    }

    /// Whether the file with these numbers is being read, as far as can be said without opening it.
    /// That of another stream's parked file may be a new one: it was removed, and its number came
    /// back.
    func isTaken(_ key: InodeKey, for stream: LogStream) -> Bool {
        guard let file = open[key] else { return false }
        return file.isOpen || file.stream === stream
    }

    /// Whether a stream has this very file in the table.
    func isFollowed(_ file: FileID, _ identity: FileIdentity) -> Bool {
        let key = InodeKey(device: identity.device, inode: identity.inode)
        return open[key]?.id == file || dormant[key]?.file == file
    }

    private func replaced(_ file: TailedFile) {
        file.remove()
        settle(file)
    }

    private func settle(_ file: TailedFile) {
        forget(file)
        if let stream = file.stream { agenda.wake(stream) }
    }

    /// Whether a name, behind which a file's inode number was listed, leads to that file.
    enum Presence {
        case there
        /// Another file has the number by now: it was removed.
        case replaced
        /// The name was given to another file since it was listed.
        case moved
    }

    func presence(
        _ identity: FileIdentity, _ name: [UInt8], _ directory: borrowing Descriptor
    ) -> Presence {
        do throws(SystemError) {
            let place = try directory.openPlace(name)
            let status = try place.status()
            guard status.inode == identity.inode else { return .moved }
            return identity.agrees(with: FileIdentity(of: place, status)) ? .there : .replaced
        } catch {
            // Where it cannot be told, it is the one that was listed.
            return error.code == .notFound ? .moved : .there
        }
    }

    /// Opens a name. Where the process has no descriptor left, although files are within their
    /// bound, one that is parked makes room.
    func openFile(
        _ name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) -> Descriptor.Opened {
        do {
            return try directory.openFile(name)
        } catch {
            guard error.code == .processLimit, cache.parkOne() else { throw error }
            return try directory.openFile(name)
        }
    }
}
