import Machine

extension Contender {
    /// librdkafka's own command: each line a record, and nothing else done.
    static func kcat() throws(MachineError) -> Finding {
        guard let program = findProgram("kcat") else {
            return .absent(name: "kcat", reason: "apt-get install kcat")
        }
        let version = try kcatVersion(program)
        return .present(
            Contender(
                name: "kcat", program: program, version: version, endsByItself: true, follows: false
            ) {
                kcatCommand(program, $0, $0.files)
            })
    }

    /// A kcat that is given one line too few, or one twice: a harness that takes its runs for good
    /// counts nothing.
    static func faulty(_ name: String, without: Bool) throws(MachineError) -> Finding {
        guard let program = findProgram("kcat") else {
            return .absent(name: name, reason: "apt-get install kcat")
        }
        let version = try kcatVersion(program)
        return .present(
            Contender(
                name: name, program: program, version: version, endsByItself: true, follows: false
            ) {
                task throws(MachineError) in
                let path = task.directory + "/faulty.log"
                if let corpus = task.corpus {
                    let victim = corpus.lines / 2
                    _ = try Corpus.write(
                        to: path, bytes: corpus.bytes, seed: corpus.seed,
                        without: without ? victim : nil, twice: without ? nil : victim)
                }
                return kcatCommand(program, task, path)
            })
    }

    private static func kcatCommand(_ program: String, _ task: Task, _ file: String) -> [String] {
        [
            program, "-P", "-b", task.broker, "-t", task.topic, "-z", "lz4", "-X", "acks=all", "-l",
            file,
        ]
    }

    private static func kcatVersion(_ program: String) throws(MachineError) -> String {
        let line = try output(of: [program, "-V"]).first { $0.hasPrefix("Version ") }
        let words = (line ?? "").split(whereSeparator: { " ,()".contains($0) })
        guard words.count > 1 else { return "unknown" }
        let library = words.firstIndex(of: "librdkafka").map { words[$0 + 1] }
        return "kcat \(words[1])" + (library.map { ", librdkafka \($0)" } ?? "")
    }
}
