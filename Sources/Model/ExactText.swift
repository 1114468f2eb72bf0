/// A text that stands for bytes: the path of a file, the name of a stream. Two are equal only if
/// their bytes are.
///
/// Swift takes two spellings of one character for equal, and a file system does not: `é` in one
/// code point and in two are two names, and as keys they have to stay two.
package struct ExactText: Hashable, Comparable, Sendable {
    /// As it was given, in whatever Unicode form.
    package let text: String

    package init(_ text: some StringProtocol) { self.text = String(text) }

    package static func == (a: ExactText, b: ExactText) -> Bool {
        a.text.utf8.elementsEqual(b.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }

    package static func < (a: ExactText, b: ExactText) -> Bool {
        a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }

    /// The path of the directory that holds it; nil for what has no slash.
    package var parent: ExactText? {
        text.utf8.directoryAndName.map { ExactText(Substring($0.directory)) }
    }

    /// Whether it is a path beneath `directory`.
    package func isBeneath(_ directory: String) -> Bool {
        let (mine, theirs) = (text.utf8, directory.utf8)
        guard mine.starts(with: theirs) else { return false }
        return mine.dropFirst(theirs.count).first == UInt8(ascii: "/")
    }
}
