private import CYaml

extension Document {
    /// The version of libyaml that is loaded.
    package static var library: String {
        unsafe yaml_get_version_string().map { unsafe String(cString: $0) } ?? "unknown"
    }
}
