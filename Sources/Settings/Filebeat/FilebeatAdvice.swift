/// What to do about keys of Filebeat's that have no equal: what happens here by itself, and what
/// somebody has to see to.
enum FilebeatAdvice {
    /// Advice, and whether something is left to do.
    typealias Advice = (text: String, needsHand: Bool)

    fileprivate static let helper: Advice = (
        "no setting of Filebeat's; left out, and what refers to it has its own copy", false
    )

    fileprivate static let unknown: Advice = (
        "there is no such setting here; docs/migrating-from-filebeat.md tells what corresponds",
        true
    )

    /// Advice by the names of keys.
    struct Table: Sendable {
        fileprivate let advice: [String: Advice]
        /// Names that are told at the least, where there are so many.
        fileprivate var least: [String: Int] = [:]
        /// It is of keys at the top.
        fileprivate var isTop = false

        /// By the longest beginning of the key's names that the table has; and that beginning.
        func find(_ key: String) -> (name: String, advice: Advice) {
            let all = key.split(separator: ".").map(String.init)
            var names = all
            while !names.isEmpty {
                let name = names.map { String($0.prefix { $0 != "[" }) }.joined(separator: ".")
                if let found = advice[name] {
                    let count = max(names.count, least[name] ?? 1)
                    return (all.prefix(count).joined(separator: "."), found)
                }
                names.removeLast()
            }
            // A map that is none of Filebeat's is there for anchors.
            if isTop, all.count > 1 { return (all[0], FilebeatAdvice.helper) }
            return (key, FilebeatAdvice.unknown)
        }
    }

    /// Of a processor.
    static func of(processor name: String) -> String {
        processors[name]
            ?? "processors are not here; do it behind Kafka, in Logstash or an ingest pipeline"
    }

    /// Whether a processor gives events no tags, and no fields that an input's own may be taken
    /// for.
    static func addsNothing(_ name: String) -> Bool {
        [
            "add_host_metadata", "add_cloud_metadata", "add_docker_metadata", "add_locale",
            "add_id",
            "add_kubernetes_metadata", "add_process_metadata", "add_observer_metadata",
            "drop_fields", "include_fields", "truncate_fields", "rate_limit", "timestamp",
            "fingerprint",
        ].contains(name)
    }

    /// Keys of an input, without the input's own name.
    static let ofInput = Table(advice: inputs)
    /// Keys of `output.kafka`.
    static let ofKafka = Table(advice: kafka)
    /// Keys at the top.
    static let ofTop = Table(advice: tops, least: ["output": 2], isTop: true)

    private static let atRest: Advice = (
        "nothing to do: a file at rest costs next to nothing", false
    )
    private static let byItself: Advice = (
        "nothing to do: a file without a name is read to its end, and limits.held_bytes "
            + "bounds the space",
        false
    )
    private static let forgotten: Advice = (
        "nothing to do: what is known of a file leaves with the file", false
    )
    private static let looks: Advice = (
        "nothing to do: new files and lines are seen at once; latency says how long a line "
            + "may wait",
        false
    )
    private static let descriptors: Advice = (
        "nothing to do: limits.open_files bounds descriptors, and every file has its turn", false
    )
    private static let known: Advice = (
        "nothing to do: files are known by inode, handle, birth and first bytes together", false
    )
    private static let elasticsearch: Advice = (
        "of Elasticsearch's output; set it in what reads the topic", true
    )
    private static let old: Advice = (
        "old files are not passed over: with start: end the first start ships nothing that is "
            + "there, and drop: {older_than: 72h} leaves out old lines that have a time", true
    )

    private static let inputs: [String: Advice] = [
        "ignore_older": old, "ignore_inactive": old,
        "close_inactive": atRest, "close": byItself, "close_removed": byItself,
        "close_renamed": byItself, "close_eof": byItself, "close_timeout": byItself,
        "force_close_files": byItself,
        "clean_inactive": forgotten, "clean_removed": forgotten,
        "scan_frequency": looks, "backoff": looks, "max_backoff": looks, "backoff_factor": looks,
        "prospector.scanner.check_interval": looks, "prospector.scanner.resend_on_touch": looks,
        "harvester_limit": descriptors, "harvester_buffer_size": descriptors,
        "buffer_size": descriptors, "spool_size": descriptors,
        "scan": ("nothing to do: files of one log are read oldest first, others have turns", false),
        "recursive_glob": ("nothing to do: ** stands for any directories", false),
        "prospector.scanner.recursive_glob": (
            "nothing to do: ** stands for any directories", false
        ),
        "file_identity": known, "prospector.scanner.fingerprint": known,
        "take_over": (
            "nothing to do: shipper registry import filebeat takes over positions", false
        ),
        "rotation": ("nothing to do: rotations of all kinds are seen", false),
        "line_terminator": ("a line ends with a newline here", true),
        "keep_null": ("nothing to do: nulls of JSON stay", false),
        "index": elasticsearch, "pipeline": elasticsearch,
        "publisher_pipeline": ("host.name is always there; set node", true),
        "allow_deprecated_use": ("nothing to do", false),
        "document_type": ("a key of Filebeat 5; write a field instead", true),
        "combine_partial": ("nothing to do: pieces of a line are joined", false),
    ]

