import Platform
import TestSupport

extension Agent {
    /// Where the run that is on serves HTTP, as it said.
    func address() throws -> InternetAddress {
        let said = process.errors
        let word =
            said.split(separator: "\n").last { $0.contains(" serving HTTP ") }?
            .split(separator: "=").last.map(String.init) ?? ""
        guard let colon = word.lastIndex(of: ":"), let port = UInt16(word[colon...].dropFirst()),
            let address = InternetAddress(host: String(word[..<colon]), port: port)
        else { throw Unexpected(description: "it serves no HTTP: \(said)") }
        return address
    }
}

/// What `/metrics` said, each series by its name with its labels.
struct Metrics {
    private let values: [String: Double]

    init(_ address: InternetAddress) throws {
        let answer = try httpGet(address, "/metrics")
        guard answer.status == 200,
            answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        else { throw Unexpected(description: "no metrics: \(answer)") }
        var values: [String: Double] = [:]
        for line in answer.body.split(separator: "\n") where !line.hasPrefix("#") {
            guard let blank = line.lastIndex(of: " "),
                let value = Double(line[blank...].dropFirst())
            else { throw Unexpected(description: "no metric: \(line)") }
            values[String(line[..<blank])] = value
        }
        self.values = values
    }

    subscript(_ series: String) -> Double? { values[series] }
}

extension ChildProcess {
    /// As `top -H` shows them.
    func threadNames() throws -> [String] {
        try directoryNames("/proc/\(pid)/task").map { thread in
            String(decoding: try readFile("/proc/\(pid)/task/\(thread)/comm"), as: UTF8.self)
                .filter { $0 != "\n" }
        }
    }

    func descriptorCount() throws -> Int { try directoryNames("/proc/\(pid)/fd").count }
}
