import Kafka
import Platform
import Tailer

/// One metric: what it is called and means, and where its values come from.
struct Metric: Sendable {
    let name: String
    let kind: MetricText.Kind
    let help: String
    let samples: @Sendable (Figures) -> [MetricText.Sample]

    /// Every metric, in the order in which they are shown; docs/metrics.md has the same table.
    static let all: [Metric] =
        flow + rules + loss + rotation + delivery + reading + registry
        + configuration + process

    /// The page that `/metrics` answers.
    static func page(_ figures: Figures) -> String {
        var text = MetricText()
        for metric in all {
            text.add(metric.name, metric.kind, help: metric.help, metric.samples(figures))
        }
        return text.text
    }

    private static let flow = [
        Metric(
            name: "shipper_build_info", kind: .gauge,
            help: "The version of the agent, as a label; always 1.",
            samples: { _ in
                [
                    MetricText.Sample(
                        labels: [MetricText.Label(name: "version", value: Version.text)],
                        value: .integer(1))
                ]
            }),
        counter("shipper_bytes_read_total", "Bytes of log files read and handed to Kafka's client.")
        {
            $0.bytesRead
        },
        counter(
            "shipper_records_delivered_total", "Records that Kafka has acknowledged."
        ) { $0.recordsDelivered },
        counter(
            "shipper_bytes_delivered_total",
            "Bytes of log files that the acknowledged records stand for."
        ) { $0.bytesDelivered },
        gauge(
            "shipper_lag_bytes",
            "Bytes of the files that are followed which Kafka has not acknowledged, without last lines "
                + "that have no newline yet."
        ) {
            $0.unreadBytes
                +| max(0, $0.bytesRead -| $0.bytesDelivered -| $0.bytesUndelivered)
        },
    ]

    private static let rules = [
        counter(
            "shipper_lines_left_out_total",
            "Lines that include_lines, exclude_lines or drop left out: their bytes count as delivered."
        ) { $0.linesLeftOut },
        counter(
            "shipper_lines_undecided_total",
            "Lines that were shipped with the flag match_limit, because an expression took too long."
        ) { $0.linesUndecided },
        counter(
            "shipper_matches_masked_total", "Matches of mask that were replaced."
        ) { $0.matchesMasked },
    ]

    private static let rotation = [
        Metric(
            name: "shipper_rotations_total", kind: .counter,
            help: "Logs that the agent has rotated, or could not, by method and result.",
            samples: { figures in
                [("done", figures.rotations), ("failed", figures.failedRotations)].map {
                    (result, count) in
                    MetricText.Sample(
                        labels: [
                            MetricText.Label(name: "method", value: "collapse"),
                            MetricText.Label(name: "result", value: result),
                        ],
                        value: .integer(count))
                }
            }),
        counter(
            "shipper_rotated_bytes_total",
            "Bytes that were removed from the fronts of logs, and are in archives."
        ) { $0.rotatedBytes },
        Metric(
            name: "shipper_archives_total", kind: .counter,
            help: "Archives that the agent has compressed, or removed for age or bytes.",
            samples: { figures in
                [("compressed", figures.packedArchives), ("removed", figures.removedArchives)].map {
                    MetricText.Sample(
                        labels: [MetricText.Label(name: "action", value: $0)], value: .integer($1))
                }
            }),
    ]

    private static let loss = [
        Metric(
            name: "shipper_bytes_lost_total", kind: .counter,
            help:
                "Bytes that were in a log file and were gone before they could be read, by reason.",
            samples: { figures in
                LossReason.allCases.map { reason in
                    MetricText.Sample(
                        labels: [MetricText.Label(name: "reason", value: reason.rawValue)],
                        value: .integer(figures.bytesLost[reason] ?? 0))
                }
            }),
        counter(
            "shipper_archives_lost_total",
            "Archives that were seen and removed before they could be opened, or are compressed by "
                + "what cannot be read: their bytes, of unknown number, are lost."
        ) { $0.archivesMissed },
        counter(
            "shipper_archives_damaged_total",
            "Compressed files whose rest, of unknown size, is damaged and not shipped."
        ) { $0.archivesDamaged },
        counter(
            "shipper_archives_unmatched_total",
            "Archives that a processor of s6-log's made in other words, and that may hold lines that "
                + "were shipped before: they are shipped whole."
        ) { $0.archivesUnmatched },
        counter(
            "shipper_hole_bytes_total",
            "Bytes that nobody wrote, left by a truncation under a writer, and passed over."
        ) { $0.holeBytes },
        counter(
            "shipper_lines_malformed_total",
            "Lines that are not as their format, or `json`, has them: shipped as they are, with "
                + "`log.flags: [\"parse_error\"]`."
        ) { $0.linesMalformed },
        counter(
            "shipper_files_vanished_total",
            "Files that were read as far as they were seen, and were moved or removed while nobody "
                + "looked: what was written to them after that, of unknown size, is lost."
        ) { $0.filesGone },
        counter(
            "shipper_files_passed_over_total",
            "Files that could not be read for so long that what is newer in their streams was "
                + "shipped before them."
        ) { $0.filesPassedOver },
        gauge(
            "shipper_unreadable_files",
            "Files and directories that could not be read and have not been since."
        ) { $0.unreadable },
        gauge(
            "shipper_mounts_not_answering",
            "Network and FUSE file systems of which nothing is read, because one call has not come "
                + "back for 5 seconds."
        ) { $0.mountsSilent },
        counter(
            "shipper_log_lines_lost_total",
            "Lines of the agent's own log that could not be written."
        ) { $0.logLinesLost },
    ]

