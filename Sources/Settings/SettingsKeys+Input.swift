/// An item of `inputs`, and what is below it.
extension SettingsKeys {
    static let input = SettingsKeys(
        [
            .required(
                "name", .text, "apps",
                "Unique; 1 to 100 letters, digits, '_', '-' and '.', a label in logs and metrics"),
            .required(
                "paths", .texts, "[\"/data/logs/{app}/*.log\"]",
                "Absolute patterns: {word} captures one piece of a path; * ? [a-z] ** as in "
                    + "glob(7)"),
            .key(
                "exclude", .texts, default: "[\"**/*.gz\"]",
                "Patterns of files to leave out, beside compressed ones, which always are"),
            .key(
                "archives", .texts, default: "[]",
                "Patterns of rotated files that are not beside their logs, as logrotate's olddir"),
            .choice(
                "start", Settings.Start.beginning,
                "Where files are read from that the agent's first start finds"),
            .duration(
                "latency", .latency,
                "How long a line may wait until it is handed to a broker's connection"),
            .choice(
                "format", Settings.LineFormat.auto,
                "What lines begin with: a logger's time, or what a container runtime writes"),
            .choice(
                "stream", Settings.ContainerStream.all, "Which of a container's two is shipped"),
            .key(
                "encoding", .text, default: "utf-8",
                "How characters are bytes: utf-8, latin-1, utf-16le, and what iconv has"),
            .size("max_line", .maxLine, "Longer lines are split"),
            .optional(
                "json", .either(.map(json), .nothing), "{}",
                "Lines of JSON become members of documents"),
            .optional(
                "multiline",
                .either(
                    .map(multiline), .either(Key.choice(of: MultilinePreset.self), .nothing)), "",
                without: "each line is an event",
                "Which lines are one event: a name as in preset, or a map"),
            .key(
                "include_lines", .either(.texts, .nothing), default: "[]",
                "Regular expressions, of which a line has to match one if there are any"),
            .key(
                "exclude_lines", .either(.texts, .nothing), default: "[]",
                "Regular expressions, of which a line may match none"),
            .optional("drop", .map(drop), "", "Lines that are left out for their time"),
            .key(
                "mask", .either(.list(mask), .nothing), default: "[]",
                "What no record may hold, as in [{pattern: '\\d{16}', with: '****'}]"),
            .key("fields", .values, default: "{}", "Go into each document, below fields"),
            .truth("fields_under_root", false, "fields stand beside the document's own keys"),
            .key("tags", .texts, default: "[]", "Go into each document"),
            .choice(
                "empty_lines", Settings.EmptyLines.skip, "Whether they become records"),
            .key(
                "timezone", .text, default: "UTC",
                "Of the clocks that s6-log's times show, as in Europe/Berlin"),
            .choice(
                "tai64n", Settings.TAI64N.skalibs,
                "The logger whose labels lines begin with: daemontools counts no leap seconds"),
            .key(
                "follow_symlinks", .either(.choice(["false"]), .texts), default: "false",
                "Directories: links are followed where they lead beneath one of them"),
            .optional(
                "topic", .text, "\"logs.{app}\"", without: "that of output.kafka",
                "As output.kafka.topic, for this input"),
            .optional(
                "rotation", .either(.map(rotation), .nothing), "",
                without: "the agent changes no log",
                "The agent rotates the logs of this input in place"),
        ],
        filebeat: [
            "type": "leave it out: every input follows files",
            "id": "expected name",
            "enabled": "leave it out, or the whole input",
            "exclude_files": "expected exclude, whose items are globs and no regular expressions",
            "include_files": "expected paths, which are globs",
            "recursive_glob": "leave it out: ** in paths is always understood",
            "tail_files": "expected start, beginning or end",
            "parsers": "expected json for ndjson, multiline, and format for container",
            "ignore_older": "leave it out: a file at rest costs nothing",
            "close_inactive": "leave it out: a file at rest costs nothing",
            "clean_removed": "leave it out: positions of files that are gone are forgotten",
        ])

