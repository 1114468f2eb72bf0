import Shipper
import TestSupport
import Testing

/// What `make install` puts in place, and the unit that systemd starts the agent by.
@Suite struct InstallTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func install(prefix: String) throws {
        let file = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let process = try ChildProcess(
            "\(file)/scripts/install-files", [try findBinary()],
            environment: ["DESTDIR": directory.path, "PREFIX": prefix])
        #expect(try process.wait() == .code(0))
        #expect(process.errors.isEmpty)
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try readFile(directory.path(path)), as: UTF8.self)
    }

    @Test func everythingIsPutInPlaceAndAConfigurationIsLeftAsItIs() throws {
        try install(prefix: "/opt/s")
        let said = try ChildProcess(directory.path("opt/s/bin/shipper"), ["--version"])
        #expect(try said.wait() == .code(0))
        #expect(try text("opt/s/share/man/man1/shipper.1").contains(".TH \"SHIPPER\""))
        for path in [
            "share/bash-completion/completions/shipper", "share/zsh/site-functions/_shipper",
            "share/fish/vendor_completions.d/shipper.fish", "share/shipper/shipper.schema.json",
            "share/doc/shipper/shipper.reference.yaml", "share/doc/shipper/docs/installing.md",
        ] {
            #expect(!(try text("opt/s/\(path)")).isEmpty, "\(path)")
        }
        let unit = try text("opt/s/lib/systemd/system/shipper.service")
        #expect(unit.contains("ExecStart=/opt/s/bin/shipper run "))

        let configuration = "etc/shipper/shipper.yaml"
        let checked = try ChildProcess(
            try findBinary(), ["check", "--config", directory.path(configuration)])
        #expect(try checked.wait() == .code(0), "\(checked.errors)")
        try directory.write(configuration, "mine\n")
        try install(prefix: "/opt/s")
        #expect(try text(configuration) == "mine\n")
    }

    /// The two places that say what the agent may do say the same.
    @Test func theUnitGivesWhatTheManifestGives() throws {
        let unit = try repositoryFile("deploy/systemd/shipper.service").split(separator: "\n")
        let manifest = try repositoryFile("deploy/kubernetes/daemonset.yaml")
        #expect(manifest.contains("add: [DAC_READ_SEARCH, LEASE]"))
        #expect(unit.contains("CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_LEASE"))
        #expect(unit.contains("NoNewPrivileges=yes"))
        #expect(unit.contains("ProtectSystem=strict"))
        #expect(unit.contains("ReadWritePaths=/var/lib/shipper"))
        // Nothing that a start again would not mend is started again.
        let codes = [ExitCode.wrongUsage, .badConfiguration].map { "\($0.rawValue)" }
        #expect(unit.contains("RestartPreventExitStatus=\(codes.joined(separator: " "))"))
    }
}
