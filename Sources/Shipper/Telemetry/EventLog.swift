import Encoding
package import Kafka
import Model
import Patterns
import Platform
package import Registry
import Tailer

/// Turns the events of the stages into log lines: the one place that knows their words. Sendable;
/// called on the stages' threads.
package final class EventLog: Sendable {
    let log: Log

    package init(_ log: Log) { self.log = log }

    /// A file whose records could hold no line.
    func cannotEncode(_ error: EncodingError) {
        log.fault(
            .error, key: "encode \(error.path)", "lines cannot be encoded",
            [
                "path": .text(error.path), "error": "\(error)",
            ])
    }

    /// A file in an encoding that the system knew at the start, and does not any more.
    func cannotDecode(_ path: String, _ encoding: String) {
        log.fault(
            .error, key: "decode \(path)", "lines cannot be decoded; they wait",
            ["path": .text(path), "encoding": .text(encoding)])
    }

    /// A line of a file is not as its format has it. To be called for the first one of each file.
    func malformed(_ path: String, offset: LogicalOffset, format: String) {
        log.event(
            .warn, in: directory(path), "line is not as its format has it; shipped as it is",
            [
                "path": .text(path), "offset": .count(offset.bytes), "format": .text(format),
            ])
    }

    /// An event of the Tailer, on the reader thread.
    func report(_ event: TailerEvent) {
        switch event {
        case .unreadable(let path, let error):
            log.event(
                .warn, in: directory(path), "file cannot be read; trying again",
                ["path": .text(path), "error": .text(error)])
        case .readableAgain(let path):
            log.event(.info, in: directory(path), "file can be read again", ["path": .text(path)])
        case .passedOver(let path):
            log.event(
                .error, in: directory(path),
                "file cannot be read for long; what is newer is shipped without it",
                ["path": .text(path)])
        case .unreadableGone(let path):
            log.event(
                .info, in: directory(path), "file that could not be read is gone",
                ["path": .text(path)])
        case .refused(let path, let reason):
            log.event(
                .warn, in: directory(path), "file refused",
                ["path": .text(path), "reason": .text(reason)])
        case .linkNotFollowed(let path, let reason):
            log.event(
                .warn, in: directory(path), "link not followed",
                ["path": .text(path), "reason": .text(reason)])
        case .linkDangles(let path, let target):
            log.event(
                .info, in: directory(path), "link leads to nothing yet",
                ["path": .text(path), "target": .text(target)])
        case .linkLeads(let path, let target):
            log.event(
                .info, in: directory(path), "link leads to something now",
                ["path": .text(path), "target": .text(target)])
        case .unlistable(let path, let error):
            log.fault(
                .warn, key: "list \(path)", "directory cannot be listed; trying again",
                [
                    "path": .text(path), "error": .text(error),
                ])
        case .excludedDirectory(let path, let exclusion):
            log.event(
                .warn, in: directory(path),
                "exclude names a directory, whose files are read all the same",
                [
                    "path": .text(path), "exclude": .text(exclusion),
                    "hint": .text("write \(PathPatternError.filesBelow(exclusion))"),
                ])
        case .unwatched(let path, let error):
            log.warn(
                "directories cannot be watched; scanning them instead",
                [
                    "path": .text(path), "error": .text(error),
                    "hint": "raise fs.inotify.max_user_watches",
                ])
        case .watchesShort(let limit, let path, let count):
            log.warn(
                "all inotify watches are taken; who has most is scanned instead",
                [
                    "watches": .count(limit), "most_in": .text(path), "there": .count(count),
                    "hint": "limits.watches",
                ])
        case .inotifyMissing(let error):
            log.warn(
                "inotify cannot be used; scanning everything instead",
                ["error": .text(error), "hint": "raise fs.inotify.max_user_instances"])
        case .inotifyFound: log.info("inotify can be used")
        case .overflow:
            log.fault(.warn, key: "overflow", "inotify events were lost; scanning everything")
        case .opened(let path, let offset):
            log.debug("file opened", ["path": .text(path), "offset": .count(offset.bytes)])
        case .truncated(let path, let read, let size):
            log.event(
                .info, in: directory(path), "file truncated; reading from its beginning",
                [
                    "path": .text(path), "read_bytes": .count(read.bytes),
                    "size_bytes": .count(size.bytes),
                ])
        case .rewritten(let path, let offset):
            log.debug(
                "last lines rewritten; reading on from before them",
                ["path": .text(path), "offset": .count(offset.bytes)])
        case .missed(let path):
            log.event(
                .error, in: directory(path), "archive removed before it was read",
                ["path": .text(path)])
        case .archivesForgotten(let path, let count):
            log.event(
                .error, in: path,
                "more archives came and went than are remembered; those removed unread are not told",
                ["path": .text(path), "archives": .count(count)])
        case .foundElsewhere(let path, let place):
            log.event(
                .error, in: directory(path),
                "file was moved to where no pattern leads, with unread bytes",
                [
                    "path": .text(path), "place": .text(place),
                    "hint": "name where rotated files go in inputs[].archives",
                ])
        case .goneUnseen(let path, let from):
            log.event(
                .warn, in: directory(path),
                "file went while nobody looked; what was written to it since it was seen is lost",
                [
                    "path": .text(path), "from": .count(from.bytes),
                    "hint": "name where rotated files go in inputs[].archives",
                ])
        case .copied(let path, let copy):
            log.event(
                .info, in: directory(path),
                "file truncated; its earlier content is read on in a copy",
                ["path": .text(path), "copy": .text(copy)])
        case .compressedAs(let path, let archive):
            log.event(
                .info, in: directory(path),
                "file compressed under another log's name; its content is read on there",
                ["path": .text(path), "archive": .text(archive)])
        case .hole(let path, let range):
            log.event(
                .info, in: directory(path), bytes: range.count, "hole skipped",
                [
                    "path": .text(path), "from": .count(range.start.bytes),
                    "to": .count(range.end.bytes),
                ])
        case .damaged(let path, let error):
            log.event(
                .error, in: directory(path), "compressed file is damaged; its rest cannot be read",
                ["path": .text(path), "error": .text(error)])
        case .endsEarly(let path, let read, let size):
            log.event(
                .warn, in: directory(path),
                "compressed file ends before what was read of its content",
                [
                    "path": .text(path), "read_bytes": .count(read.bytes),
                    "size_bytes": .count(size.bytes),
                ])
        case .processed(let path):
            log.event(
                .info, in: directory(path),
                "archives are what a processor made of lines that were read; not shipped again",
                ["path": .text(path)])
        case .unmatched(let path):
            log.event(
                .warn, in: directory(path),
                "archive may hold lines that were shipped before a processor changed it; shipping all of it",
                ["path": .text(path)])
        case .notReadable(let path, let compression):
            log.event(
                .error, in: directory(path),
                "compressed file cannot be read; its lines are not shipped",
                ["path": .text(path), "compression": .text(compression)])
        case .lost(let path, let range, let reason):
            log.event(
                .error, in: directory(path), bytes: range.count, "bytes lost",
                [
                    "path": .text(path), "from": .count(range.start.bytes),
                    "to": .count(range.end.bytes),
                    "reason": .text(reason.rawValue),
                ])
        }
    }

    /// Whose events are bounded together.
    func directory(_ path: String) -> String {
        path.utf8.directoryAndName.map { String(Substring($0.directory)) } ?? path
    }
}

