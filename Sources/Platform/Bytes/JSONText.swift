/// JSON text that is built once and used often: the constant parts of records. Commas are set by
/// it; that a value follows each key, and that all is closed, is the caller's to do.
package struct JSONText: Sendable {
    /// The text as far as it was appended, in UTF-8.
    package private(set) var bytes: [UInt8] = []
    /// Whether the next key or value follows another one.
    private var follows = false

    package init() {}

    /// Opens an object, as a value.
    package mutating func openObject() { open(0x7B) }

    /// Closes the innermost object.
    package mutating func closeObject() { close(0x7D) }

    /// Opens an array, as a value.
    package mutating func openArray() { open(0x5B) }

    /// Closes the innermost array.
    package mutating func closeArray() { close(0x5D) }

    /// A member's name; its value comes next.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(0x3A)
        follows = false
    }

    /// A string, escaped as the messages of records are.
    package mutating func string(_ text: String) { string(Array(text.utf8)) }

    /// A string of bytes that may be no UTF-8; each bad byte becomes U+FFFD.
    package mutating func string(_ text: [UInt8]) {
        separate()
        bytes.append(0x22)
        escape(text)
        bytes.append(0x22)
    }

    /// A number without a fraction, in decimal digits.
    package mutating func integer(_ number: some BinaryInteger) { append(String(number)) }

    /// The shortest digits that give `number` again. JSON has no infinity and no NaN: they become
    /// null.
    package mutating func number(_ number: Double) {
        guard number.isFinite else { return null() }
        let text = number.description
        append(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    /// `true` or `false`, as a value.
    package mutating func boolean(_ value: Bool) { append(value ? "true" : "false") }

    /// `null`, as a value.
    package mutating func null() { append("null") }

    /// A value that is rendered already.
    package mutating func rendered(_ value: [UInt8]) {
        separate()
        bytes.append(contentsOf: value)
    }

    private mutating func append(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        follows = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        follows = true
    }

    private mutating func separate() {
        if follows { bytes.append(0x2C) }
        follows = true
    }

    private mutating func escape(_ text: [UInt8]) {
        guard !text.isEmpty else { return }
        // No byte takes more than six.
        let slab = PayloadSlab(capacity: 6 * text.count)
        _ = slab.appendJSONString(text.span, limit: slab.room)
        slab.withBytes(0..<slab.count) { escaped in
            for index in escaped.indices { bytes.append(escaped[index]) }
        }
    }
}
