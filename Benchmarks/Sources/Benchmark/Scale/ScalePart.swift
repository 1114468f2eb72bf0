/// What grows with a node and should not cost more for it.
package enum ScalePart: String, CaseIterable, Sendable {
    case start, crowd, full, found, memory, rest, bulk

    /// A figure that a part finds.
    struct Figure: Sendable {
        let part: ScalePart
        let head: String
        let key: String
        let digits: Int
        let value: Double?
    }

    /// What a part found.
    struct Outcome: Sendable {
        /// The same ones, in the same order, in each run.
        let figures: [Figure]
        let command: [String]
        let fault: String?
    }

    func figure(_ head: String, _ key: String, _ digits: Int, _ value: Double?) -> Figure {
        Figure(part: self, head: head, key: key, digits: digits, value: value)
    }
}

/// How large the parts are, by the largest number of files in one of them.
struct ScaleSizes: Sendable {
    let files: Int

    /// Two files in a directory, five lines in a file.
    var start: FileTree {
        FileTree(files: max(2, files / 5), filesInDirectory: 2, linesInFile: 5)
    }
    var memory: FileTree {
        FileTree(files: max(1, files / 2), filesInDirectory: 100, linesInFile: 1)
    }
    var bulkFiles: Int { max(2, files / 20) }
    var bulkBytesInFile: Int { 80_000 }

    /// In a sentence.
    func description(_ part: ScalePart) -> String {
        func count(_ number: Int) -> String { Number.grouped(number) }
        switch part {
        case .start:
            return "\(count(start.files)) files in \(count(start.directories)) directories, "
                + "\(count(start.lines)) lines, from start to end"
        case .crowd:
            return "one directory fills with \(count(files)) files of a line while a neighbour "
                + "writes 100 lines a second"
        case .full:
            return "the same, and the directory is there at once with all of its files"
        case .found:
            return "the same, and the directory is there when the agent starts"
        case .memory:
            return "\(count(memory.files)) files in \(count(memory.directories)) directories, "
                + "taken up and quiet"
        case .rest:
            return "\(count(start.files)) files in \(count(start.directories)) directories, quiet"
        case .bulk:
            return "\(count(bulkFiles * bulkBytesInFile)) bytes in \(count(bulkFiles)) files, and "
                + "the same in one (shipper: raw)"
        }
    }
}
