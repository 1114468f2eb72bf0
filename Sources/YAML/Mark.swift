/// A place in a text, as an editor shows it.
package struct Mark: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// 1-based.
    package let line: Int
    /// 1-based, in characters (Unicode scalars), a tab being one.
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (a: Mark, b: Mark) -> Bool {
        (a.line, a.column) < (b.line, b.column)
    }

    /// `LINE:COLUMN`.
    package var description: String { "\(line):\(column)" }
}
