/// One YAML document as a tree.
package struct Document: Sendable {
    /// Nil when the text holds nothing but comments and blanks.
    package let root: Node?
    /// Keys that stand twice in one map, in the order of the text. They do not hide other mistakes,
    /// so they are listed, not thrown; a document that has any is not to be used.
    package let faults: [YAMLError]

    /// The most that a document may cost, so that none can exhaust memory or the stack.
    package enum Limits {
        /// Bytes of text.
        package static let size = 4 * 1024 * 1024
        /// Lists and maps inside each other.
        package static let depth = 64
        /// Values in all, each alias counted as everything that it repeats.
        package static let nodes = 200_000
    }

    /// Reads `bytes`, UTF-8 with or without a byte order mark; `file` only names them in errors.
    /// Refuses a second document, tags (but `!!str`), keys that are no scalars, and whatever passes
    /// `Limits`. Aliases are expanded.
    package init(_ bytes: [UInt8], file: String) throws(YAMLError) {
        guard bytes.count <= Limits.size else {
            throw YAMLError(
                file: file, mark: Mark(line: 1, column: 1),
                problem: "more than \(Limits.size) bytes; expected at most that")
        }
        let text = SourceText(bytes)
        if let fault = text.firstInvalidByte {
            throw YAMLError(
                file: file, mark: text.mark(at: fault),
                problem: "not UTF-8: byte \(hexadecimal(text.bytes[fault])) cannot stand here; "
                    + "save the file as UTF-8")
        }
        var composer = Composer(EventStream(text, file: file), file: file)
        root = try composer.document()
        faults = composer.faults
    }
}

/// `0xff`.
private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return "0x" + (digits.count == 1 ? "0" : "") + digits
}
