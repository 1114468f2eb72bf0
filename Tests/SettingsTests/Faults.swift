import Settings

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
