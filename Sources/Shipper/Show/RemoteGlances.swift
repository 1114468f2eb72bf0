import Model
import Platform
import Registry
import Synchronization

/// Looks at files, those on each remote file system on a thread of its own: of what does not answer
/// entries are shown as they were saved. Used on one thread.
final class RemoteGlances {
    /// Mount points that did not answer at the last look, as text for people.
    private(set) var silent: [String] = []
    /// Whose thread has not come back, so that there is one at most for each.
    private let hanging = Hanging()
    /// Kept from look to look.
    private let formats = ShownFormats()

    private final class Hanging: Sendable {
        let points = Mutex<Set<[UInt8]>>([])
    }

    /// In the order of `entries`.
    func look(at entries: [FileEntry]) -> [ShownFile] {
        silent = []
        guard let table = SilentMounts.table(), !table.remote.isEmpty else {
            return Self.look(entries, formats) {}
        }
        var places: [ExactText: [UInt8]?] = [:]
        var indices: [[UInt8]: [Int]] = [:]
        for (index, entry) in entries.enumerated() {
            let directory = ExactText(entry.path).parent ?? ExactText("")
            let place: [UInt8]?
            if let known = places[directory] {
                place = known
            } else {
                let bytes = PathText.bytes(of: directory.text)
                place = table.remote(table.destination(of: bytes))?.point
                places[directory] = .some(place)
            }
            indices[place ?? [], default: []].append(index)
        }
        var files: [ShownFile?] = entries.map { _ in nil }
        for (place, mine) in indices.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let part = mine.map { entries[$0] }
            let shown = place.isEmpty ? Self.look(part, formats) {} : look(part, on: place)
            for (index, file) in zip(mine, shown) { files[index] = file }
        }
        return files.compactMap { $0 }
    }

    private func look(_ entries: [FileEntry], on place: [UInt8]) -> [ShownFile] {
        let (hanging, formats) = (hanging, formats)
        let isFree = hanging.points.withLock { $0.insert(place).inserted }
        var shown: [ShownFile]?
        if isFree {
            do throws(SystemError) {
                shown = try PatientCall.run { goesOn in
                    defer { _ = hanging.points.withLock { $0.remove(place) } }
                    return Self.look(entries, formats, goesOn)
                }
            } catch {
                // Without a thread there is no telling whether it answers.
                _ = hanging.points.withLock { $0.remove(place) }
            }
        }
        if let shown { return shown }
        silent.append(PathText.text(place))
        return entries.map { ShownFile(entry: $0, state: .unreachable, size: $0.size) }
    }

    private static func look(
        _ entries: [FileEntry], _ formats: ShownFormats, _ goesOn: () -> Void
    ) -> [ShownFile] {
        var glance = FileGlance(formats)
        return entries.map { entry in
            goesOn()
            return glance.look(at: entry)
        }
    }
}
