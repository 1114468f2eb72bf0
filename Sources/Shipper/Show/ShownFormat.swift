import Encoding
import Model
import Platform
import Registry
import Synchronization
import Tailer

/// How a file is written, as `format: auto` sees it: what an input's settings say otherwise is in
/// no registry. The words are those of `inputs[].format`.
enum ShownFormat: String, Sendable {
    /// In an s6 log directory: lines may have labels.
    case s6
    case plain
    case cri
    case docker
}

/// Looks at files' first bytes, once at those that have enough of them. Sendable.
final class ShownFormats: Sendable {
    private struct Known {
        let generation: GenerationID
        let format: ShownFormat
    }
    private let known = Mutex<[FileID: Known]>([:])

    /// Nil for an empty file and for one that is compressed, or cannot be read now. `path` is where
    /// its file was found.
    func format(of entry: FileEntry, _ size: PhysicalOffset, at place: FilePlace) -> ShownFormat? {
        if ExactText(entry.path).parent == ExactText(entry.stream) { return .s6 }
        let known = self.known.withLock { $0[entry.file] }
        if let known, known.generation == entry.generation { return known.format }
        guard size > .start,
            case .found(let format) = place.open().only({ opened throws(SystemError) in
                try Self.format(entry, opened)
            })
        else { return nil }
        if size.bytes >= ContainerFormat.headLength {
            self.known.withLock {
                $0[entry.file] = Known(generation: entry.generation, format: format)
            }
        }
        return format
    }

    private static func format(
        _ entry: FileEntry, _ opened: FilePlace.Opened
    ) throws(SystemError) -> ShownFormat? {
        guard entry.identity.hasNumbers(of: opened.status) else { return nil }
        let head = try opened.file.descriptor.read(count: ContainerFormat.headLength, at: 0)
        guard Compression(head: head) == nil else { return nil }
        switch ContainerFormat.guess(head.span) {
        case nil: return .plain
        case .cri: return .cri
        case .docker: return .docker
        }
    }
}
