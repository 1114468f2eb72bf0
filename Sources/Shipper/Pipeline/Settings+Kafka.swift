import Glibc
import Kafka
import Platform
import Settings

extension Settings {
    /// Reads a configuration and checks all of it that can be known without starting anything.
    static func validated(path: String) throws(SettingsError) -> Settings {
        let settings = try load(path: path, environment: ProcessContext.environment())
        try settings.validateKafka()
        try settings.validateRecords()
        return settings
    }

    /// Settings that may fail with some brokers, in words for an operator.
    var kafkaDoubts: [String] { plainKafka.doubts + topicDoubts }

    /// What is wrong with the client library itself, in words for an operator.
    static var libraryFaults: [String] { KafkaSettings.libraryFaults }

    /// What the brokers tell of themselves and of these topics.
    func look(at topics: [String]) -> [ClusterLook.Finding] {
        guard case .addresses = output.kafka.brokers else {
            return [
                ClusterLook.Finding(text: "broker embedded: is made at the start", isFault: false)
            ]
        }
        do throws(KafkaError) {
            return try ClusterLook.at(plainKafka, topics: topics)
        } catch {
            return [ClusterLook.Finding(text: error.description, isFault: true)]
        }
    }

    private var plainKafka: KafkaSettings {
        let addresses: [String] =
            switch output.kafka.brokers {
            case .embedded: ["127.0.0.1:1"]
            case .addresses(let list): list
            }
        return KafkaSettings.plain(self, addresses)
    }

    /// Checks the files that the output names, and what only librdkafka can: its own properties.
    /// Each fault has the place of the setting that it is about, where it is about one.
    private func validateKafka() throws(SettingsError) {
        var faults = output.kafka.files.compactMap(Self.fault)
        if faults.isEmpty { faults = plainKafka.faults().map(fault) }
        if !faults.isEmpty { throw SettingsError(file: file, faults: faults) }
    }

    /// Nil for a file that can be opened; what is in it the client tells.
    private static func fault(_ file: ConfiguredFile) -> SettingsFault? {
        do throws(SystemError) {
            // Not blocking: a FIFO without a writer would keep us here for ever.
            let status = try Descriptor.open(file.path, O_RDONLY | O_NONBLOCK).status()
            // OpenSSL takes a directory of authorities, too, and whoever else reads one is told.
            if status.isRegular || status.isDirectory { return nil }
            throw SystemError("open", path: file.path, code: .invalid)
        } catch {
            return SettingsFault(mark: file.mark, key: file.key, problem: "\(error)")
        }
    }

    private func fault(_ error: KafkaError) -> SettingsFault {
        let kafka = output.kafka
        if let option = kafka.librdkafka.first(where: { $0.name == error.property }) {
            return SettingsFault(
                mark: option.mark, key: "output.kafka.librdkafka", problem: "\(error)")
        }
        let file: ConfiguredFile? =
            switch error.property {
            case "ssl.ca.location": kafka.tls?.authorities
            case "ssl.certificate.location": kafka.tls?.certificate
            case "ssl.key.location": kafka.tls?.key
            case "sasl.password": kafka.files.first { $0.key.hasSuffix(".password_file") }
            default: nil
            }
        guard let file else {
            return SettingsFault(mark: nil, key: "output.kafka", problem: "\(error)")
        }
        return SettingsFault(mark: file.mark, key: file.key, problem: error.reason)
    }
}
