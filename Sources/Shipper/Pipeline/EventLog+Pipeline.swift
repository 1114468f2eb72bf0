import Model
import Platform
import Registry
import Tailer

/// What the pipeline itself tells, beside its stages.
extension EventLog {
    /// A look after entries that nobody follows has found something. On its thread.
    func report(_ event: OutOfSightFiles.Event) {
        switch event {
        case .tailer(let event): report(event)
        case .forgotten(let entry):
            log.event(
                .info, in: directory(entry.path),
                "file is gone and no pattern leads to it; its position is forgotten",
                [
                    "path": .text(entry.path), "offset": .count(entry.offset.bytes),
                    "size": .count(entry.end.bytes),
                ])
        case .kept(let files, let unread, let path):
            log.info(
                "no pattern leads to files whose positions are kept",
                [
                    "files": .count(files), "bytes_seen_unread": .count(unread),
                    "path": .text(path),
                    "hint": "shipper registry forget, if they are not to be read again",
                ])
        }
    }

    /// A reader of a file system that other machines or programs serve.
    func report(_ event: Readers.Event) {
        switch event {
        case .silent(let mount, let place):
            log.error(
                "a file system does not answer; nothing of it is read until it does",
                ["mount": .text(mount), "path": .text(place)])
        case .answers(let mount):
            log.info("a file system answers again", ["mount": .text(mount)])
        case .tooMany(let mount):
            log.fault(
                .warn, key: "mount \(mount)",
                "a file system has no reader of its own; while it does not answer nothing is read",
                ["mount": .text(mount)])
        case .blind(let error):
            log.warn(
                "mounts cannot be heard of; what is mounted later has no reader of its own",
                ["error": "\(error)"])
        }
    }
}
