import YAML

/// `output.kafka.tls`, `sasl` and `client_id`, and the librdkafka properties that they take the
/// place of.
extension SettingsReader {
    mutating func tls(_ value: Value?) -> Settings.TLS? {
        guard let section = section(value, .tls) else { return nil }
        let certificate = file(section["certificate"], as: "/etc/shipper/tls/client.pem")
        let key = file(section["key"], as: "/etc/shipper/tls/client.key")
        if let stands = section["certificate"], section["key"] == nil {
            fault(stands.keyMark, stands.path, "without its private key; expected key, too")
        }
        if let stands = section["key"], section["certificate"] == nil {
            fault(stands.keyMark, stands.path, "without a certificate; expected certificate, too")
        }
        if let stands = section["key_passphrase"], section["key"] == nil {
            fault(stands.keyMark, stands.path, "without key it does nothing")
        }
        return Settings.TLS(
            authorities: file(section["ca"], as: "/etc/shipper/tls/ca.pem"),
            certificate: certificate, key: key,
            passphrase: section["key_passphrase"].flatMap { word($0, "the key's passphrase") },
            verify: choice(section["verify"], default: .full))
    }

    mutating func sasl(_ value: Value?) -> Settings.SASL? {
        guard let section = section(value, .sasl) else { return nil }
        guard let stands = section["mechanism"] else {
            let names = Mechanism.allCases.map(\.rawValue).joined(separator: ", ")
            fault(section.mark, section.path("mechanism"), "missing; expected one of \(names)")
            return nil
        }
        let before = faults.count
        let mechanism: Mechanism = choice(stands, default: .plain)
        guard faults.count == before else { return nil }
        useless(section, mechanism)
        if mechanism == .gssapi { return Settings.SASL(mechanism: .gssapi) }
        if mechanism == .oauthBearer { return bearer(section) }
        guard let user = username(section, mechanism), let password = password(section, mechanism)
        else { return nil }
        switch mechanism {
        case .plain: return Settings.SASL(mechanism: .plain(user: user, password))
        case .scram256: return Settings.SASL(mechanism: .scram256(user: user, password))
        case .scram512: return Settings.SASL(mechanism: .scram512(user: user, password))
        case .oauthBearer, .gssapi: return nil
        }
    }

    /// Keys of other mechanisms.
    private mutating func useless(_ section: Section, _ mechanism: Mechanism) {
        let (names, instead) =
            switch mechanism {
            case .plain, .scram256, .scram512:
                (["token_file", "extensions"], "password or password_file")
            case .oauthBearer: (["username", "password", "password_file"], "token_file")
            case .gssapi:
                (
                    ["username", "password", "password_file", "token_file", "extensions"],
                    "sasl.kerberos.* under librdkafka"
                )
            }
        for name in names {
            guard let value = section[name] else { continue }
            fault(
                value.keyMark, value.path,
                "with \(mechanism.rawValue) it does nothing; expected \(instead)")
        }
    }

    private mutating func bearer(_ section: Section) -> Settings.SASL? {
        let extensions = self.extensions(section["extensions"])
        guard let value = section["token_file"] else {
            fault(
                section.mark, section.path("token_file"),
                "missing; OAUTHBEARER needs the file with the token")
            return nil
        }
        return file(value, as: "/var/run/secrets/kafka/token").map {
            Settings.SASL(mechanism: .oauthBearer($0, extensions: extensions))
        }
    }

    /// Each request to log in has them all.
    private static let mostExtensions = 16

    /// As RFC 7628 has them.
    private mutating func extensions(_ value: Value?) -> [Settings.Extension] {
        let expected = "a map of names of letters to texts, as in logicalCluster: lkc-1"
        guard let value else { return [] }
        guard case .map(let entries) = value.node.content, entries.count <= Self.mostExtensions
        else {
            if case .scalar(let scalar) = value.node.content, scalar.isNull { return [] }
            fault(
                value.node.mark, value.path,
                "\(found(value.node)); expected \(expected), \(Self.mostExtensions) at the most")
            return []
        }
        return entries.compactMap { entry in
            let item = Value(
                path: "\(value.path).\(shown(entry.key))", keyMark: entry.keyMark,
                node: entry.value)
            guard let text = word(item, expected) else { return nil }
            let isName = entry.key.utf8.allSatisfy { (0x41...0x5A).contains($0 & 0xDF) }
            let isText = text.utf8.allSatisfy {
                (0x20...0x7E).contains($0) || [0x09, 0x0A, 0x0D].contains($0)
            }
            guard isName, isText, !entry.key.isEmpty, entry.key != "auth" else {
                fault(entry.keyMark, item.path, "no extension of SASL; expected \(expected)")
                return nil
            }
            return Settings.Extension(name: entry.key, value: text)
        }
    }