    private static let processors: [String: String] = [
        "add_host_metadata": "documents have host.name, from node, and nothing else of the host",
        "add_cloud_metadata":
            "nothing of the cloud is asked for; write fields, as in fields: {region: eu-1}",
        "add_docker_metadata":
            "captures in paths give container.id; names and labels are not there",
        "add_locale": "write the zone as a field, if somebody needs it",
        "add_id": "each document has an id of its place in the file",
        "fingerprint": "each document has an id of its place in the file",
        "drop_fields":
            "envelope: minimal leaves out what Filebeat writes beside the message; drop "
            + "others behind Kafka",
        "include_fields": "envelope: minimal leaves out what Filebeat writes beside the message",
        "truncate_fields": "max_line bounds a line, and what is longer comes in parts",
        "rate_limit": "nothing is dropped for its rate; brokers' quotas slow an agent down",
        "syslog": "read syslog's fields behind Kafka, in Logstash or an ingest pipeline",
        "script": "no scripts run here; do it behind Kafka",
    ]

    private static let batches: Advice = (
        "nothing to do: lines go out in batches by themselves; latency and "
            + "librdkafka.batch.size rule them",
        false
    )
    private static let retries: Advice = (
        "nothing to do: a record is tried until it is acknowledged", false
    )
    private static let keepsOrder: Advice = (
        "nothing to do: a stream's lines go to one partition, in order", false
    )

    private static let kafka: [String: Advice] = [
        "version": ("nothing to do: brokers are asked", false),
        "bulk_max_size": batches, "bulk_flush_frequency": batches, "flush_interval": batches,
        "channel_buffer_size": batches, "worker": batches, "workers": batches,
        "loadbalance": batches, "queue": batches,
        "max_retries": retries, "backoff": retries, "retry": retries,
        "metadata": ("nothing to do: topics and brokers are asked for as needed", false),
        "timeout": ("nothing to do, or librdkafka: {socket.timeout.ms: …}", false),
        "broker_timeout": ("nothing to do, or librdkafka: {request.timeout.ms: …}", false),
        "keep_alive": ("nothing to do: it is on", false),
        "partition.random": keepsOrder, "partition.round_robin": keepsOrder,
        "partition.hash": keepsOrder,
        "partition.hash.hash": (
            "lines have one key, that of output.kafka.key; write it with these fields", true
        ),
        "kerberos": ("sasl: {mechanism: GSSAPI}, and sasl.kerberos.* under librdkafka", true),
        "codec": ("documents are JSON without blanks, or with codec: raw the line", false),
        "ssl.supported_protocols": ("nothing to do, or ssl.cipher.suites under librdkafka", false),
        "ssl.renegotiation": ("nothing to do", false),
        "ssl.cipher_suites": ("ssl.cipher.suites under librdkafka, by OpenSSL's names", true),
        "ssl.curve_types": ("ssl.curves.list under librdkafka", true),
        "ssl.ca_sha256": ("name the authority's certificate in tls.ca", true),
        "ssl.ca_trusted_fingerprint": ("name the authority's certificate in tls.ca", true),
        "enable_krb5_fast": ("sasl.kerberos.* under librdkafka", true),
        "sasl": ("PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER and GSSAPI are there", true),
    ]

    private static let otherOutput: Advice = (
        "Kafka is the only output; let Logstash or a connector take the topic there", true
    )
    private static let files: Advice = (
        "nothing to do: the log files are the queue; limits.in_flight bounds what is read and "
            + "not delivered",
        false
    )
    private static let ownLog: Advice = (
        "nothing to do: the agent's log goes to standard error, for journald or the "
            + "container's runtime",
        false
    )
    private static let scrape: Advice = (
        "nothing to do: /metrics is there for Prometheus, at http.listen", false
    )
    private static let setUp: Advice = (
        "of Elasticsearch and Kibana; have it done by what writes there", false
    )

    private static let tops: [String: Advice] = [
        "output": otherOutput, "cloud": otherOutput,
        "queue": files, "filebeat.spool_size": files, "filebeat.idle_timeout": files,
        "logging": ownLog, "monitoring": scrape, "xpack": scrape, "http": scrape, "setup": setUp,
        "filebeat.overwrite_pipelines": setUp,
        "filebeat.registry": (
            "nothing to do: shipper registry import filebeat takes over positions; data is "
                + "another directory",
            false
        ),
        "filebeat.registry_file": (
            "nothing to do: shipper registry import filebeat takes over positions", false
        ),
        "path": (
            "nothing to do: shipper registry import filebeat takes over positions; data is a "
                + "directory of its own",
            false
        ),
        "filebeat": unknown, "instrumentation": unknown, "management": unknown,
        "max_procs": ("nothing to do", false), "seccomp": ("nothing to do", false),
        "features": ("nothing to do", false), "timestamp": ("times are in milliseconds", false),
        "keystore": ("values come from the environment, or password_file", true),
        "filebeat.config": ("files beside this one are not read; convert each", true),
    ]
}
