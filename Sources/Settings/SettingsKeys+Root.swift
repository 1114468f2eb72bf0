/// The top of the file, and the maps that are neither input nor output.
extension SettingsKeys {
    static let root = SettingsKeys([
        .key(
            "data", .text, default: Settings.standardData,
            "The directory of the registry and its lock; one agent at a time has it"),
        .required("inputs", .list(input), "", "The files to ship"),
        .required("output", .map(output), "", "Where lines go"),
        .map("limits", limits, "Bounds for all inputs together"),
        .duration(
            "shutdown_timeout", .shutdownTimeout,
            "How long a stop waits for acknowledgements of what was read"),
        .optional(
            "node", .text, "\"${NODE_NAME}\"", without: "the host's name",
            "host.name in documents; by it the nodes of a fleet are spread over partitions and in "
                + "time"),
        .map("registry", registry, "How positions are saved"),
        .map("http", http, "Where metrics and health are served"),
        .map("log", log, "The agent's own log, on standard error"),
    ])

    static let limits = SettingsKeys([
        .size("in_flight", .inFlight, "Bytes that are read and not yet acknowledged, at most"),
        .count(
            "open_files", .openFiles,
            "Followed files that keep a descriptor; others are opened again when they grow"),
        .size(
            "held_bytes", .heldBytes,
            "Space on the disk that removed log files keep until they are read"),
        .key(
            "watches", .either(.choice(["auto"]), .count(Bounds<Int>.watches.range)),
            default: "auto",
            "inotify watches; auto is half of what the kernel grants a user, and 32768 at the most. "
                + "Past them files are looked at from time to time"),
        .key("readers", .count(1...1), default: "1", "Threads that read files; only one so far"),
        .count("topics", .topics, "Topics that are named by pieces of paths or by days"),
    ])

    static let registry = SettingsKeys([
        .duration("sync", .sync, "Between two fsyncs of the positions")
    ])

    static let http = SettingsKeys([
        .optional(
            "listen", .text, "\(Settings.HTTP.standardAddress)",
            without: "\(Settings.HTTP.standardAddress), if that is free",
            "Where /metrics, /healthz, /readyz and, to the loopback alone, /status are answered: "
                + "IPv4:PORT, [IPv6]:PORT, or none")
    ])

    static let log = SettingsKeys([
        .choice("level", Settings.Log.Level.info, "What is told: this and what is worse"),
        .choice("format", Settings.Log.Format.text, "text for people, json for programs"),
    ])
}
