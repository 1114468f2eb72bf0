import CLinux
import Glibc

/// The size of a terminal's window, in characters.
package struct TerminalSize: Hashable, Sendable {
    /// Characters in a line.
    package var columns: Int
    /// Lines that are seen at a time.
    package var rows: Int
    /// Lines that do not fit may be scrolled back to, so that only columns count.
    package var isScrolled: Bool

    package init(columns: Int, rows: Int, isScrolled: Bool) {
        self.columns = columns
        self.rows = rows
        self.isScrolled = isScrolled
    }
}

extension StandardStream {
    /// Whether this stream is a terminal.
    package var isTerminal: Bool { isatty(rawValue) == 1 }

    /// The window's size by TIOCGWINSZ; nil for what is no terminal, and where a terminal does not
    /// say.
    package func windowSize() -> (columns: Int, rows: Int)? {
        var size = winsize()
        guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}

extension Signals {
    /// Waits for SIGTERM or SIGINT, `nanoseconds` at most; whether one came. After `prepare`.
    package static func waitForEnd(nanoseconds: Int64) -> Bool {
        var ending = ends()
        var patience = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        // Any other signal that is handled ends the wait early, which is as good as a full one.
        return unsafe sigtimedwait(&ending, nil, &patience) > 0
    }
}
