import Glibc
import Platform
import Settings
import TestSupport
import Testing

@Suite struct SettingsFileTests {
    private func message(_ path: String) -> String? {
        do throws(SettingsError) {
            _ = try Settings.load(path: path, environment: [:])
            return nil
        } catch {
            return error.description
        }
    }

    @Test func aFileIsReadAndNamedInErrors() throws {
        let directory = try TemporaryDirectory()
        let good = try directory.write("good.yaml", settingsText())
        #expect(try Settings.load(path: good, environment: [:]).file == good)
        let bad = try directory.write("bad.yaml", settingsText(rest: "colour: red"))
        #expect(
            message(bad)?.hasPrefix("\(bad):9:1: colour: unknown key; expected any of ") == true)
    }

    @Test func whatIsNoReadableFileIsNamedWithItsReason() throws {
        let directory = try TemporaryDirectory()
        let advice = "name the configuration with --config FILE"
        let missing = directory.path("missing.yaml")
        #expect(message(missing) == "\(missing): No such file or directory; \(advice)")
        #expect(message(directory.path) == "\(directory.path): Is a directory; \(advice)")
        #expect(message("/dev/null") == "/dev/null: not a regular file; \(advice)")
        let file = try directory.write("file", "a: 1")
        #expect(message("\(file)/x") == "\(file)/x: Not a directory; \(advice)")
        let empty = try directory.write("empty.yaml", "")
        #expect(
            message(empty)
                == "\(empty):1:1: the file holds no settings; expected inputs and output at least")
        let large = try directory.write(
            "large.yaml", [UInt8](repeating: 0x23, count: 4 * 1024 * 1024 + 1))
        #expect(message(large) == "\(large):1:1: more than 4194304 bytes; expected at most that")
    }

    @Test func aFileThatMayNotBeReadIsNamedWithItsReason() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("closed.yaml")
        _ = try Descriptor.open(path, O_CREAT | O_WRONLY, mode: 0)
        // Root may read everything unless its capabilities are taken away.
        var arguments = [try findBinary(), "check", "--config", path]
        if geteuid() == 0 {
            arguments =
                [
                    try findProgram("setpriv", package: "util-linux"), "--inh-caps=-all",
                    "--bounding-set=-all",
                ] + arguments
        }
        let process = try ChildProcess(arguments[0], Array(arguments.dropFirst()))
        #expect(try process.wait() == .code(1))
        #expect(
            process.errors
                == "\(path): Permission denied; whoever runs shipper has to be allowed to read it\n"
        )
        #expect(process.output.isEmpty)
    }

    @Test func theDataDirectoryIsFoundWhateverElseIsWrong() throws {
        let directory = try TemporaryDirectory()
        func data(_ text: String) throws -> String {
            let path = try directory.write("f.yaml", text)
            return try Settings.dataDirectory(path: path, environment: ["D": "/e"])
        }
        #expect(try data("data: /d\nnode: ${NOT_SET}\ncolour: red\n") == "/d")
        #expect(try data("data: ${D}/x\n") == "/e/x")
        #expect(try data("node: n\n") == "/var/lib/shipper")
        #expect(try data("") == "/var/lib/shipper")
        #expect(
            try Settings.dataDirectory(path: directory.path("none"), environment: [:])
                == "/var/lib/shipper")
        #expect {
            try data("data: relative\n")
        } throws: {
            "\($0)" == directory.path("f.yaml")
                + ":1:7: data: \"relative\" is relative; expected the absolute path of a "
                + "directory, as in /var/lib/shipper"
        }
        #expect(throws: SettingsError.self) { try data("data: [\n") }
    }
}