    private static let delivery = [
        gauge(
            "shipper_in_flight_bytes",
            "Memory held by what is read and not yet acknowledged, in bytes."
        ) { $0.inFlightBytes },
        gauge("shipper_in_flight_limit_bytes", "The setting limits.in_flight.") {
            $0.inFlightLimit
        },
        gauge("shipper_records_waiting", "Records that are read and not yet acknowledged.") {
            $0.recordsWaiting
        },
        Metric(
            name: "shipper_records_rejected_total", kind: .counter,
            help: "Bad verdicts on records, each of which is tried again, by librdkafka's code.",
            samples: { figures in
                let codes = Set(usualCodes).union(figures.recordsRejected.keys)
                return codes.sorted().map { code in
                    MetricText.Sample(
                        labels: [MetricText.Label(name: "code", value: code)],
                        value: .integer(figures.recordsRejected[code] ?? 0))
                }
            }),
        counter(
            "shipper_dead_letters_total",
            "Records that their topics refuse for ever, and for which the dead-letter topic has a "
                + "letter: among those delivered, too."
        ) { $0.deadLetters },
        gauge(
            "shipper_topics",
            "Topics named by pieces of paths or by days that streams have, or had within a day."
        ) { $0.topics },
        gauge("shipper_topics_limit", "The setting limits.topics.") { $0.topicsLimit },
        counter(
            "shipper_topics_refused_total",
            "Streams that began and did not get their topic, because of limits.topics or of another "
                + "name that became the same: they go to fallback_topic, or wait."
        ) { $0.topicsRefused },
        gauge(
            "shipper_streams_blocked",
            "Streams that wait because the last verdict on one of their records was a bad one."
        ) { $0.streamsBlocked },
        gauge(
            "shipper_streams_starved", "Streams that have bytes and wait for in-flight memory."
        ) { $0.streamsStarved },
        gauge(
            "shipper_brokers_reachable",
            "1 while a broker is known to answer, 0 before the first one and while all are away."
        ) { $0.isBrokerReached ? 1 : 0 },
        gauge(
            "shipper_brokers_connected", "Addresses of brokers that there is a connection to."
        ) { $0.brokersConnected },
        Metric(
            name: "shipper_broker_troubles_total", kind: .counter,
            help: "How often a connection to a broker was told to fail, by the cause.",
            samples: { figures in
                BrokerTrouble.Cause.allCases.map { cause in
                    MetricText.Sample(
                        labels: [MetricText.Label(name: "cause", value: cause.label)],
                        value: .integer(figures.brokerTroubles[cause] ?? 0))
                }
            }),
        counter(
            "shipper_requests_sent_total", "Requests of all kinds that were sent to brokers."
        ) { $0.requestsSent },
        counter(
            "shipper_request_bytes_sent_total",
            "Bytes of the requests that were sent to brokers, as they are before TLS."
        ) { $0.requestBytes },
        Metric(
            name: "shipper_throttle_seconds_total", kind: .counter,
            help:
                "How long brokers held back the agent's requests because of quotas, the sum over all "
                + "brokers.",
            samples: { [MetricText.Sample(value: .seconds(nanoseconds: $0.throttled))] }),
        time(
            "shipper_last_acknowledgement_timestamp_seconds",
            "When Kafka acknowledged a record last; absent before the first one."
        ) { $0.lastAcknowledgement },
    ]

    /// There from the start, so that an alert sees the first one.
    private static let usualCodes = [
        "MSG_SIZE_TOO_LARGE", "TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART",
        "_UNKNOWN_TOPIC",
    ]

