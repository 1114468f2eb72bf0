package import Model
package import Platform

/// A directory and a name in it, where a file was seen. The only way to look at what stands there
/// now; the scans of the reader list directories, and open what those have.
///
/// A name is bytes, and the last one is never followed if it is a link. What differs is the way to
/// the directory, for two reasons:
///
/// - Of a saved path nobody knows any more where the pattern's prefix ended. Links on the way are
///   followed, and whoever looks compares what is there with what is known of the file.
/// - Beneath a prefix everybody may have put links. None is followed, as the reader follows none.
package struct FilePlace: Hashable, Sendable {
    private enum Way: Hashable {
        case saved
        case beneath(prefix: String)
    }

    private let way: Way
    /// Absolute, or beneath the prefix.
    private let directory: [UInt8]
    private let name: [UInt8]

    private init(_ way: Way, _ directory: [UInt8], _ name: [UInt8]) {
        self.way = way
        self.directory = directory
        self.name = name
    }

    /// A path as the registry has it; nil where that is in no directory.
    package init?(saved path: String) {
        let bytes = PathText.bytes(of: path)
        guard let (directory, name) = bytes.directoryAndName else { return nil }
        self.init(.saved, Array(directory), Array(name))
    }

    /// A name in a directory beneath the prefix of a pattern.
    package init(prefix: String, below: [UInt8], name: [UInt8]) {
        self.init(.beneath(prefix: prefix), below, name)
    }

    /// Another name in the same directory.
    package func beside(_ name: [UInt8]) -> FilePlace { FilePlace(way, directory, name) }

    /// The whole path; `glance` follows links on the way to it.
    package var path: [UInt8] {
        let slash = UInt8(ascii: "/")
        switch way {
        case .saved: return directory + [slash] + name
        case .beneath(let prefix):
            let below = directory.isEmpty ? [] : directory + [slash]
            return Array(prefix.utf8) + [slash] + below + name
        }
    }

    /// By one lstat(2), which opens nothing: whatever has the name.
    package func glance() -> PlaceLook<FileStatus> { Self.glance(at: path) }

    /// The same of a path in bytes.
    package static func glance(at path: [UInt8]) -> PlaceLook<FileStatus> {
        do throws(SystemError) {
            return .found(try FileStatus.glance(at: path))
        } catch {
            return missing(error)
        }
    }

    /// A file that a look has opened for reading.
    package struct Opened: Sendable {
        /// Closed when the last of those who have it lets go.
        package let file: SharedDescriptor
        /// As of when it was opened.
        package let status: FileStatus
        /// As the agent takes it of every file.
        package var identity: FileIdentity { FileIdentity(of: file.descriptor, status) }
    }

    /// Opens what has the name, if that is a regular file.
    package func open() -> PlaceLook<Opened> {
        inDirectory { Self.open(name, in: $0) }
    }

    /// The same of a name in a directory that is open.
    package static func open(
        _ name: [UInt8], in directory: borrowing Descriptor
    ) -> PlaceLook<Opened> {
        do throws(SystemError) {
            switch try directory.openFile(name) {
            case .refused: return .other
            case .file(let file, let status):
                return .found(Opened(file: SharedDescriptor(file), status: status))
            }
        } catch {
            return missing(error)
        }
    }

    /// The names that the directory lists now, by inode number; of several names of one the last.
    package func names() -> PlaceLook<[UInt64: [UInt8]]> {
        inDirectory { directory in
            do throws(SystemError) {
                return .found(try Self.names(in: directory))
            } catch {
                return Self.missing(error)
            }
        }
    }

    /// The same of a directory that is open.
    package static func names(
        in directory: borrowing Descriptor
    ) throws(SystemError) -> [UInt64: [UInt8]] {
        var names: [UInt64: [UInt8]] = [:]
        for entry in try directory.entries() { names[entry.inode] = entry.name }
        return names
    }

    /// Lends the directory to `look`, or says what stands in the way. Links lead to a prefix, so a
    /// loop of them there proves nothing; beneath it a link is none of the reader's ways.
    private func inDirectory<Found>(
        _ look: (borrowing Descriptor) -> PlaceLook<Found>
    ) -> PlaceLook<Found> {
        let above: Descriptor
        do throws(SystemError) {
            switch way {
            case .saved:
                // The slash is for the root, whose name is empty.
                return look(try Descriptor.open(directory + [UInt8(ascii: "/")], O.directory))
            case .beneath(let prefix) where directory.isEmpty:
                return look(try Descriptor.open(prefix, O.directory))
            case .beneath(let prefix): above = try Descriptor.open(prefix, O.path)
            }
        } catch {
            return Self.missing(error)
        }
        do throws(SystemError) {
            return look(try above.openDirectory(beneath: directory))
        } catch {
            return error.isAbsence ? .missing : .unreachable(.failed(error))
        }
    }

    private static func missing<Found>(_ error: SystemError) -> PlaceLook<Found> {
        error.code == .notFound || error.code == .notDirectory
            ? .missing : .unreachable(.failed(error))
    }
}

extension SystemError {
    /// For whoever follows no links: there is no such directory (any more), as opposed to one that
    /// cannot be opened now.
    var isAbsence: Bool {
        code == .notFound || code == .notDirectory || code == .tooManyLinks || code == .crossDevice
    }
}
