import Kafka
import Settings

extension KafkaSettings {
    /// The producer's settings, and with `brokers: embedded` the broker that they name: the `known`
    /// one, if there is one.
    static func from(
        _ settings: Settings, broker known: EmbeddedBroker? = nil
    ) throws(KafkaError) -> (KafkaSettings, EmbeddedBroker?) {
        var addresses: [String]
        var broker: EmbeddedBroker?
        switch settings.output.kafka.brokers {
        case .embedded:
            let embedded: EmbeddedBroker
            if let known { embedded = known } else { embedded = try EmbeddedBroker() }
            broker = embedded
            addresses = embedded.addresses
        case .addresses(let list):
            addresses = list
        }
        return (plain(settings, addresses), broker)
    }

    /// The same without starting anything; nobody listens where the embedded broker would.
    static func plain(_ settings: Settings, _ addresses: [String]) -> KafkaSettings {
        let kafka = settings.output.kafka
        let compression: Compression =
            switch kafka.compression {
            case .none: .none
            case .gzip: .gzip
            case .snappy: .snappy
            case .lz4: .lz4
            case .zstd: .zstd
            }
        let partitioner: Partitioner =
            switch kafka.partitioner {
            case .murmur2Random: .murmur2Random
            case .consistentRandom: .consistentRandom
            case .filebeat: .filebeat
            case .node: .node(settings.node, partitions: kafka.partitionsPerNode)
            }
        return KafkaSettings(
            brokers: addresses, compression: compression, partitioner: partitioner,
            linger: settings.linger,
            clientID: kafka.clientID.render { $0 == "node" ? settings.node : "{\($0)}" },
            tls: kafka.tls.map(TLS.init), sasl: kafka.sasl.map(SASL.init),
            properties: kafka.librdkafka.map { Property($0.name, $0.value) })
    }
}

extension KafkaSettings.TLS {
    fileprivate init(_ tls: Settings.TLS) {
        let verification: KafkaSettings.Verification =
            switch tls.verify {
            case .full: .full
            case .certificate: .certificate
            case .none: .none
            }
        self.init(
            authorities: tls.authorities?.path, certificate: tls.certificate?.path,
            key: tls.key?.path, passphrase: tls.passphrase, verification: verification)
    }
}

extension KafkaSettings.SASL {
    fileprivate init(_ sasl: Settings.SASL) {
        let credentials = sasl.mechanism.credentials.map { user, password in
            let secret: KafkaSettings.Password =
                switch password {
                case .text(let text): .text(text)
                case .file(let file): .file(file.path)
                }
            return KafkaSettings.Credentials(user: user, password: secret)
        }
        var token: KafkaSettings.TokenSource?
        if case .oauthBearer(let file, let extensions) = sasl.mechanism {
            token = KafkaSettings.TokenSource(
                path: file.path,
                extensions: extensions.map { KafkaSettings.Property($0.name, $0.value) })
        }
        self.init(mechanism: sasl.mechanism.name, credentials: credentials, token: token)
    }
}
