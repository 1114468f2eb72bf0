package import YAML

/// How the connections to the brokers are kept safe, and who the client is on them.
extension Settings {
    /// `output.kafka.tls`; that it is there turns TLS on.
    package struct TLS: Hashable, Sendable {
        /// Certificates of the authorities to trust; nil: those that the system trusts.
        package let authorities: ConfiguredFile?
        /// The client's own, for brokers that ask for one.
        package let certificate: ConfiguredFile?
        /// The private key of `certificate`; both are given or neither is.
        package let key: ConfiguredFile?
        /// Of a key that is encrypted.
        package let passphrase: String?
        /// How much of a broker's certificate has to be right.
        package let verify: Verification
    }

    /// As Filebeat's `verification_mode`: `full`, `certificate` and `none`.
    package enum Verification: String, Hashable, Sendable, CaseIterable {
        /// Signed by an authority, of this time, and for the host that was asked for.
        case full = "true"
        /// The same, but for any host.
        case certificate
        /// Not looked at: whoever answers is taken for the broker.
        case none = "false"
    }

    /// `output.kafka.sasl`; that it is there turns SASL on.
    package struct SASL: Hashable, Sendable {
        /// Which proof the brokers are given, and with what.
        package enum Mechanism: Hashable, Sendable {
            case plain(user: String, Password)
            case scram256(user: String, Password)
            case scram512(user: String, Password)
            /// A token of this file, which is read again and again, and what goes to the brokers
            /// beside it.
            case oauthBearer(ConfiguredFile, extensions: [Extension])
            /// Kerberos; all of it is passed through.
            case gssapi
        }
        /// The one that the brokers are asked for.
        package let mechanism: Mechanism
    }

    /// A name and a value that brokers are told beside a token, such as `logicalCluster`.
    package struct Extension: Hashable, Sendable {
        /// Of ASCII letters, and not `auth`.
        package let name: String
        /// Printable ASCII and blanks.
        package let value: String
    }

    /// A secret, and where it is had from.
    package enum Password: Hashable, Sendable {
        case text(String)
        /// The bytes of the file without the newline at its end.
        case file(ConfiguredFile)
    }

    /// A file that a setting names, and where that setting stands.
    package struct ConfiguredFile: Hashable, Sendable {
        /// Absolute.
        package let path: String
        /// The full dotted path of the setting.
        package let key: String
        /// The place of the path in the configuration. It makes no difference to what is set.
        package let mark: Mark

        package static func == (a: Self, b: Self) -> Bool { a.path == b.path && a.key == b.key }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(path)
            hasher.combine(key)
        }
    }
}

extension Settings.SASL.Mechanism {
    /// As Kafka spells it.
    package var name: String {
        switch self {
        case .plain: "PLAIN"
        case .scram256: "SCRAM-SHA-256"
        case .scram512: "SCRAM-SHA-512"
        case .oauthBearer: "OAUTHBEARER"
        case .gssapi: "GSSAPI"
        }
    }

    /// Who is to be let in, and what proves it; nil where neither is a setting.
    package var credentials: (user: String, password: Settings.Password)? {
        switch self {
        case .plain(let user, let password), .scram256(let user, let password),
            .scram512(let user, let password):
            (user, password)
        case .oauthBearer, .gssapi: nil
        }
    }
}

extension Settings.Kafka {
    /// Every file that the output's settings name and that has to be there at the start. That with
    /// a token may come later, for it comes and goes.
    package var files: [Settings.ConfiguredFile] {
        var files = [tls?.authorities, tls?.certificate, tls?.key].compactMap(\.self)
        if case .file(let file) = sasl?.mechanism.credentials?.password { files.append(file) }
        return files
    }
}
