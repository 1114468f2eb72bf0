import Model
import Patterns
import Platform
import Registry
import Rotator
import Settings
import Tailer

/// Where a log lies that is to be rotated, as the patterns of its input lead there.
struct RotationPlace {
    let prefix: String
    /// The directory beneath the prefix.
    let below: [UInt8]
    let name: [UInt8]

    /// Nil where no pattern of the input leads to the path, or it leaves that out.
    init?(_ path: String, _ input: Settings.Input) {
        guard !input.exclude.contains(where: { $0.matches(path) }),
            let pattern = input.paths.first(where: { $0.match(path) != nil }),
            let (directory, name) = PathText.bytes(of: path).directoryAndName
        else { return nil }
        prefix = pattern.prefix
        below = Array(directory.dropFirst(pattern.prefix.utf8.count + 1))
        self.name = Array(name)
    }

    /// Opens the log, if it is the file of `entry`: by identity, and by whatever `isRight` asks for
    /// beside that. Links beneath the prefix are not followed.
    func open(
        _ entry: FileEntry, isRoot: Bool = ProcessContext.isRoot,
        witness: any FileStepWitness = SilentWitness(),
        isRight: (FileEntry, borrowing Descriptor) throws(SystemError) -> Bool
    ) throws(RotatedLog.Refusal) -> RotatedLog {
        let directory = try openDirectory()
        return try RotatedLog.open(name, in: directory, isRoot: isRoot, witness: witness) {
            (file, status) throws(SystemError) in
            guard entry.identity.agrees(with: FileIdentity(of: file, status)) else { return false }
            return try isRight(entry, file)
        }
    }

    /// The directory in which it lies.
    func openDirectory() throws(RotatedLog.Refusal) -> Descriptor {
        do throws(SystemError) {
            let above = try Descriptor.open(prefix, O.directory)
            return try above.openDirectory(beneath: below)
        } catch {
            throw .failed(error)
        }
    }
}
