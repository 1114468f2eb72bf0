import TestSupport
import Testing

@Suite("shipper convert") struct ConvertTests {
    /// The path of a fixture; its text goes by the name that it has there.
    private static func path(_ name: String) -> String {
        "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
            + "/Fixtures/filebeat/\(name).yml"
    }

    private func run(_ arguments: [String]) throws -> ChildProcess {
        let process = try ChildProcess(findBinary(), arguments)
        _ = try process.wait()
        return process
    }

    @Test("U1: A whole filebeat.yml given to check or run is named as one, with the command to use")
    func named() throws {
        for name in ["stock", "s6", "eck-daemonset", "logstash", "complete"] {
            let file = Self.path(name)
            for (command, code) in [("check", Int32(1)), ("run", 78)] {
                let process = try run([command, "--config", file])
                #expect(try process.wait() == .code(code))
                #expect(process.output.isEmpty)
                #expect(
                    process.errors.contains("this is a filebeat.yml; `shipper convert \(file)`"),
                    "\(process.errors)")
                #expect(process.errors.split(separator: "\n").count == 1)
            }
        }
    }

    @Test("What it prints, check takes; it ends with 0 where nothing is left to do, else with 1")
    func converted() throws {
        let directory = try TemporaryDirectory()
        for (name, code) in [("complete", Int32(0)), ("s6", 1)] {
            let file = Self.path(name)
            let process = try run(["convert", file])
            #expect(try process.wait() == .code(code))
            #expect(process.errors.contains("\(name).yml:13: to do: ") == (code == 1))
            #expect(process.errors.isEmpty == (code == 0))
            let config = try directory.write("\(name).yaml", process.output)
            let check = try run(["check", "--config", config])
            #expect(try check.wait() == .code(0), "\(check.errors)")
        }
        let own = try directory.write("own.yaml", "inputs: []\n")
        let refused = try run(["convert", own])
        #expect(try refused.wait() == .code(78) && refused.output.isEmpty)
        #expect(refused.errors.contains("no configuration of Filebeat's"))
        let missing = try run(["convert", directory.path("not-there")])
        #expect(try missing.wait() == .code(78))
    }
}
