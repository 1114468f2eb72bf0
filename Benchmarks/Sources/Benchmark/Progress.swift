package import Machine

/// What a person sees while it runs: one line that is overwritten on a terminal, and nothing but
/// what is finished elsewhere. To standard error.
package final class Progress {
    let isTerminal = StandardStream.error.isTerminal
    private var shown = 0

    package init() {}

    /// Where things stand.
    package func update(_ text: String) throws(MachineError) {
        guard isTerminal else { return }
        let blanks = String(repeating: " ", count: max(0, shown - text.count))
        try StandardStream.error.write("\r" + text + blanks)
        shown = text.count
    }

    /// What stays to be read.
    package func note(_ text: String) throws(MachineError) {
        try update("")
        try StandardStream.error.write((isTerminal ? "\r" : "") + text + "\n")
        shown = 0
    }
}
