import Encoding
import Platform
import Synchronization

/// The agent's ids in records: one that stays with the data directory, in `<data>/agent.id`, and
/// one for each run. Sendable; any thread.
final class AgentID: Sendable {
    let identity: AgentIdentity
    private let directory: String
    private let mustSave: Atomic<Bool>

    /// Reads the id that was saved, or makes one and saves it. Where there is no room for it now it
    /// is saved later: a full disk keeps no line from being shipped.
    init(directory: String) throws(SystemError) {
        self.directory = directory
        let known = try Self.saved("\(directory)/agent.id")
        identity = AgentIdentity(
            version: Version.text, id: known ?? Self.uuid(), ephemeralID: Self.uuid())
        mustSave = Atomic(known == nil)
        do throws(SystemError) {
            try save()
        } catch {
            guard error.code.isLackOfRoom else { throw error }
        }
    }

    /// Whether the id would be another one after a restart.
    var isSaved: Bool { !mustSave.load(ordering: .relaxed) }

    /// Saves the id if that is still to be done. On one thread at a time.
    func save() throws(SystemError) {
        guard !isSaved else { return }
        try AtomicFile.replace(
            "agent.id", in: try Descriptor.directory(atPath: directory),
            with: Array("\(identity.id)\n".utf8))
        mustSave.store(false, ordering: .relaxed)
    }

    private static func saved(_ path: String) throws(SystemError) -> String? {
        do throws(SystemError) {
            let file = try Descriptor.open(path, O.read)
            let text = String(decoding: try file.read(count: 64, at: 0), as: UTF8.self)
            let id = text.prefix { $0 != "\n" }
            let isUUID = id.utf8.count == 36 && id.utf8.allSatisfy { $0 == 0x2D || isHex($0) }
            return isUUID ? String(id) : nil
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// A random UUID (version 4), in lower case.
    private static func uuid() -> String {
        var random = SystemRandomNumberGenerator()
        var text = ""
        for index in 0..<16 {
            var byte = UInt8.random(in: 0...255, using: &random)
            if index == 6 { byte = byte & 0x0F | 0x40 }
            if index == 8 { byte = byte & 0x3F | 0x80 }
            if [4, 6, 8, 10].contains(index) { text += "-" }
            let hex = String(byte, radix: 16)
            text += hex.count < 2 ? "0" + hex : hex
        }
        return text
    }
}
