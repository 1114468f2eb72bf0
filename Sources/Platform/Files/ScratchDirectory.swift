import Glibc

/// A new directory for files that nobody needs afterwards, under $TMPDIR or /tmp. Whoever made it
/// removes it. Sendable.
package struct ScratchDirectory: Sendable {
    /// Absolute and without symbolic links, without a slash at the end.
    package let path: String

    /// Makes `<name>-XXXXXX` with mode 0700.
    package init(_ name: String, environment: [String: String]) throws(SystemError) {
        let wanted = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        guard let real = unsafe realpath(wanted, nil) else {
            throw SystemError("realpath", path: wanted, code: .last)
        }
        let parent = unsafe String(cString: real)
        unsafe free(real)
        var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw SystemError("mkdtemp", path: parent, code: .last)
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Makes a directory in it and those above; its path.
    package func makeDirectory(_ relative: String) throws(SystemError) -> String {
        var made = path
        for part in relative.split(separator: "/") {
            made += "/\(part)"
            _ = try Descriptor.makeDirectory(atPath: made)
        }
        return made
    }

    /// Removes it with everything in it; symbolic links are removed, not followed.
    package func remove() throws(SystemError) {
        // A process that is just ending may add a name between the listing and the rmdir.
        for _ in 0..<5 {
            do throws(SystemError) {
                try Descriptor.directory(atPath: path).removeContents()
                guard unsafe rmdir(path) == 0 else {
                    throw SystemError("rmdir", path: path, code: .last)
                }
                return
            } catch {
                if error.code != .notEmpty && error.code != .exists { throw error }
            }
        }
        throw SystemError("rmdir", path: path, code: .notEmpty)
    }
}

extension Descriptor {
    /// Removes everything in this directory; what is gone before its turn is gone as wished.
    fileprivate borrowing func removeContents() throws(SystemError) {
        for entry in try entries() {
            let name = String(decoding: entry.name, as: UTF8.self)
            do throws(SystemError) {
                if try status(of: name).isDirectory {
                    try directory(named: name).removeContents()
                    let removed = withRawValue { number in
                        unsafe unlinkat(number, name, AT_REMOVEDIR)
                    }
                    guard removed == 0 else {
                        throw SystemError("rmdir", path: name, code: .last)
                    }
                } else {
                    try remove(name)
                }
            } catch {
                if error.code != .notFound { throw error }
            }
        }
    }
}
