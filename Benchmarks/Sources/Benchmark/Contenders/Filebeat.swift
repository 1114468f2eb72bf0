import Machine

extension Contender {
    /// A filestream input with Filebeat's defaults, lz4 and the acknowledgement of all replicas.
    /// `keys` are those of the input that the job takes.
    static func filebeat(
        _ job: Job = .plain, _ keys: [String] = []
    ) throws(MachineError) -> Finding {
        let name = keys.isEmpty ? "filebeat" : "filebeat \(job.name)"
        guard let program = findProgram("filebeat") else {
            return .absent(name: name, reason: "no filebeat on PATH")
        }
        let words = (try output(of: [program, "version"]).first ?? "").split(separator: " ")
        let version = words.count > 2 ? "filebeat \(words[2])" : "unknown"
        return .present(
            Contender(
                name: name, program: program, version: version, endsByItself: false,
                follows: true, form: job.form
            ) {
                task throws(MachineError) in
                let path = task.directory + "/filebeat.yml"
                // The mock does not speak what newer brokers do, and Kafka 4 not what older ones did.
                let protocolVersion = task.kind == .mock ? "0.11.0.0" : "2.0.0"
                try writeText(
                    """
                    filebeat.inputs:
                      - type: filestream
                        id: benchmark
                        paths: [\(JSON.text(task.files).text())]
                    \(keys.map { "    \($0)" }.joined(separator: "\n"))
                    output.kafka:
                      hosts: \(task.brokerList)
                      topic: \(task.topic)
                      version: \(protocolVersion)
                      compression: lz4
                      required_acks: -1

                    """, to: path)
                return [program, "-e", "-c", path, "--path.home", task.directory]
            })
    }
}
