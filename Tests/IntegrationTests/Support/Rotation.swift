import Glibc
import Platform
import Shipper
import TestSupport

/// A log file that its writer keeps open, and that is rotated by renaming as logrotate does it:
/// `app.log` becomes `app.log.1`, that `app.log.2`.
final class RotatedLog {
    let path: String
    let source: LineSource
    private(set) var archives = 0
    /// Lines written so far.
    private(set) var written = 0
    private var writer: Descriptor

    init(_ path: String, _ source: LineSource) throws {
        self.path = path
        self.source = source
        writer = try Self.open(path)
    }

    private static func open(_ path: String) throws(SystemError) -> Descriptor {
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
    }

    /// Writes the next lines, `chunk` of them at a time.
    func write(_ lines: Int, chunk: Int = 200) throws {
        let end = written + lines
        while written < end {
            let next = min(written + chunk, end)
            try writer.write(source.lines(written..<next))
            written = next
        }
    }

    /// Makes room for `app.log.1`, whatever ends the archives' names have got.
    func shift() throws {
        guard let slash = path.lastIndex(of: "/") else { return }
        let directory = String(path[..<slash])
        let name = String(path[path.index(after: slash)...])
        let names = Set(try directoryNames(directory))
        for number in stride(from: archives, to: 0, by: -1) {
            for end in ["", ".gz", ".xz", ".zst", ".bz2"]
            where names.contains("\(name).\(number)\(end)") {
                try rename("\(path).\(number)\(end)", "\(path).\(number + 1)\(end)")
            }
        }
        archives += 1
    }

    /// Renames it and goes on with a new one.
    func rotate() throws {
        try shift()
        try rename(path, "\(path).1")
        try reopen()
    }

    /// Goes on with a new one at its path.
    func reopen() throws { writer = try Self.open(path) }

    /// As logrotate's `copytruncate` does it, with nothing written in between.
    func copyTruncate() throws {
        try shift()
        try Descriptor.open("\(path).1", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            .write(readFile(path))
        try writer.truncate(to: 0)
    }

    /// Compresses an archive, and returns its new path.
    @discardableResult
    func compress(_ number: Int, by compression: Compression = .gzip) throws -> String {
        try TestSupport.compress("\(path).\(number)", compression)
    }
}

extension LineSource {
    /// Lines as texts.
    func texts(_ range: Range<Int>) -> [String] {
        range.map { String(decoding: line($0), as: UTF8.self) }
    }
}

/// Where what arrived first differs from what was written, and how many there are of each; nil when
/// they are the same. A comparison by `==` would list every line of both.
func difference(_ arrived: [String], _ written: [String]) -> String? {
    if arrived == written { return nil }
    let place = zip(arrived, written).enumerated().first { $1.0 != $1.1 }?.offset
    let at = place ?? min(arrived.count, written.count)
    func part(_ lines: [String]) -> String {
        lines[min(at, lines.count)..<min(at + 3, lines.count)].map { String($0.prefix(40)) }
            .joined(separator: ", ")
    }
    let repeats = arrived.count - Set(arrived).count
    let lost = Set(written).subtracting(arrived).count
    return
        "\(arrived.count) of \(written.count) lines, \(repeats) again, \(lost) lost; from \(at) on "
        + "[\(part(arrived))] instead of [\(part(written))]"
}
