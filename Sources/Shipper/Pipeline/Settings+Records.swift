import Encoding
import Kafka
import Model
import Settings

/// How long a record may be, and whether a line fits into one.
extension Settings {
    /// Bytes of one record's value at the most: it has to fit into a message, and four of them into
    /// the credit.
    var longestRecord: Int {
        max(1, min(longestValue(message: longestMessage), limits.inFlight / 4))
    }

    private var longestMessage: Int { KafkaSettings.plain(self, []).longestMessage }

    /// A record's headers and its key count too.
    private func longestValue(message: Int) -> Int { message - message / 16 - 1024 }

    /// Refuses settings with which no line of an input could be sent, whatever its file is called.
    /// That a line of one file with a long name cannot is found out when that is read.
    func validateRecords() throws(SettingsError) {
        var faults: [SettingsFault] = []
        let longest = longestRecord
        let nothing: [UInt8] = []
        for input in inputs {
            let plan = InputPlan(input, output.kafka)
            let template = plan.template(
                path: "/", captures: [:], device: 0, inode: 0, generation: GenerationID(value: 0),
                node: node,
                agent: AgentIdentity(version: Version.text, id: "", ephemeralID: ""))
            do throws(EncodingError) {
                _ = try plan.encoder(
                    template, path: "/", isS6: false,
                    container: plan.container(isS6: false, head: nothing.span),
                    longestRecord: longest,
                    headers: plan.headers(path: "/", captures: [:]))
            } catch {
                faults.append(fault(error, input))
            }
        }
        guard faults.isEmpty else { throw SettingsError(file: file, faults: faults) }
    }

    private func fault(_ error: EncodingError, _ input: Input) -> SettingsFault {
        let needed = error.envelope + RecordEncoder.leastPart
        let problem =
            "no line of input \(input.name) can be sent: a record takes \(error.envelope) bytes"
            + " beside its line, and \(error.longestRecord) is all that it may have; expected at least "
        if limits.inFlight / 4 < needed {
            return SettingsFault(
                mark: nil, key: "limits.in_flight",
                problem: problem + Quantity.text(bytes: 4 * needed))
        }
        var message = needed + 1024
        while longestValue(message: message) < needed { message += 1 }
        let name = "message.max.bytes"
        return SettingsFault(
            mark: output.kafka.librdkafka.last { $0.name == name }?.mark,
            key: "output.kafka.librdkafka.\(name)", problem: problem + "\(message)")
    }
}
