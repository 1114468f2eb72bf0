package import Settings

/// A configuration with what must stand in one, and `input`, `kafka` and `rest` in addition,
/// already indented as far as they need.
///
/// Lines: 1 `inputs:`, 2 the name, 3 and 4 the paths, then `input`, `output:`, `kafka:`, the
/// brokers, the topic, `kafka` and `rest`.
package func settingsText(input: String = "", kafka: String = "", rest: String = "") -> String {
    var lines = ["inputs:", "  - name: pods", "    paths:", "      - /logs/{ns}/{app}/current"]
    if !input.isEmpty { lines.append(input) }
    lines += ["output:", "  kafka:", "    brokers: [a:9092]", "    topic: logs"]
    if !kafka.isEmpty { lines.append(kafka) }
    if !rest.isEmpty { lines.append(rest) }
    return lines.joined(separator: "\n") + "\n"
}

extension Settings {
    /// As if `text` stood in a file `f.yaml`.
    package static func parse(
        _ text: String, environment: [String: String] = [:]
    ) throws(SettingsError) -> Settings {
        try parse(Array(text.utf8), file: "f.yaml", environment: environment)
    }
}