    /// For the table.
    static let mechanisms = SettingsKeys.Key.choice(of: Mechanism.self)

    fileprivate enum Mechanism: String, CaseIterable {
        case plain = "PLAIN"
        case scram256 = "SCRAM-SHA-256"
        case scram512 = "SCRAM-SHA-512"
        case oauthBearer = "OAUTHBEARER"
        case gssapi = "GSSAPI"
    }

    private mutating func username(_ section: Section, _ mechanism: Mechanism) -> String? {
        guard let value = section["username"] else {
            fault(
                section.mark, section.path("username"),
                "missing; \(mechanism.rawValue) needs a username and a password")
            return nil
        }
        return word(value, "a user's name").flatMap { withoutNUL($0, value) }
    }

    private mutating func password(
        _ section: Section, _ mechanism: Mechanism
    ) -> Settings.Password? {
        let text = section["password"]
        guard let file = section["password_file"] else {
            guard let text else {
                fault(
                    section.mark, section.path("password"),
                    "missing; \(mechanism.rawValue) needs password or password_file")
                return nil
            }
            return secret(text).map { .text($0) }
        }
        if text != nil {
            fault(file.keyMark, file.path, "password stands there, too; expected one of them")
        }
        return self.file(file, as: "/etc/shipper/kafka/password").map { .file($0) }
    }

    /// A text that no message repeats.
    private mutating func secret(_ value: Value) -> String? {
        guard case .scalar = value.node.content else {
            fault(value.node.mark, value.path, "no text; expected the password")
            return nil
        }
        return word(value, "the password, as in \"${KAFKA_PASSWORD}\"").flatMap {
            withoutNUL($0, value)
        }
    }

    private mutating func withoutNUL(_ text: String, _ value: Value) -> String? {
        guard text.utf8.contains(0) else { return text }
        fault(value.node.mark, value.path, "a NUL byte, which librdkafka cannot be given")
        return nil
    }

    /// The absolute path of a file, which nobody looks at yet.
    private mutating func file(_ value: Value?, as example: String) -> Settings.ConfiguredFile? {
        guard let value, let path = word(value, "the absolute path of a file, as in \(example)")
        else { return nil }
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            let problem =
                path.hasPrefix("/") ? "a NUL byte in a path" : "\(quoted(path)) is relative"
            fault(
                value.node.mark, value.path,
                "\(problem); expected the absolute path of a file, as in \(example)")
            return nil
        }
        return Settings.ConfiguredFile(path: path, key: value.path, mark: value.node.mark)
    }

    /// A text in which only `{node}` stands for something.
    mutating func clientID(_ value: Value?) -> Template {
        guard let value, let template = template(value) else { return .standardClientID }
        for name in template.names where name != "node" {
            fault(
                value.node.mark, value.path,
                "{\(name)} is nothing that one client has; only {node} can stand here")
        }
        return template
    }

    /// Properties that stand beside the setting which sets them: nobody could tell which counts.
    mutating func twice(_ options: [Settings.Passthrough], in kafka: Section) {
        guard let value = kafka["librdkafka"] else { return }
        for option in options {
            let name = option.name
            for (setting, properties) in Self.setElsewhere where kafka[setting] != nil {
                guard let instead = properties[name] else { continue }
                fault(
                    option.mark, "\(value.path).\(shown(name))",
                    "\(kafka.path(setting)) stands there, too, and sets it; "
                        + (instead.isEmpty
                            ? "leave it out" : "expected \(kafka.path(setting)).\(instead)"))
                break
            }
        }
    }

    /// By the setting that stands there, what it sets and which of its keys does.
    private static let setElsewhere: [(setting: String, properties: [String: String])] = [
        (
            "tls",
            [
                "security.protocol": "", "ssl.ca.location": "ca",
                "ssl.certificate.location": "certificate", "ssl.key.location": "key",
                "ssl.key.password": "key_passphrase",
                "enable.ssl.certificate.verification": "verify",
                "ssl.endpoint.identification.algorithm": "verify",
            ]
        ),
        (
            "sasl",
            [
                "security.protocol": "", "sasl.mechanism": "mechanism",
                "sasl.mechanisms": "mechanism", "sasl.username": "username",
                "sasl.password": "password", "sasl.oauthbearer.config": "token_file",
                "enable.sasl.oauthbearer.unsecure.jwt": "token_file",
                "sasl.oauthbearer.method": "token_file",
            ]
        ),
        ("client_id", ["client.id": ""]),
    ]
}
