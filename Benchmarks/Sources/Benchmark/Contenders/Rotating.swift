import Machine

extension Contender {
    /// Those who rotate the log of a fast writer, each with an agent that reads it.
    static let rotating = Rotator.all.map { rotator in
        Key(name: rotator.key, modes: rotator.isFaulty ? [] : [.rotation]) {
            path throws(MachineError) in
            try rotating(rotator, path)
        }
    }

    /// A method that the agent refuses is absent, with what it says of it.
    private static func rotating(
        _ rotator: Rotator, _ path: String?
    ) throws(MachineError) -> Finding {
        let found = try shipper("json", path)
        guard case .present(var contender) = found else {
            guard case .absent(_, let reason) = found else { return found }
            return .absent(name: rotator.name, reason: reason)
        }
        contender.name = rotator.name
        contender.rotator = rotator
        switch rotator {
        case .agent:
            if let refusal = try refusal(of: rotator, contender) {
                return .absent(name: rotator.name, reason: refusal)
            }
        case .logrotate:
            guard let program = findProgram("logrotate") else {
                return .absent(name: rotator.name, reason: "no logrotate on PATH: apt install it")
            }
            let version = try output(of: [program, "--version"]).first ?? "unknown"
            contender.version = "\(version), beside \(contender.version)"
        case .nobody, .dropsALine, .repeatsALine: break
        }
        return .present(contender)
    }

    /// What the agent has against a configuration with this method; nil: nothing.
    private static func refusal(
        of rotator: Rotator, _ contender: Contender
    ) throws(MachineError) -> String? {
        let directory = try Scene.directory() + "/refusal"
        try makeDirectory(directory)
        let command = try contender.prepare(
            Task(
                directory: directory, files: directory + "/app.log", corpus: nil, topic: "logs",
                broker: "127.0.0.1:9", kind: .mock, once: false,
                inputKeys: rotator.inputKeys(size: 1 << 20, keep: 1)))
        let said = directory + "/output"
        let check = [command[0], "check"] + command.dropFirst(2)
        let process = try ChildProcess(check, output: .discard, errors: .file(said))
        guard let end = try process.wait(milliseconds: 30_000) else {
            throw MachineError("\(check.joined(separator: " ")) does not end")
        }
        // The place in the file, its line and what points to it are left out.
        let words = try readText(said).split(separator: "\n").first { $0.contains("rotation") }
        try remove(directory)
        return end.fault.map { "refused, \($0): \(words ?? "it says nothing")" }
    }
}
