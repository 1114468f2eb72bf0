package import Platform

/// `shipper rotate --from-logrotate`: what a configuration of logrotate's comes to.
package enum FromLogrotate {
    /// Bytes of one file; logrotate itself reads no more than 16 MiB.
    private static let longest = 1 << 20
    private static let mostFiles = 10_000

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

    /// A file, or those of a directory by name; nil where there is neither.
    static func load(_ path: String) -> [(path: String, text: String)]? {
        do throws(SystemError) {
            let file = try Descriptor.open(path, O.read | O.nonBlocking)
            let status = try file.status()
            if status.isRegular {
                return [
                    (path, String(decoding: try file.read(count: longest, at: 0), as: UTF8.self))
                ]
            }
            guard status.isDirectory else { return nil }
            var files: [(path: String, text: String)] = []
            let names = try file.entries().map { String(decoding: $0.name, as: UTF8.self) }
            for name in names.sorted().prefix(mostFiles) {
                let below = "\(path)/\(name)"
                let part = try Descriptor.open(below, O.read | O.nonBlocking)
                guard try part.status().isRegular else { continue }
                files.append(
                    (below, String(decoding: try part.read(count: longest, at: 0), as: UTF8.self)))
            }
            return files
        } catch {
            return nil
        }
    }
}
