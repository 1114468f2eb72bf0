import Model
import Platform
import Registry

/// A file as `shipper registry show --json` prints it; docs/registry-show.md says what the keys
/// mean, and they stay.
struct EntryJSON {
    let file: ShownFile

    /// One object, without a line end.
    var line: String {
        let entry = file.entry
        var json = JSONText()
        json.openObject()
        json.key("stream")
        json.string(entry.stream)
        json.key("path")
        json.string(entry.path)
        json.key("identity")
        Self.append(entry.identity, to: &json)
        json.key("generation")
        json.string(entry.generation.digits)
        for (name, number) in [
            ("base", entry.base.bytes), ("offset", entry.offset.bytes), ("size", file.size.bytes),
            ("lag_bytes", file.lag),
        ] {
            json.key(name)
            json.integer(number)
        }
        json.key("state")
        json.string(file.state.rawValue)
        json.key("updated")
        json.string(entry.updated.description)
        json.key("format")
        if let format = file.format { json.string(format.rawValue) } else { json.null() }
        json.closeObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func append(_ identity: FileIdentity, to json: inout JSONText) {
        json.openObject()
        json.key("device")
        json.string(String(identity.device))
        json.key("inode")
        json.string(String(identity.inode))
        json.key("birth")
        if let birth = identity.birth { json.integer(birth) } else { json.null() }
        json.key("handle")
        if let handle = identity.handle {
            let digits = handle.map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            json.string(digits.joined())
        } else {
            json.null()
        }
        json.closeObject()
    }
}
