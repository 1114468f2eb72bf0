package import Platform

/// `shipper rotate --from-logrotate`: what a configuration of logrotate's comes to.
package enum FromLogrotate {
    /// Bytes of one file; logrotate itself reads no more than 16 MiB.
    private static let longest = 1 << 20
    private static let mostFiles = 1_000

    /// Prints it; `fault` where a part of it could not be read.
    package static func run(_ path: String) throws(SystemError) -> ExitCode {
        var reader = LogrotateReader(load: load)
        reader.read(path)
        if reader.stanzas.isEmpty, !reader.faults.isEmpty {
            return try complain(reader.faults)
        }
        let text = LogrotateText(reader.stanzas, from: path)
        try StandardStream.output.write(text.text)
        if text.notes > 0 {
            try StandardStream.error.write(
                "shipper: \(text.notes) of its directives are not honoured as they are: see the "
                    + "comments\n")
        }
        return try complain(reader.faults)
    }

    private static func complain(_ faults: [String]) throws(SystemError) -> ExitCode {
        for fault in faults {
            try StandardStream.error.write("shipper: \(PrintableText.of(fault))\n")
        }
        return faults.isEmpty ? .done : .fault
    }

    /// A file, or those of a directory by name; nil where there is neither, or too many of them.
    static func load(_ path: String) -> [(path: String, text: String?)]? {
        do throws(SystemError) {
            let directory = try Descriptor.open(path, O.read | O.nonBlocking)
            guard try directory.status().isDirectory else { return [(path, text(of: path))] }
            let names = try directory.entries().map { String(decoding: $0.name, as: UTF8.self) }
            guard names.count <= mostFiles else { return nil }
            return names.sorted().compactMap { name in
                let below = "\(path)/\(name)"
                return isDirectory(below) ? nil : (below, text(of: below))
            }
        } catch {
            return nil
        }
    }

    /// A directory within one is passed over, as logrotate does.
    private static func isDirectory(_ path: String) -> Bool {
        do throws(SystemError) {
            return try FileStatus.glance(at: Array(path.utf8)).isDirectory
        } catch {
            return false
        }
    }

    /// Nil where it cannot be read, is no regular file, or is too long.
    private static func text(of path: String) -> String? {
        let bytes: [UInt8]
        do throws(SystemError) {
            let file = try Descriptor.open(path, O.read | O.nonBlocking)
            guard try file.status().isRegular else { return nil }
            bytes = try file.read(count: longest + 1, at: 0)
        } catch {
            return nil
        }
        return bytes.count > longest ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
