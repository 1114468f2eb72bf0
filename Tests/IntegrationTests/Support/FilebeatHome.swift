import FoundationEssentials
import Platform
import TestSupport

/// A data directory of Filebeat beneath an agent's home.
struct FilebeatHome {
    let agent: Agent
    /// What `import filebeat` is given.
    var path: String { agent.home.path("filebeat") }

    /// A file beneath Tests/Fixtures/filebeat-registry.
    static func fixture(_ path: String) throws -> [UInt8] {
        let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try readFile("/\(tests)/Fixtures/filebeat-registry/\(path)")
    }

    private struct Known: Decodable {
        let path: String
        let inode: UInt64
        let device: UInt64
    }

    /// What a real Filebeat wrote for `name`, as it is but that it speaks of the files of these names that
    /// the agent's logs have now. `log` may cut log.json.
    func capture(_ name: String, log: ([UInt8]) -> [UInt8] = { $0 }) throws {
        // The data directory's own, which is about something else.
        try agent.home.write("filebeat/meta.json", #"{"uuid":"9d968cdb","first_start":"2026"}"#)
        let files = try JSONDecoder().decode(
            [Known].self, from: Data(Self.fixture("\(name)/files.json")))
        for file in ["meta.json", "log.json", "66565.json"] {
            guard file != "66565.json" || name == "big" else { continue }
            let content = try Self.fixture("\(name)/registry/filebeat/\(file)")
            var text = String(decoding: file == "log.json" ? log(content) : content, as: UTF8.self)
            for known in files {
                text.replace("\(known.inode)", with: "<\(known.path)>")
                text.replace("-\(known.device)\"", with: "-<device>\"")
                text.replace("\"device\":\(known.device)", with: "\"device\":<device>")
            }
            var names: [String: FileStatus] = [:]
            for known in files {
                let local = String(known.path.split(separator: "/").last ?? "")
                names[known.path] = try FileStatus.glance(at: Array(agent.log(local).utf8))
            }
            for (path, status) in names {
                text.replace("<\(path)>", with: "\(status.inode)")
                text.replace("<device>", with: "\(status.device)")
            }
            for mark in ["\"", "::"] {
                text.replace("\(mark)/input/", with: "\(mark)\(agent.log(""))")
            }
            try agent.home.write("filebeat/registry/filebeat/\(file)", text)
        }
    }

    /// A registry of these rows, in which keys and values are written out.
    func write(_ rows: [(key: String, value: String)]) throws {
        try agent.home.write("filebeat/registry/filebeat/meta.json", #"{"version":"1"}"#)
        var log = ""
        for (number, row) in rows.enumerated() {
            log += #"{"op":"set","id":\#(number + 1)}"# + "\n"
            log += #"{"k":"\#(row.key)","v":\#(row.value)}"# + "\n"
        }
        try agent.home.write("filebeat/registry/filebeat/log.json", log)
    }

    /// A row of filestream's.
    func stream(
        _ identity: String, _ value: String, _ source: String, _ offset: Int,
        updated: Int = 1_795_414_186
    ) -> (key: String, value: String) {
        (
            "filestream::app::\(identity)::\(value)",
            #"{"ttl":1800000000000,"updated":[970841305,\#(updated)],"#
                + #""cursor":{"offset":\#(offset)},"#
                + #""meta":{"source":"\#(source)","identifier_name":"\#(identity)"}}"#
        )
    }

    /// A row of the native identity of a file beneath the agent's logs.
    func native(_ name: String, _ offset: Int, source: String? = nil) throws -> (
        key: String, value: String
    ) {
        let status = try FileStatus.glance(at: Array(agent.log(name).utf8))
        return stream(
            "native", "\(status.inode)-\(status.device)", source ?? agent.log(name), offset)
    }

    struct Result {
        let exit: ChildProcess.Exit
        let output: String
        let errors: String

        /// The line of the table about a file.
        func line(_ name: String) -> String {
            output.split(separator: "\n").first { $0.contains("\(name) ") }.map(String.init) ?? ""
        }
    }

    func takeOver(_ options: [String] = [], directory: String? = nil) throws -> Result {
        let process = try ChildProcess(
            try findBinary(),
            ["registry", "import", "filebeat", directory ?? path, "--config", agent.config]
                + options)
        let exit = try process.wait()
        return Result(exit: exit, output: process.output, errors: process.errors)
    }
}
