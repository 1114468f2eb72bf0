package import Model
package import Platform
import Synchronization

extension Registry {
    /// Opens the registry of a data directory, which is made where it is missing, and takes its
    /// lock.
    ///
    /// Damage never keeps it from opening: what can be proven is used, and everything else is
    /// reported to the observer and in `recovery`. Throws where the directory cannot be used or
    /// must not be trusted, where another process holds it, and where its format is newer than this
    /// version. `allowsCuts` where fronts of files are to be removed: that takes a format that
    /// older agents do not read. `witness` and `newBase` are for tests.
    package static func open(
        directory: String, observer: any RegistryObserver, allowsCuts: Bool = false,
        witness: any FileStepWitness = SilentWitness(), newBase: Base = .none
    ) throws(RegistryError) -> Registry {
        let data = try prepare(directory)
        let lock = try RegistryLock(in: data, path: directory)
        let path = "\(directory)/\(JournalFormat.directoryName)"
        let folder = RegistryFolder(in: data)
        let files: SharedDescriptor?
        do {
            files = try folder.opened()
        } catch {
            // A disk that is full at the first start of all keeps no line from being shipped.
            guard error.code.isLackOfRoom else { throw .unusable(path: path, error) }
            files = nil
        }
        var found = Recovery()
        if let files {
            try refuseOpenToOthers(files.descriptor, path)
            found = try Recovery(reading: files.descriptor, path: path)
        }
        return try start(
            found, folder, lock, directory: directory, path: path, observer: observer,
            allowsCuts: allowsCuts, witness: witness, newBase: newBase)
    }

    /// Makes the directory where it is missing, and refuses one that others could have put there.
    private static func prepare(_ directory: String) throws(RegistryError) -> Descriptor {
        // With a slash behind it, lstat would follow a link.
        var path = directory
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let status = try usable(path) { () throws(SystemError) in
            _ = try Descriptor.makeDirectory(atPath: path)
            return try Descriptor.linkStatus(ofPath: path)
        }
        guard !status.isLink else { throw .refused(path: path, .isLink) }
        guard status.isDirectory else { throw .refused(path: path, .isNoDirectory) }
        let opened = try usable(path) { () throws(SystemError) in
            try Descriptor.directory(atPath: path)
        }
        try refuseOpenToOthers(opened, path)
        return opened
    }

    private static func refuseOpenToOthers(
        _ opened: borrowing Descriptor, _ path: String
    ) throws(RegistryError) {
        let mode: UInt32
        do {
            mode = try opened.status().mode
        } catch {
            throw .unusable(path: path, error)
        }
        // Others only: Kubernetes makes volumes writable for a group (fsGroup) that is ours.
        guard mode & 0o002 == 0 else { throw .refused(path: path, .isWritableByOthers) }
    }

    /// Says on which path a system call failed.
    private static func usable<R: ~Copyable>(
        _ path: String, _ body: () throws(SystemError) -> R
    ) throws(RegistryError) -> R {
        do {
            return try body()
        } catch {
            throw .unusable(path: path, error)
        }
    }

