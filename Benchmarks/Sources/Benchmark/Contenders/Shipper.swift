import Machine

extension Contender {
    /// The agent with its defaults, but without HTTP: another one may run on this machine.
    static func shipper(
        _ codec: String, partitioner: String? = nil, job: Job? = nil, _ path: String?
    ) throws(MachineError) -> Finding {
        let name = "shipper \(job?.name ?? partitioner ?? codec)"
        guard let program = path ?? findProgram("shipper") else {
            return .absent(name: name, reason: "no shipper on PATH and none given by --shipper")
        }
        guard isProgram(program) else {
            return .absent(name: name, reason: "\(program) is not there: make release")
        }
        let version = try output(of: [program, "--version"]).first ?? "unknown"
        return .present(
            Contender(
                name: name, program: program, version: version, endsByItself: true, follows: true,
                form: job?.form ?? .plain
            ) {
                task throws(MachineError) in
                let path = task.directory + "/shipper.yaml"
                try writeText(
                    """
                    data: \(JSON.text(task.directory + "/data").text())
                    inputs:
                      - name: benchmark
                        paths: [\(JSON.text(task.files).text())]
                    \(((job?.shipper ?? []) + task.inputKeys).map { "    \($0)" }.joined(separator: "\n"))
                    output:
                      kafka:
                        brokers: \(task.brokerList)
                        topic: \(task.topic)
                        codec: \(codec)
                        compression: lz4
                    \(partitioner.map { "    partitioner: \($0)" } ?? "")
                    http: {listen: none}

                    """, to: path)
                return [program, "run", "--config", path] + (task.once ? ["--once"] : [])
            })
    }
}
