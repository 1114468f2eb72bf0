import Model
import Platform
import Registry

/// `shipper status` as text for people: pure, so that it can be drawn again and again.
struct StatusText {
    let status: AgentStatus
    /// The same a moment before, for rates.
    var before: AgentStatus?
    /// The files of its registry as they are now; nil where they cannot be read from here.
    var files: [ShownFile]?
    let now: Timestamp
    /// Of a line.
    var columns: Int?

    /// Of streams that are behind.
    private static let mostStreams = 10
    private static let labelWidth = 15

    /// Lines without their ends.
    func lines() -> [String] {
        var lines = [
            line("agent", "shipper \(status.version) on \(status.node), \(uptime)"),
            line("configuration", configuration),
            line("ready", readiness),
        ]
        for fault in status.conditions where fault.fault != nil {
            let why = (fault.fault ?? "").split(whereSeparator: \.isNewline)
            lines.append(line("", "\(fault.name): \(why.joined(separator: "; "))"))
        }
        lines += [
            line("delivered", delivered), line("behind", behind), line("brokers", brokers),
            line("files", followed), line("lost", lost),
        ]
        if status.rotations > 0 || status.rotationsFailed > 0 {
            lines.append(
                line("rotated", "\(status.rotations) logs, \(status.rotationsFailed) could not be"))
        }
        if let files {
            lines += [""] + inputs(files)
            lines += streams(files)
        }
        if !status.log.isEmpty {
            lines += ["", "LAST WARNINGS"] + status.log.map { PrintableText.of($0) }
        }
        guard let columns else { return lines }
        return lines.map { PrintableText.cutEnd($0, to: columns) }
    }

    private func line(_ label: String, _ text: String) -> String {
        let gap = max(1, Self.labelWidth - label.utf8.count)
        return label + String(repeating: " ", count: gap) + PrintableText.of(text)
    }

    // MARK: Words

    private var uptime: String {
        guard let started = status.started.flatMap(Timestamp.init(text:)) else { return "running" }
        return "up for \(FileTable.age(from: started, to: now))"
    }

    private var configuration: String {
        var text = status.config
        if let hash = status.configHash { text += ", hash \(hash)" }
        if status.reloadsApplied > 0 { text += ", reloaded \(status.reloadsApplied) times" }
        return text
    }

    private var readiness: String { status.ready ? "yes" : "no" }

    private var delivered: String {
        var text =
            "\(FileTable.count(status.recordsDelivered, "record")), "
            + FileTable.bytes(status.bytesDelivered)
        if let rate { text += "; now \(rate)" }
        return text
    }

    /// Of the time between the two.
    private var rate: String? {
        guard let before, let from = Timestamp(text: before.now),
            let to = Timestamp(text: status.now), before.pid == status.pid
        else { return nil }
        let seconds = Double(to.milliseconds - from.milliseconds) / 1000
        guard seconds > 0 else { return nil }
        let records = Double(max(0, status.recordsDelivered -| before.recordsDelivered)) / seconds
        let bytes = Double(max(0, status.bytesDelivered -| before.bytesDelivered)) / seconds
        return "\(Int(clamping: records)) records/s, \(FileTable.bytes(Int(clamping: bytes)))/s"
    }

    private var behind: String {
        let lag = status.bytesUnread +| status.bytesInFlight
        guard lag > 0 else { return "nothing" }
        return "\(FileTable.bytes(status.bytesUnread)) unread, "
            + "\(FileTable.bytes(status.bytesInFlight)) in flight, "
            + "\(status.recordsWaiting) records await their acknowledgement"
    }

    private var brokers: String {
        var text = status.brokersReachable ? "reached" : "none can be reached"
        text += ", \(status.brokersConnected) connected"
        if let last = status.lastAcknowledgement.flatMap(Timestamp.init(text:)) {
            text += ", last acknowledgement \(FileTable.age(from: last, to: now)) ago"
        }
        if status.streamsBlocked > 0 { text += ", \(status.streamsBlocked) streams blocked" }
        return text
    }

    private var followed: String {
        var text =
            "\(status.files) in \(FileTable.count(status.streams, "stream")) and "
            + (status.directories == 1 ? "1 directory" : "\(status.directories) directories")
        for (count, what) in [
            (status.filesHeld, "held open"), (status.filesUnreadable, "unreadable"),
            (status.directoriesUnwatched, "directories unwatched"),
            (status.mountsSilent, "file systems that do not answer"),
        ] where count > 0 {
            text += ", \(count) \(what)"
        }
        return text
    }

    private var lost: String {
        let parts = [
            status.bytesLost > 0 ? FileTable.bytes(status.bytesLost) : nil,
            status.archivesLost > 0 ? "\(status.archivesLost) archives" : nil,
            status.archivesDamaged > 0 ? "\(status.archivesDamaged) damaged archives" : nil,
            status.filesVanished > 0 ? "ends of \(status.filesVanished) vanished files" : nil,
            status.filesPassedOver > 0 ? "\(status.filesPassedOver) files passed over" : nil,
        ].compactMap(\.self)
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    // MARK: Tables

    private func inputs(_ files: [ShownFile]) -> [String] {
        var sums: [String: (files: Int, behind: Int, lag: Int)] = [:]
        for name in status.inputs { sums[name] = (0, 0, 0) }
        for file in files {
            let sum = sums[file.entry.input] ?? (0, 0, 0)
            sums[file.entry.input] = (
                sum.files + 1, sum.behind + (file.lag > 0 ? 1 : 0), sum.lag +| file.lag
            )
        }
        let known = Set(status.inputs)
        let others = sums.keys.filter { !known.contains($0) }.sorted()
        var rows = [["INPUT", "FILES", "BEHIND", "LAG"]]
        for name in status.inputs + others {
            guard let sum = sums[name] else { continue }
            rows.append([
                PrintableText.of(name) + (known.contains(name) ? "" : " (not configured)"),
                "\(sum.files)", "\(sum.behind)", FileTable.bytes(sum.lag),
            ])
        }
        return TextColumns.lines(rows, right: [1, 2, 3])
    }

    private func streams(_ files: [ShownFile]) -> [String] {
        var sums: [String: (lag: Int, since: Timestamp)] = [:]
        for file in files where file.lag > 0 {
            let sum = sums[file.entry.stream] ?? (0, file.entry.updated)
            sums[file.entry.stream] = (sum.lag +| file.lag, min(sum.since, file.entry.updated))
        }
        guard !sums.isEmpty else { return [] }
        let worst = sums.sorted { ($1.value.lag, $0.key) < ($0.value.lag, $1.key) }
        var rows = [["STREAM", "LAG", "AGE"]]
        for (stream, sum) in worst.prefix(Self.mostStreams) {
            rows.append([
                PrintableText.of(stream), FileTable.bytes(sum.lag),
                FileTable.age(from: sum.since, to: now),
            ])
        }
        var lines = [""] + TextColumns.lines(rows, right: [1, 2])
        if worst.count > Self.mostStreams {
            lines.append("… and \(worst.count - Self.mostStreams) more")
        }
        return lines
    }
}

extension Timestamp {
    fileprivate init?(text: String) { self.init(text: Array(text.utf8).span) }
}

extension Int {
    /// The nearest number that there is.
    fileprivate init(clamping value: Double) {
        self = value.isNaN ? 0 : value >= 9e18 ? .max : value <= -9e18 ? .min : Int(value)
    }
}
