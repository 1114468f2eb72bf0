/// The Prometheus text format, version 0.0.4.
struct MetricText {
    /// As the header Content-Type names it.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String, Hashable, Sendable {
        case counter, gauge, summary
    }

    /// One series at one moment.
    struct Sample: Hashable, Sendable {
        /// Behind the metric's name: `_sum` and `_count` of a summary.
        var suffix = ""
        var labels: [Label] = []
        let value: Value
    }

    struct Label: Hashable, Sendable {
        let name: String
        let value: String
    }

    enum Value: Hashable, Sendable, CustomStringConvertible {
        case integer(Int)
        case seconds(nanoseconds: Int64)

        var description: String {
            switch self {
            case .integer(let number): "\(number)"
            case .seconds(let nanoseconds): "\(Double(nanoseconds) / 1_000_000_000)"
            }
        }
    }

    private(set) var text = ""

    /// All of one metric at once, as the format demands. One without samples is left out.
    mutating func add(_ name: String, _ kind: Kind, help: String, _ samples: [Sample]) {
        if samples.isEmpty { return }
        text += "# HELP \(name) \(Self.escaped(help, quote: false))\n"
        text += "# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            text += name + sample.suffix
            if !sample.labels.isEmpty {
                let labels = sample.labels.map {
                    "\($0.name)=\"\(Self.escaped($0.value, quote: true))\""
                }
                text += "{\(labels.joined(separator: ","))}"
            }
            text += " \(sample.value)\n"
        }
    }

    /// A backslash and a line feed everywhere, a quote in a label's value; all else stands for
    /// itself.
    private static func escaped(_ text: String, quote: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quote: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
