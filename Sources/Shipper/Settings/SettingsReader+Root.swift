import Platform
import YAML

/// The top of the configuration, and the keys that are neither input nor output.
extension SettingsReader {
    /// Nil only when something is wrong; what is wrong stands in `faults`.
    mutating func settings(_ root: Node, file: String) -> Settings? {
        guard let section = self.section(root, "", .root) else { return nil }
        let data = section["data"].map { self.data($0) } ?? Settings.standardData
        let limits = self.limits(section["limits"])
        let registry = self.registry(section["registry"])
        let shutdownTimeout = duration(
            section["shutdown_timeout"], in: .milliseconds(100)...(.seconds(3_600)),
            default: .seconds(10))
        let node = self.node(section)
        let log = self.log(section["log"])
        let kafka = self.kafka(section)
        let inputs = self.inputs(section, kafka: kafka, limits: limits)
        guard let kafka, let node, faults.isEmpty else { return nil }
        return Settings(
            file: file, data: data, inputs: inputs, output: Settings.Output(kafka: kafka.settings),
            limits: limits, registry: registry, shutdownTimeout: shutdownTimeout, node: node,
            log: log)
    }

    /// The data directory, an absolute path.
    mutating func data(_ value: Value) -> String {
        let expected = "the absolute path of a directory, as in \(Settings.standardData)"
        guard let path = word(value, expected) else { return Settings.standardData }
        if !path.hasPrefix("/") {
            fault(value.node.mark, value.path, "\(quoted(path)) is relative; expected \(expected)")
        } else if path.utf8.contains(0) {
            fault(value.node.mark, value.path, "a NUL byte in a path; expected \(expected)")
        }
        return path
    }

    private mutating func limits(_ value: Value?) -> Settings.Limits {
        let section = self.section(value, .limits)
        let inFlight = size(
            section?["in_flight"], in: (256 << 10)...(16 << 30), default: 32 << 20)
        let openFiles = count(section?["open_files"], in: 16...(1 << 20), default: 4096)
        if let readers = section?["readers"], let text = text(readers, "1"), text != "1" {
            let later = text.utf8.allSatisfy { (0x31...0x39).contains($0) }
            fault(
                readers.node.mark, readers.path,
                "\(quoted(text)) is \(later ? "not supported yet" : "no number"); expected 1")
        }
        return Settings.Limits(inFlight: inFlight, openFiles: openFiles)
    }

    private mutating func registry(_ value: Value?) -> Settings.Registry {
        let section = self.section(value, .registry)
        let sync = duration(
            section?["sync"], in: .milliseconds(1)...(.seconds(600)), default: .seconds(1))
        return Settings.Registry(sync: sync)
    }

    private mutating func log(_ value: Value?) -> Settings.Log {
        let section = self.section(value, .log)
        return Settings.Log(
            level: choice(section?["level"], default: .info),
            format: choice(section?["format"], default: .text))
    }

    private mutating func node(_ section: Section) -> String? {
        if let value = section["node"] {
            return word(value, "a name, or no such key for the host's name")
        }
        do throws(SystemError) {
            return try ProcessContext.hostName()
        } catch {
            fault(section.mark, "node", "\(error); write the node's name here")
            return nil
        }
    }
}
