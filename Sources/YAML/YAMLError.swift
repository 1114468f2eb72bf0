/// Why a text is not a YAML document that we read.
package struct YAMLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's name as it was given.
    package let file: String
    package let mark: Mark
    /// What is wrong and, where it is not obvious, what to write instead.
    package let problem: String

    package init(file: String, mark: Mark, problem: String) {
        self.file = file
        self.mark = mark
        self.problem = problem
    }

    /// `FILE:LINE:COLUMN: PROBLEM`.
    package var description: String { "\(file):\(mark): \(problem)" }
}
