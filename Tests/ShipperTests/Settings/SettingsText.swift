import Shipper
import TestSupport

/// A configuration with what must stand in one, and `input`, `kafka` and `rest` in addition,
/// already indented as far as they need.
///
/// Lines: 1 `inputs:`, 2 the name, 3 and 4 the paths, then `input`, `output:`, `kafka:`, the
/// brokers, the topic, `kafka` and `rest`.
func settingsText(input: String = "", kafka: String = "", rest: String = "") -> String {
    var lines = ["inputs:", "  - name: pods", "    paths:", "      - /logs/{ns}/{app}/current"]
    if !input.isEmpty { lines.append(input) }
    lines += ["output:", "  kafka:", "    brokers: [a:9092]", "    topic: logs"]
    if !kafka.isEmpty { lines.append(kafka) }
    if !rest.isEmpty { lines.append(rest) }
    return lines.joined(separator: "\n") + "\n"
}

func parse(_ text: String, environment: [String: String] = [:]) throws(SettingsError) -> Settings {
    try Settings.parse(Array(text.utf8), file: "f.yaml", environment: environment)
}

/// What is wrong with `text`, line by line; empty when nothing is.
func faults(_ text: String, environment: [String: String] = [:]) -> [String] {
    faults(Array(text.utf8), environment: environment)
}

func faults(_ text: [UInt8], environment: [String: String] = [:]) -> [String] {
    do throws(SettingsError) {
        _ = try Settings.parse(text, file: "f.yaml", environment: environment)
        return []
    } catch {
        return error.description.split(separator: "\n").map(String.init)
    }
}