    private static let reading = [
        gauge("shipper_streams", "Streams that are followed.") { $0.streams },
        gauge("shipper_files", "Files that are followed, with a descriptor or without.") {
            $0.files
        },
        gauge("shipper_open_files", "Files that are followed and have a descriptor.") {
            $0.openFiles
        },
        gauge(
            "shipper_open_files_limit", "How many files may have a descriptor at a time."
        ) { $0.openFilesLimit },
        gauge(
            "shipper_held_files",
            "Files that are kept open because they are unread and were, or may be, removed."
        ) { $0.heldFiles },
        gauge(
            "shipper_held_bytes",
            "Space on the disk that is kept by removed files until they are read, in bytes."
        ) { $0.heldBytes },
        gauge("shipper_held_limit_bytes", "The setting limits.held_bytes.") {
            $0.heldBytesLimit
        },
        gauge("shipper_directories", "Directories in which files are looked for.") {
            $0.directories
        },
        gauge("shipper_watches", "inotify watches on directories and on quiet files.") {
            $0.watches
        },
        gauge("shipper_watches_limit", "How many inotify watches there may be at a time.") {
            $0.watchesLimit
        },
        gauge(
            "shipper_directories_unwatched",
            "Directories that are scanned often, because inotify does not tell of them, or "
                + "something in them cannot be read."
        ) { $0.unwatchedDirectories },
    ]

    private static let registry = [
        gauge("shipper_registry_entries", "Files whose positions are saved.") {
            $0.registryEntries
        },
        gauge(
            "shipper_registry_journal_bytes", "Size of the journal, in which positions are saved."
        ) { $0.journalBytes },
        gauge(
            "shipper_registry_unsaved_files",
            "Files whose position is in memory only, because it cannot be written."
        ) { $0.unsavedFiles },
        gauge(
            "shipper_registry_written",
            "0 while a position is in memory only because it cannot be written, otherwise 1."
        ) { $0.isRegistryWritten ? 1 : 0 },
        Metric(
            name: "shipper_registry_sync_seconds", kind: .summary,
            help: "How long it took to force the journal to the disk, all told, and how often.",
            samples: {
                [
                    MetricText.Sample(
                        suffix: "_sum", value: .seconds(nanoseconds: $0.syncs.nanoseconds)),
                    MetricText.Sample(suffix: "_count", value: .integer($0.syncs.count)),
                ]
            }),
        time(
            "shipper_registry_last_save_timestamp_seconds",
            "When every position was on the disk last; absent before the first time."
        ) { $0.lastSave },
    ]

    private static let configuration = [
        gauge(
            "shipper_config_hash",
            "A number that is the same where the same configuration runs, but for the node's name and "
                + "secrets."
        ) { $0.configHash.map { Int(clamping: $0) } },
        Metric(
            name: "shipper_config_reloads_total", kind: .counter,
            help: "Times that the configuration was read again, by what came of it.",
            samples: { figures in
                Reloads.Result.allCases.map { result in
                    MetricText.Sample(
                        labels: [MetricText.Label(name: "result", value: result.rawValue)],
                        value: .integer(figures.reloads[result] ?? 0))
                }
            }),
    ]

    /// With the names that Prometheus' own clients give them.
    private static let process = [
        Metric(
            name: "process_cpu_seconds_total", kind: .counter,
            help: "User and system time of the process.",
            samples: { figures in
                figures.process.map {
                    [MetricText.Sample(value: .seconds(nanoseconds: $0.cpuNanoseconds))]
                } ?? []
            }),
        time("process_start_time_seconds", "When the process was started.") { $0.processStart },
        gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.") {
            $0.process?.residentBytes
        },
        gauge("process_virtual_memory_bytes", "Address space of the process.") {
            $0.process?.virtualBytes
        },
        gauge("process_open_fds", "Open descriptors.") { $0.process?.openDescriptors },
        gauge("process_max_fds", "Descriptors that may be open.") {
            $0.process?.descriptorLimit
        },
    ]

    // MARK: Kinds of metrics

    private static func counter(
        _ name: String, _ help: String, _ value: @escaping @Sendable (Figures) -> Int
    ) -> Metric {
        Metric(
            name: name, kind: .counter, help: help,
            samples: { [MetricText.Sample(value: .integer(value($0)))] })
    }

    /// Without a value there is no sample.
    private static func gauge(
        _ name: String, _ help: String, _ value: @escaping @Sendable (Figures) -> Int?
    ) -> Metric {
        Metric(
            name: name, kind: .gauge, help: help,
            samples: { figures in
                value(figures).map { [MetricText.Sample(value: .integer($0))] } ?? []
            })
    }

    /// Seconds since 1970.
    private static func time(
        _ name: String, _ help: String, _ value: @escaping @Sendable (Figures) -> Int64?
    ) -> Metric {
        Metric(
            name: name, kind: .gauge, help: help,
            samples: { figures in
                value(figures).map { [MetricText.Sample(value: .seconds(nanoseconds: $0))] } ?? []
            })
    }
}

extension BrokerTrouble.Cause {
    /// As the labels of metrics are spelt: `client_certificate`, `plain_on_tls`.
    var label: String {
        var label = ""
        var isInCapitals = false
        for character in rawValue {
            if character.isUppercase, !isInCapitals { label += "_" }
            isInCapitals = character.isUppercase
            label += character.lowercased()
        }
        return label
    }
}
