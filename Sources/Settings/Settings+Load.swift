private import Glibc
package import Platform
import YAML

extension Settings {
    /// Where the configuration is looked for when nobody says otherwise.
    package static let standardPath = "/etc/shipper/shipper.yaml"
    /// The data directory where the configuration names none.
    package static let standardData = "/var/lib/shipper"

    /// Reads and checks the configuration at `path`; every reference in it comes from
    /// `environment`. Everything that is wrong is thrown at once.
    package static func load(
        path: String, environment: [String: String]
    ) throws(SettingsError) -> Settings {
        try parse(try read(path), file: path, environment: environment)
    }

    /// As `load`, for a configuration that is in memory already.
    package static func parse(
        _ text: [UInt8], file: String, environment: [String: String]
    ) throws(SettingsError) -> Settings {
        let document = try Self.document(text, file: file)
        guard let root = document.root else {
            throw SettingsError(
                file: file,
                faults: [
                    SettingsFault(
                        mark: Mark(line: 1, column: 1), key: "",
                        problem: "the file holds no settings; expected inputs and output at least")
                ])
        }
        var reader = SettingsReader(environment: environment)
        let settings = reader.settings(root, file: file)
        let faults = document.faults.map(SettingsFault.init) + reader.faults
        guard faults.isEmpty, let settings else {
            throw SettingsError(file: file, faults: faults.inOrder)
        }
        return settings
    }

    /// The data directory that the configuration at `path` names, for commands that need nothing
    /// else of it: the rest may be wrong, or need an environment that is not there. The standard
    /// directory when the file is not there or may not be read, unless it must exist.
    package static func dataDirectory(
        path: String, mustExist: Bool = false, environment: [String: String]
    ) throws(SettingsError) -> String {
        let text: [UInt8]
        do throws(SystemError) {
            text = try contents(path)
        } catch {
            let isAbsent = error.code == .notFound || error.code == .permission
            if isAbsent, !mustExist { return standardData }
            throw SettingsError(path, error)
        }
        let document = try Self.document(text, file: path)
        guard let root = document.root, case .map(let entries) = root.content,
            let entry = entries.first(where: { $0.key == "data" })
        else { return standardData }
        var reader = SettingsReader(environment: environment)
        let data = reader.data(.init(path: "data", keyMark: entry.keyMark, node: entry.value))
        guard reader.faults.isEmpty else {
            throw SettingsError(file: path, faults: reader.faults.inOrder)
        }
        return data
    }

    private static func document(
        _ text: [UInt8], file: String
    ) throws(SettingsError) -> Document {
        do throws(YAMLError) {
            return try Document(text, file: file)
        } catch {
            throw SettingsError(file: file, faults: [SettingsFault(error)])
        }
    }

    /// The bytes of the file at `path`, which is small.
    static func read(_ path: String) throws(SettingsError) -> [UInt8] {
        do throws(SystemError) {
            return try contents(path)
        } catch {
            throw SettingsError(path, error)
        }
    }

    /// The bytes of the file, one more at most than a document may have.
    private static func contents(_ path: String) throws(SystemError) -> [UInt8] {
        // Not blocking: a FIFO without a writer would keep us here for ever.
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        let status = try file.status()
        if status.isDirectory { throw SystemError("open", path: path, code: .isDirectory) }
        guard status.isRegular else { throw SystemError("open", path: path, code: .invalid) }
        return try file.read(count: Document.Limits.size + 1, at: 0)
    }
}

extension Settings {
    /// The version of the library that reads YAML.
    package static var library: String { Document.library }
}

extension SettingsError {
    /// A file that could not be read at all.
    package init(_ path: String, _ error: SystemError) {
        let problem =
            switch error.code {
            case .notFound, .notDirectory, .isDirectory:
                "\(error.code); name the configuration with --config FILE"
            case .permission:
                "\(error.code); whoever runs shipper has to be allowed to read it"
            case .invalid: "not a regular file; name the configuration with --config FILE"
            default: "\(error.code) (\(error.call))"
            }
        self.init(file: path, faults: [SettingsFault(mark: nil, key: "", problem: problem)])
    }
}

extension SettingsFault {
    fileprivate init(_ error: YAMLError) {
        self.init(mark: error.mark, key: "", problem: error.problem)
    }
}

extension [SettingsFault] {
    /// By position; faults at one place stay as they were found.
    fileprivate var inOrder: [SettingsFault] {
        enumerated().sorted { a, b in
            let first = a.element.mark ?? Mark(line: 0, column: 0)
            let second = b.element.mark ?? Mark(line: 0, column: 0)
            return (first, a.offset) < (second, b.offset)
        }.map(\.element)
    }
}
