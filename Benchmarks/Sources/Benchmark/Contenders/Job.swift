/// Lines in a format, and what is to be made of them.
package struct Job: Sendable {
    /// As tables and `--only` have it, behind the contender's name.
    package let name: String
    /// How the lines stand in the file.
    let form: Corpus.Form
    /// Keys of shipper's input.
    let shipper: [String]
    /// Keys of Filebeat's filestream input; nil: it has nothing for that.
    let filebeat: [String]?

    /// Lines as they are.
    static let plain = Job(name: "plain", form: .plain, shipper: [], filebeat: [])

    /// What the formats are compared on. The rule matches no line: what it costs is the search.
    static let all: [Job] = [
        Job(name: "s6", form: .s6, shipper: ["format: s6"], filebeat: nil),
        Job(
            name: "cri", form: .cri, shipper: ["format: cri"],
            filebeat: ["parsers: [{container: {stream: all, format: cri}}]"]),
        Job(
            name: "docker", form: .docker, shipper: ["format: docker"],
            filebeat: ["parsers: [{container: {stream: all, format: docker}}]"]),
        Job(
            name: "exclude", form: .plain, shipper: ["exclude_lines: ['GET /healthz']"],
            filebeat: ["exclude_lines: ['GET /healthz']"]),
        Job(
            name: "ndjson", form: .json, shipper: ["json: {keys_under_root: true}"],
            filebeat: ["parsers: [{ndjson: {keys_under_root: true}}]"]),
        Job(
            name: "multiline", form: .traces, shipper: ["multiline: {\(traces)}"],
            filebeat: ["parsers: [{multiline: {type: pattern, \(traces)}}]"]),
        Job(
            name: "cri-multiline", form: .criTraces,
            shipper: ["format: cri", "multiline: {\(traces)}"],
            filebeat: [
                "parsers: [{container: {stream: all, format: cri}},"
                    + " {multiline: {type: pattern, \(traces)}}]"
            ]),
        Job(
            name: "docker-multiline", form: .dockerTraces,
            shipper: ["format: docker", "multiline: {\(traces)}"],
            filebeat: [
                "parsers: [{container: {stream: all, format: docker}},"
                    + " {multiline: {type: pattern, \(traces)}}]"
            ]),
    ]

    private static let traces = #"pattern: '^\s', negate: false, match: after"#
}
