import Model
import Platform

/// One change of the state: what a record of the journal says.
enum Change: Hashable, Sendable {
    case seen(FileEntry)
    case advance(Advance, at: Timestamp)
    case head(FileID, GenerationID, Fingerprint, at: Timestamp)
    case moved(FileID, path: String, state: FileState, at: Timestamp)
    case truncated(FileEntry)
    case cutting(FileEntry)
    case cut(FileEntry)
    case gone(FileID)
    case input(String)
    case settled

    /// The file it is about, if any.
    var file: FileID? {
        switch self {
        case .seen(let entry), .truncated(let entry), .cutting(let entry), .cut(let entry):
            entry.file
        case .advance(let advance, _): advance.file
        case .head(let file, _, _, _): file
        case .moved(let file, _, _, _): file
        case .gone(let file): file
        case .input, .settled: nil
        }
    }
}
