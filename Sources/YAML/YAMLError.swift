/// Why a text is not a YAML document that we read.
package struct YAMLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's name as it was given.
    package let file: String
    /// The place in the file that the problem is at.
    package let mark: Mark
    /// The fault in words and, where that is not obvious, the text to write instead.
    package let problem: String

    package init(file: String, mark: Mark, problem: String) {
        self.file = file
        self.mark = mark
        self.problem = problem
    }

    /// `FILE:LINE:COLUMN: PROBLEM`.
    package var description: String { "\(file):\(mark): \(problem)" }
}
