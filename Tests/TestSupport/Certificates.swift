/// Certificates of an authority made for one test, as files in PEM.
package struct Certificates: Sendable {
    /// An own certificate and its key.
    package struct Pair: Sendable {
        package let certificate: String
        package let key: String
    }

    private let directory: TemporaryDirectory
    private let openssl: String

    package init() throws {
        directory = try TemporaryDirectory()
        openssl = try findProgram("openssl", package: "openssl")
        for name in ["ca", "other-ca"] {
            try run(
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=\(name)", "-keyout", directory.path("\(name).key"), "-out",
                directory.path("\(name).pem"))
        }
    }

    /// The authority that signs every pair.
    package var authority: String { directory.path("ca.pem") }
    /// One that signs nothing.
    package var otherAuthority: String { directory.path("other-ca.pem") }

    /// A certificate for these hosts, as openssl names them: `IP:127.0.0.1`. Below 0 days it has
    /// expired.
    package func pair(
        _ name: String, hosts: String = "IP:127.0.0.1,DNS:localhost", days: Int = 2,
        passphrase: String? = nil
    ) throws -> Pair {
        let key = directory.path("\(name).key")
        let certificate = directory.path("\(name).pem")
        let request = directory.path("\(name).csr")
        let lock = passphrase.map { ["-passout", "pass:\($0)"] } ?? ["-nodes"]
        try run(
            ["req", "-newkey", "rsa:2048", "-subj", "/CN=\(name)", "-keyout", key, "-out", request]
                + lock)
        let hosts = try directory.write("\(name).hosts", "subjectAltName=\(hosts)\n")
        try run(
            "x509", "-req", "-days", "\(days)", "-in", request, "-CA", authority, "-CAkey",
            directory.path("ca.key"), "-CAcreateserial", "-out", certificate, "-extfile", hosts)
        return Pair(certificate: certificate, key: key)
    }

    /// A file of other content beside them; written anew if it is there.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        try directory.write(name, text)
    }

    /// One file with key and certificate, as Java's PEM stores want it.
    func store(_ pair: Pair) throws -> String {
        let name = pair.certificate.split(separator: "/").last ?? "pair"
        return try directory.write(
            "\(name).store", readFile(pair.key) + readFile(pair.certificate))
    }

    /// A TLS server of openssl's that shows this certificate and speaks nothing else.
    package func server(showing pair: Pair) throws -> TLSServer {
        try TLSServer(openssl: openssl, pair)
    }

    private func run(_ arguments: String...) throws { try run(arguments) }

    private func run(_ arguments: [String]) throws {
        let process = try ChildProcess(openssl, arguments)
        let exit = try process.wait()
        guard exit == .code(0) else {
            throw TimedOut(description: "openssl \(arguments[0]): \(exit), \(process.errors)")
        }
    }
}

/// Something at the other end of a connection that has a certificate; it ends with the last
/// reference.
package final class TLSServer: Sendable {
    private let port: ReservedPort
    private let process: ChildProcess

    init(openssl: String, _ pair: Certificates.Pair) throws {
        let port = try ReservedPort()
        let process = try ChildProcess(
            openssl,
            [
                "s_server", "-accept", "127.0.0.1:\(port.number)", "-cert", pair.certificate,
                "-key", pair.key,
            ], input: .pipe)
        self.port = port
        self.process = process
        try eventually("openssl listens; \(process.errors)") {
            if let exit = try process.exit {
                throw TimedOut(description: "openssl s_server: \(exit), \(process.errors)")
            }
            return process.output.contains("ACCEPT")
        }
    }

    deinit { process.end() }

    package var address: String { "127.0.0.1:\(port.number)" }
}
