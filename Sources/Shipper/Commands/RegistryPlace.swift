import Platform
import Settings

/// The data directory that a command was told of, or not.
package struct RegistryPlace: Hashable, Sendable {
    /// The directory itself; nil: the one that the configuration names.
    package let data: String?
    /// The configuration; nil: the standard one, which need not be there.
    package let config: String?

    package init(data: String? = nil, config: String? = nil) {
        self.data = data
        self.config = config
    }

    /// The path of the directory. Of a configuration no more than `data` has to be right, but one
    /// that was named has to be there.
    func directory() throws(SettingsError) -> String {
        if let data { return data }
        return try Settings.dataDirectory(
            path: config ?? Settings.standardPath, mustExist: config != nil,
            environment: ProcessContext.environment())
    }
}