    private static func start(
        _ found: Recovery, _ folder: RegistryFolder, _ lock: consuming RegistryLock,
        directory: String, path: String, observer: any RegistryObserver, allowsCuts: Bool,
        witness: any FileStepWitness, newBase: Base
    ) throws(RegistryError) -> Registry {
        var state = found.state
        let hasCuts = state.table.chunks.contains { $0.contains { $0?.cut != nil } }
        let version =
            allowsCuts || hasCuts ? JournalFormat.version : JournalFormat.oldestVersion
        var summary = found.summary
        let isWhole = summary.isWhole
        // The numbers that records get from here on could not be read some day: they begin anew.
        let isWorn = found.sequence > RegistryState.mostGiven / 2
        if !isWhole {
            state.mustStartAtBeginning = true
            summary.setAside = setAside(found.damagedFiles, in: folder, path: path, observer)
        }
        let journal: Journal
        do {
            journal = try openJournal(
                found, version: version, after: isWorn ? 0 : found.sequence, in: folder,
                witness: witness)
        } catch {
            guard found.isFresh, error.code.isLackOfRoom else {
                throw .unusable(path: "\(path)/\(JournalFormat.journalName)", error)
            }
            // 1. The disk is full when the agent starts for the first time: no journal can be made.
            // 2. Lines are shipped all the same; positions are in memory, and that is told.
            // 3. When there is room, a `sync` writes all of them.
            journal = Journal(file: nil, length: 0, sequence: 0, isTorn: false, witness: witness)
        }
        let hasNothing = found.isFresh && journal.file == nil
        let registry = Registry(
            directory: directory, recovery: summary,
            journaled: JournaledState(state: state, journal: journal),
            maintenance: Maintenance(
                folder: folder, lock: lock, snapshotLength: found.snapshotLength,
                synchronised: nil, hasNothing: hasNothing),
            observer: observer, witness: witness, newBase: newBase, version: version)
        observer.report(.opened(summary))
        // That something was lost must outlive a kill right now, and so must what was saved of it.
        // And what is written from now on is of this version.
        let isOther = found.versions.contains { $0 != version }
        if !isWhole || isWorn || journal.file == nil || isOther { registry.repair() }
        return registry
    }

    /// The journal to append to: a new one in a fresh directory; none yet where the one that is
    /// there cannot be read, or is missing, until a snapshot is written.
    private static func openJournal(
        _ found: Recovery, version: Int, after sequence: Int, in folder: RegistryFolder,
        witness: any FileStepWitness
    ) throws(SystemError) -> Journal {
        let files = try folder.opened()
        if found.isFresh {
            try beginJournal(version: version, in: files.descriptor, witness: witness)
        } else if found.journalEnd == nil {
            return Journal(
                file: nil, length: 0, sequence: sequence, isTorn: false, witness: witness)
        }
        let file = try files.descriptor.appendable(named: JournalFormat.journalName)
        let length = found.isFresh ? try file.status().size : found.journalEnd ?? 0
        return Journal(
            file: SharedDescriptor(file), length: length, sequence: sequence,
            isTorn: found.summary.tornTail > 0, witness: witness)
    }

    /// Gives the damaged files a second name that says so. They keep their own until a whole file
    /// replaces them, so there is no moment in which a crash would find nothing.
    private static func setAside(
        _ damaged: Set<String>, in folder: RegistryFolder, path: String,
        _ observer: any RegistryObserver
    ) -> [String] {
        var kept: [String] = []
        let stamp = Timestamp.now().description.filter { $0 != "-" && $0 != ":" }
        for name in damaged.sorted() {
            let aside = "\(name).damaged-\(stamp)"
            do {
                try folder.opened().descriptor.link(name, to: aside)
                kept.append(aside)
            } catch {
                // What is missing has nothing to keep.
                if error.code == .notFound { continue }
                observer.report(.cannotSetAside(.unwritable(path: "\(path)/\(aside)", error)))
            }
        }
        do {
            try forgetOldest(in: folder.opened().descriptor)
        } catch {
            observer.report(.cannotSetAside(.unwritable(path: path, error)))
        }
        return kept
    }

    /// Damaged files kept for people, so that a failing disk and a restarting agent do not fill it.
    private static let keptAside = 16

    private static func forgetOldest(in files: borrowing Descriptor) throws(SystemError) {
        var aside: [(stamp: String, name: String)] = []
        for entry in try files.entries() {
            let name = String(decoding: entry.name, as: UTF8.self)
            guard let mark = name.firstRange(of: ".damaged-") else { continue }
            aside.append((String(name[mark.upperBound...]), name))
        }
        aside.sort { $0.stamp > $1.stamp }
        for (_, name) in aside.dropFirst(keptAside) { try files.remove(name) }
    }

    /// Saves the state anew, with the fact that something was lost. Where that fails, everything is
    /// in memory, the damaged files stay as they are, and every `sync` tries again.
    private func repair() {
        journaled.withLock { $0.demandRewrite() }
        compact()
    }
}
