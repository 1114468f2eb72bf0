private import Glibc

/// A file that replaces another one whole or not at all: written beside it as `<name>.new`, mode
/// 0600, and then put in its place by rename(2).
///
/// Root's belong to the directory's owner: were they root's, an agent that runs as another user
/// could not read any more what an operator has changed.
///
/// After a crash the name has either the old content or all of the new one. What is not placed is
/// removed; a leftover of a crash is overwritten by the next attempt. One thread uses it at a time.
package struct AtomicFile: ~Copyable {
    private let directory: Descriptor
    private let file: Descriptor
    private let name: String
    private let witness: any FileStepWitness
    private var isPlaced = false

    private var beside: String { name + Self.suffix }

    /// The end of the name while the file is written.
    package static let suffix = ".new"

    /// Creates `<name>.new` in `directory`, empty.
    package init(
        _ name: String, in directory: borrowing Descriptor,
        witness: any FileStepWitness = SilentWitness()
    ) throws(SystemError) {
        let beside = name + Self.suffix
        let kept = try directory.duplicate()
        try witness.willTake(.create(beside))
        // O_APPEND: who goes on writing after the rename appends, whatever was truncated meanwhile.
        let flags = O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW
        let made = try kept.openAt(beside, flags, mode: 0o600)
        let owner = try kept.status()
        if geteuid() == 0, owner.owner != 0 { try made.give(to: owner) }
        file = made
        self.directory = kept
        self.name = name
        self.witness = witness
    }

    deinit {
        guard !isPlaced else { return }
        do {
            try witness.willTake(.remove(beside))
            try directory.remove(beside)
        } catch {
            // The error that led here is already on its way to the caller, and the next attempt
            // begins by truncating this file.
        }
    }

    /// Appends all of `bytes`.
    package borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
        try witness.willTake(.write(beside, bytes: bytes.count))
        try file.write(bytes)
    }

    /// fsync(2) of what was written. Before `place`, or a power cut may leave the name with
    /// nothing.
    package borrowing func synchronise() throws(SystemError) {
        try witness.willTake(.synchronise(beside))
        try file.synchronise()
    }

    /// Puts the file in its place; the old one is gone. Not durable before the directory is
    /// synchronised.
    package mutating func place() throws(SystemError) {
        try witness.willTake(.rename(beside, to: name))
        try directory.rename(beside, to: name)
        isPlaced = true
    }

    /// fsync(2) of the directory, which makes `place` durable.
    package borrowing func synchroniseDirectory() throws(SystemError) {
        try witness.willTake(.synchroniseDirectory)
        try directory.synchronise()
    }

    /// Data, rename, directory: in this order and no other.
    package mutating func commit() throws(SystemError) {
        try synchronise()
        try place()
        try synchroniseDirectory()
    }

    /// A descriptor of the file for whoever goes on using it, open for reading and appending.
    package borrowing func descriptor() throws(SystemError) -> Descriptor {
        try file.duplicate()
    }

    /// Writes `bytes` durably as `name` in `directory`.
    package static func replace(
        _ name: String, in directory: borrowing Descriptor, with bytes: [UInt8],
        witness: any FileStepWitness = SilentWitness()
    ) throws(SystemError) {
        var file = try AtomicFile(name, in: directory, witness: witness)
        try file.write(bytes)
        try file.commit()
    }
}
