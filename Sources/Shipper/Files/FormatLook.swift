import Encoding
import Platform
import Settings
import Tailer

/// What `format: auto` takes a file for that lies on the disk now.
enum FormatLook {
    /// The container runtime's format; nil for what is none, or cannot be read now.
    static func container(at path: String, of input: Settings.Input) -> ContainerFormat? {
        guard input.format == .auto, let place = FilePlace(saved: path),
            case .found(let opened) = place.open()
        else { return nil }
        do {
            let head = try opened.file.descriptor.read(count: ContainerFormat.headLength, at: 0)
            return ContainerFormat.guess(head.span)
        } catch {
            return nil
        }
    }
}
