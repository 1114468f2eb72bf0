package import Model

/// A stream that is dormant no longer, and its one file.
package struct Sleeper: Sendable {
    /// Its number, the same as before.
    package let stream: StreamID
    /// The stream's saved name, and the path of its file.
    package let name: String
    /// Index of the input that it is of.
    package let input: Int
    /// The stream's, by name.
    package let captures: [String: String]
    /// The link that a pattern matched; nil where it matched the file.
    package let link: String?
    /// The number of the file's entry.
    package let file: FileID
    /// What the output has kept.
    package let note: SleepNote

    package init(
        stream: StreamID, name: String, input: Int, captures: [String: String],
        link: String? = nil, file: FileID, note: SleepNote
    ) {
        self.stream = stream
        self.name = name
        self.input = input
        self.captures = captures
        self.link = link
        self.file = file
        self.note = note
    }
}

/// What the output keeps of a dormant stream and its file, beside the file's entry. It means
/// something to the output alone.
package struct SleepNote: Sendable {
    /// What it shares with other streams.
    package let shared: (any AnyObject & Sendable)?
    /// Whatever else was found out.
    package let code: UInt8

    package init(shared: (any AnyObject & Sendable)?, code: UInt8) {
        self.shared = shared
        self.code = code
    }
}
