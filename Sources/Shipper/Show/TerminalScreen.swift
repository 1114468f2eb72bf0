import Platform

/// The other screen of a terminal, drawn over and over, and left as it was.
struct TerminalScreen {
    /// The other screen and no cursor.
    func enter() throws(SystemError) {
        try StandardStream.output.write("\u{1B}[?1049h\u{1B}[?25l")
    }

    /// And back.
    func leave() throws(SystemError) {
        try StandardStream.output.write("\u{1B}[?25h\u{1B}[?1049l")
    }

    /// These lines in place of those before, without a last newline, which would scroll a full
    /// screen.
    func draw(_ lines: [String]) throws(SystemError) {
        let text = lines.joined(separator: "\u{1B}[K\n")
        try StandardStream.output.write("\u{1B}[H" + text + "\u{1B}[K\u{1B}[J")
    }
}