    static let json = SettingsKeys(
        [
            .key(
                "target", .text, default: "\"\"",
                "The object that members go into; \"\": beside the document's own"),
            .optional(
                "keys_under_root", .truth, "true", "Filebeat's word: false is target json"),
            .optional("message_key", .text, "message", "The member whose text is the message"),
            .truth("overwrite_keys", false, "A member @timestamp is the document's time"),
            .truth("expand_keys", false, "Names with dots become objects within one another"),
            .truth("add_error_key", false, "A document says what was wrong with its line"),
            .truth("ignore_decoding_error", false, "The log does not say what is no JSON"),
            .optional("timestamp", .map(timestamp), "", "The member that is the document's time"),
        ],
        filebeat: [
            "document_id": "leave it out: each document has an id of its place in the file",
            "max_depth": "leave it out: objects of any depth up to 32 are read",
            "process_array": "leave it out: arrays stay as they are",
        ])

    static let timestamp = SettingsKeys(
        [
            .required("field", .text, "time", "Its name, with dots between those of objects"),
            .required(
                "layouts", .texts, "[RFC3339]", "As in Go: '2006-01-02 15:04:05'; 20 at most"),
            .key("timezone", .text, default: "UTC", "Of times that name no zone"),
            .key("test", .texts, default: "[]", "Times that have to be of one of the layouts"),
        ],
        filebeat: [
            "target_field": "leave it out: the time becomes @timestamp",
            "ignore_missing": "leave it out: a line without the field has the time of its reading",
            "ignore_failure": "leave it out: a line with a wrong time is shipped, and flagged",
        ])

    static let multiline = SettingsKeys([
        .choice("type", Settings.Multiline.Kind.pattern, "What makes lines one event"),
        .shown("pattern", .text, "'^\\s'", "A regular expression"),
        .truth("negate", false, "Lines that do not match belong to others"),
        .choice("match", Settings.Multiline.Match.after, "Where the event is that they belong to"),
        .optional("flush_pattern", .text, "'^END'", "A line that matches is its event's last"),
        .optional(
            "preset", Key.choice(of: MultilinePreset.self), "java", "In the place of pattern"),
        .optional(
            "count_lines", .count(Bounds<Int>.countedLines.range),
            "\(Bounds<Int>.countedLines.standard)", "With type count, lines of an event"),
        .count("max_lines", .eventLines, "A longer event comes in parts"),
        .optional(
            "max_bytes", .size(Bounds<Int>.eventBytes.range),
            Quantity.text(bytes: Bounds<Int>.eventBytes.standard), without: "max_line",
            "A longer event comes in parts"),
        .duration("timeout", .eventTimeout, "How long an event waits for its next line"),
        .truth("skip_newline", false, "Lines are joined without a newline"),
    ])

    static let drop = SettingsKeys([
        .shown(
            "older_than", .duration(Bounds<Duration>.dropped.range), "72h",
            "Lines whose own time is longer ago are left out")
    ])

    static let mask = SettingsKeys([
        .required("pattern", .text, "'\\d{16}'", "A regular expression"),
        .required("with", .text, "'****'", "Stands in the place of each match, 1000 bytes at most"),
    ])

    static let rotation = SettingsKeys([
        .shown(
            "size", .size(Bounds<Int>.rotatedSize.range),
            Quantity.text(bytes: Bounds<Int>.rotatedSize.standard),
            "From which on a log is rotated; this, schedule or age"),
        .optional(
            "schedule", .text, "\"0 3 * * *\"", "When a log is rotated, as in crontab(5)"),
        .optional(
            "age", .duration(Bounds<Duration>.rotatedAge.range),
            Quantity.text(Bounds<Duration>.rotatedAge.standard),
            "Time after which a log is rotated again"),
        .required(
            "keep", .count(Bounds<Int>.archives.range), "\(Bounds<Int>.archives.standard)",
            "Archives that stay beside a log"),
        .optional(
            "max_age", .duration(Bounds<Duration>.archiveAge.range),
            Quantity.text(Bounds<Duration>.archiveAge.standard), "Older archives go"),
        .optional(
            "max_total", .size(Bounds<Int>.archivesTotal.range),
            Quantity.text(bytes: Bounds<Int>.archivesTotal.standard),
            "Bytes of all archives of a log"),
        .choice("compress", Settings.Rotation.Compress.none, "How archives are compressed"),
        .truth("delay_compress", false, "The newest archive stays plain until the next rotation"),
        .later("date_suffix"),
        .choice("method", Settings.Rotation.Method.auto, "How the front of a log is removed"),
        .later("su"),
        .truth("missing_ok", true, "That no log is there is no fault"),
        .key("not_empty", .choice(["true"]), default: "true", "No archive is made of nothing"),
        .later("max_backlog"),
    ])
}