extension EventLog: KafkaObserver {
    package func report(_ event: KafkaEvent) {
        switch event {
        case .brokersDown(let message, nil):
            log.fault(
                .warn, key: "brokers", "no broker can be reached; waiting",
                ["error": .text(message)])
        case .brokersDown(_, let trouble?):
            // A new cause is news; that nobody listens is what all of them being away looks like.
            // So is another reason why there is no token: whoever mends the file waits for it.
            let cause =
                switch trouble.cause {
                case .refused: ""
                case .noToken: " \(trouble.cause.rawValue) \(trouble.text)"
                default: " \(trouble.cause.rawValue)"
                }
            log.fault(
                .warn, key: "brokers\(cause)", "no broker can be reached; waiting",
                [
                    "broker": .text(trouble.broker), "cause": .text(trouble.advice),
                    "error": .text(trouble.text),
                ])
        case .brokerAway(let trouble):
            log.fault(
                .warn, key: "broker \(trouble.broker) \(trouble.cause.rawValue)",
                "a broker cannot be reached; trying again",
                [
                    "broker": .text(trouble.broker), "cause": .text(trouble.advice),
                    "error": .text(trouble.text),
                ])
        case .brokerUp:
            log.info("broker reached")
        case .recordsRejected(let topic, let code, let text, let count):
            log.fault(
                .error, key: "rejected \(topic) \(code)", "records rejected; trying again",
                [
                    "topic": .text(topic), "code": .text(code), "error": .text(text),
                    "records": .count(count),
                ])
        case .fatal(let text):
            log.fault(
                .error, key: "fatal", "producer failed; making a new one", ["error": .text(text)])
        case .laneBlocked(let topic, let reason, let hint):
            let message: StaticString = "stream waits for its topic"
            guard let hint else {
                log.fault(
                    .error, key: "blocked \(topic) \(reason)", message,
                    ["topic": .text(topic), "reason": .text(reason)])
                return
            }
            log.fault(
                .error, key: "blocked \(topic) \(reason)", message,
                ["topic": .text(topic), "reason": .text(reason), "hint": .text(hint)])
        case .recordRefused(let refused):
            recordRefused(refused, path: nil)
        case .recordSetAside(let refused, let topic):
            recordSetAside(refused, path: nil, to: topic)
        case .laneFlows(let topic):
            // No fault, but as often as one: a topic that refuses now and then would fill the log
            // with it.
            log.fault(
                .info, key: "flows \(topic)", "stream flows again", ["topic": .text(topic)])
        case .clientError(let code, let text):
            // That a connection was closed, and nothing to say why: it was idle, or the next one
            // fails and tells.
            log.fault(
                code == "_TRANSPORT" ? .debug : .warn, key: "client \(code)",
                "Kafka client reports",
                [
                    "code": .text(code), "error": .text(text),
                ])
        case .clientLog(let severity, let facility, let text):
            // Connections that fail come as events, with what can be done.
            let isKnown = facility == "FAIL" || facility == "SSLCERTVRFY"
            let level: Log.Level = severity <= 3 && !isKnown ? .warn : .debug
            log.fault(
                level, key: "librdkafka \(facility)", "librdkafka",
                [
                    "facility": .text(facility), "text": .text(text),
                ])
        }
    }

