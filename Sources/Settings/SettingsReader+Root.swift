package import Platform
import YAML

/// The top of the configuration, and the keys that are neither input nor output.
extension SettingsReader {
    /// Nil only when something is wrong; what is wrong stands in `faults`.
    mutating func settings(_ root: Node, file: String) -> Settings? {
        if let entry = Self.filebeatKey(root) {
            fault(
                entry.keyMark, shown(entry.key),
                "a key of Filebeat's: this is a filebeat.yml; `shipper convert \(shown(file))` prints it as a "
                    + "configuration of shipper's (docs/migrating-from-filebeat.md)")
            return nil
        }
        guard let section = self.section(root, "", .root) else { return nil }
        let data = section["data"].map { self.data($0) } ?? Settings.standardData
        let limits = self.limits(section["limits"])
        let registry = self.registry(section["registry"])
        let http = self.http(section["http"])
        let shutdownTimeout = duration(section["shutdown_timeout"], .shutdownTimeout)
        let node = self.node(section)
        let log = self.log(section["log"])
        let kafka = self.kafka(section)
        let inputs = self.inputs(section, kafka: kafka, limits: limits)
        guard let kafka, let node, faults.isEmpty else { return nil }
        return Settings(
            file: file, data: data, inputs: inputs, output: Settings.Output(kafka: kafka.settings),
            limits: limits, registry: registry, shutdownTimeout: shutdownTimeout, node: node,
            isNodeNamed: section["node"] != nil, http: http, log: log)
    }

    /// Whether the text is a configuration of Filebeat's: by a key that only Filebeat has.
    static func isFilebeats(_ root: Node) -> Bool { filebeatKey(root) != nil }

    /// A key at the top that only a Filebeat has: nothing else in the file is worth a message then.
    private static func filebeatKey(_ root: Node) -> Node.Entry? {
        guard case .map(let entries) = root.content else { return nil }
        let names = [
            "filebeat", "processors", "setup", "queue", "logging", "monitoring", "xpack", "cloud",
            "max_procs",
        ]
        let outputs = ["elasticsearch", "logstash", "redis", "file", "console"]
        return entries.first { entry in
            if names.contains(where: { entry.key == $0 || entry.key.hasPrefix("\($0).") }) {
                return true
            }
            if entry.key.hasPrefix("output.") { return true }
            guard entry.key == "output", case .map(let below) = entry.value.content else {
                return false
            }
            return below.contains { output in
                outputs.contains(output.key) || output.key.hasPrefix("kafka.")
            }
        }
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
        let inFlight = size(section?["in_flight"], .inFlight)
        let openFiles = count(section?["open_files"], .openFiles)
        let heldBytes = size(section?["held_bytes"], .heldBytes)
        if let readers = section?["readers"], let text = text(readers, "1"), text != "1" {
            let later = text.utf8.allSatisfy { (0x31...0x39).contains($0) }
            fault(
                readers.node.mark, readers.path,
                "\(quoted(text)) is \(later ? "not supported yet" : "no number"); expected 1")
        }
        return Settings.Limits(
            inFlight: inFlight, openFiles: openFiles, heldBytes: heldBytes,
            topics: count(section?["topics"], .topics),
            watches: watches(section?["watches"]))
    }

    private mutating func watches(_ value: Value?) -> Int? {
        guard let value else { return nil }
        if case .scalar(let scalar) = value.node.content, scalar.text == "auto" { return nil }
        return count(value, .watches)
    }

    private mutating func registry(_ value: Value?) -> Settings.Registry {
        let section = self.section(value, .registry)
        return Settings.Registry(sync: duration(section?["sync"], .sync))
    }

    private mutating func http(_ value: Value?) -> Settings.HTTP {
        guard let listen = self.section(value, .http)?["listen"] else {
            return Settings.HTTP(listen: .standard)
        }
        let expected = "ADDRESS:PORT, as in \(Settings.HTTP.standardAddress), or none"
        guard let text = word(listen, expected) else { return Settings.HTTP(listen: .none) }
        if text == "none" { return Settings.HTTP(listen: .none) }
        do throws(ListenRefusal) {
            return Settings.HTTP(listen: .address(try Self.address(text)))
        } catch {
            fault(
                listen.node.mark, listen.path, "\(quoted(text)) \(error); expected \(expected)")
            return Settings.HTTP(listen: .none)
        }
    }

    fileprivate enum ListenRefusal: Error, CustomStringConvertible {
        case noPort
        case badPort
        case brackets
        case noAddress

        var description: String {
            switch self {
            case .noPort: "has no port"
            case .badPort: "has a port that is no number from 0 to 65535"
            case .brackets: "needs brackets around an IPv6 address, as in [::1]:9600"
            case .noAddress: "has no IP address before the port (names are not looked up)"
            }
        }
    }

    /// `IPv4:PORT` or `[IPv6]:PORT`.
    fileprivate static func address(_ text: String) throws(ListenRefusal) -> InternetAddress {
        // Without a port: all of it is an address.
        if InternetAddress(host: text, port: 0) != nil {
            throw text.contains(":") ? .brackets : .noPort
        }
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else { throw .noPort }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty,
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = UInt16(digits)
        else { throw .badPort }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        if host.contains(":") && !isBracketed { throw .brackets }
        guard let address = InternetAddress(host: String(host), port: port),
            isBracketed == host.contains(":")
        else { throw .noAddress }
        return address
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

extension Settings {
    /// `IPv4:PORT` or `[IPv6]:PORT`, as `http.listen` has it; nil for anything else.
    package static func address(_ text: String) -> InternetAddress? {
        do throws(SettingsReader.ListenRefusal) {
            return try SettingsReader.address(text)
        } catch {
            return nil
        }
    }
}
