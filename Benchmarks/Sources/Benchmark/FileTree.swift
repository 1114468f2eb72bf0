import Machine

/// Many small log files in many directories below one, all alike.
struct FileTree: Sendable {
    let files: Int
    let filesInDirectory: Int
    let linesInFile: Int

    private static let line = "2026-11-23T18:00:00.000Z INFO  one of the lines that were there\n"

    var directories: Int { (files + filesInDirectory - 1) / filesInDirectory }
    var lines: Int { files * linesInFile }
    var bytes: Int { lines * Self.line.utf8.count }

    /// Where a contender finds them.
    static func pattern(_ root: String) -> String { "\(root)/*/*.log" }

    /// Makes it in an empty directory.
    func make(_ root: String) throws(MachineError) {
        for directory in 0..<directories { try makeDirectory("\(root)/\(directory)") }
        try append(linesInFile, to: 0..<files, root)
    }

    /// Appends so many lines to each of these files.
    func append(
        _ lines: Int, to files: Range<Int>, _ root: String
    ) throws(MachineError) {
        let bytes = Array(String(repeating: Self.line, count: lines).utf8)
        for file in files {
            let (directory, name) = file.quotientAndRemainder(dividingBy: filesInDirectory)
            try OutputFile("\(root)/\(directory)/\(name).log").append(bytes)
        }
    }
}
