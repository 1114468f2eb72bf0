import YAML

/// `rotation` of an input.
extension SettingsReader {
    /// The least has room for a block of any file system, and for what stays of a log.
    private static let sizes = (64 << 10)...(1 << 40)
    private static let archives = 1...100_000

    mutating func rotation(_ value: Value?) -> Settings.Rotation? {
        guard let value else { return nil }
        if case .scalar(let scalar) = value.node.content, scalar.isNull { return nil }
        guard let section = section(value, .rotation) else { return nil }
        let size = required(section, "size", "the bytes from which on a log is rotated, as in 1GiB")
        let keep = required(section, "keep", "how many archives stay, as in 7")
        return Settings.Rotation(
            size: self.size(size, in: Self.sizes, default: 1 << 30),
            keep: count(keep, in: Self.archives, default: 7),
            method: choice(
                section["method"], default: .auto, later: ["punch", "copytruncate", "rename"]))
    }

    /// Nothing is removed for a number that somebody has forgotten.
    private mutating func required(
        _ section: Section, _ key: String, _ expected: String
    ) -> Value? {
        if let value = section[key] { return value }
        fault(section.mark, section.path(key), "missing; expected \(expected)")
        return nil
    }
}