    /// `path` is the file's, where it is known.
    package func recordRefused(_ refused: RefusedRecord, path: String?) {
        let file = path ?? "file \(refused.file.number)"
        log.fault(
            .error, key: "refused \(refused.topic) \(file)",
            "a record is refused by its topic; its stream waits at it",
            [
                "path": .text(file), "offset": .count(refused.offset.bytes),
                "size": .count(refused.size), "limit": .text(Self.limit(refused)),
                "topic": .text(refused.topic), "code": .text(refused.code),
                "error": .text(refused.text),
            ])
    }

    /// `path` is the file's, where it is known. Of a topic that refuses many, one line in 30 s.
    package func recordSetAside(_ refused: RefusedRecord, path: String?, to topic: String) {
        log.fault(
            .error, key: "set aside \(refused.topic)",
            "a record is refused by its topic; a letter in the dead-letter topic stands for it",
            [
                "path": .text(path ?? "file \(refused.file.number)"),
                "offset": .count(refused.offset.bytes), "size": .count(refused.size),
                "limit": .text(Self.limit(refused)), "topic": .text(refused.topic),
                "code": .text(refused.code), "error": .text(refused.text),
                "dead_letter_topic": .text(topic),
            ])
    }

    private static func limit(_ refused: RefusedRecord) -> String {
        refused.limit.map { "\($0.bytes) (\($0.setting))" } ?? "unknown"
    }
}

extension EventLog: RegistryObserver {
    package func report(_ event: RegistryEvent) {
        switch event {
        case .opened(let summary):
            opened(summary)
        case .writeFailed(let error):
            // A disk that is full to the brim has room for one record, and not for the next.
            log.fault(
                .error, key: "registry fails", "positions cannot be saved; shipping goes on",
                ["error": "\(error)"])
        case .writeRecovered:
            log.fault(.info, key: "registry works", "positions can be saved again")
        case .synced: break
        case .compacted(let entries, let bytes, _):
            log.debug("registry compacted", ["entries": .count(entries), "bytes": .count(bytes)])
        case .cannotSetAside(let error):
            log.error("a damaged registry file cannot be kept", ["error": "\(error)"])
        }
    }

    private func opened(_ summary: RecoverySummary) {
        // A torn tail is what a kill leaves behind; the record in it was never used.
        log.info(
            "registry opened",
            [
                "entries": .count(summary.entries), "damaged": .count(summary.damagedCount),
                "set_aside": .count(summary.setAside.count),
                "torn_tail_bytes": .count(summary.tornTail),
                "seconds": .duration(.nanoseconds(summary.nanoseconds)),
            ])
        for fault in summary.damaged {
            log.warn(
                "registry damaged; what it has lost is read from its beginning",
                [
                    "file": .text(fault.file), "byte": .count(fault.position),
                    "fault": .text(fault.what),
                ])
        }
        for name in summary.setAside {
            log.warn("damaged registry file kept for inspection", ["file": .text(name)])
        }
    }
}
