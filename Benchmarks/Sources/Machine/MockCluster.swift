/// The process that serves the mock cluster; it ends when this object goes. One thread.
package final class MockCluster {
    /// host:port of each broker, with commas.
    package let address: String
    private let process: ChildProcess
    /// Where its answers are.
    private let path: String
    private var answers = 1

    private static let patience = 30.0

    /// Starts this program again, as the brokers, with its output in the directory.
    package init(brokers: Int, directory: String) throws(MachineError) {
        path = directory + "/broker"
        process = try ChildProcess(
            [try ownProgram(), "broker", "\(brokers)"], output: .file(path), errors: .file(path),
            feeding: true)
        address = try Self.line(0, path, process)
    }

    package func makeTopic(_ name: String, partitions: Int) throws(MachineError) {
        let answer = try ask("topic \(name) \(partitions)")
        guard answer == "ok" else { throw MachineError("mock broker: topic \(name): \(answer)") }
    }

    /// How many requests with records it got so far, of everybody; nil: it cannot tell.
    package func produceRequests() throws(MachineError) -> Int? {
        let answer = try ask("requests")
        let words = answer.split(separator: " ")
        guard words.first == "ok" else { throw MachineError("mock broker: \(answer)") }
        return words.count > 1 ? Int(words[1]) : nil
    }

    private func ask(_ question: String) throws(MachineError) -> String {
        try process.tell(question)
        defer { answers += 1 }
        return try Self.line(answers, path, process)
    }

    /// The line of its output, once that is complete.
    private static func line(
        _ number: Int, _ path: String, _ process: ChildProcess
    ) throws(MachineError) -> String {
        let end = Instant.now.advanced(bySeconds: patience)
        while Instant.now < end {
            let lines = try readText(path).split(
                separator: "\n", omittingEmptySubsequences: false)
            if lines.count > number + 1 { return String(lines[number]) }
            if try process.wait(milliseconds: 1) != nil { break }
        }
        throw MachineError("the mock broker does not answer: \(try readText(path))")
    }
}
