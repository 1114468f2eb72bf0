private import CPCRE2

/// A regular expression, compiled once: Perl's syntax by PCRE2, with the meanings that Go's
/// expressions have where both know one (docs/lines.md has the differences). Text is UTF-8, a
/// character is a character, `.` is any but a newline, `$` is the text's end alone, and a byte that
/// is no UTF-8 is U+FFFD.
///
/// Sendable: what is compiled never changes, and each thread matches with memory of its own
/// (`MatchScratch`).
package struct Expression: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    package let pattern: String
    let program: Program

    /// Bytes that a pattern may have.
    package static let longest = 16 * 1024

    /// Compiles `pattern`, to the processor's own instructions where the system allows that.
    package init(_ pattern: String) throws(ExpressionError) {
        self.pattern = pattern
        program = try Program(pattern)
    }

    package var description: String { pattern }

    /// Whether it may be found in a text at all, by the text's first byte: of an expression that
    /// begins with `^` most lines are told by that.
    package func mayBegin(_ text: Span<UInt8>) -> Bool {
        guard !text.isEmpty, text[0] < 128 else { return true }
        let words = program.firstBytes
        return (text[0] < 64 ? words.0 : words.1) & (1 << UInt64(text[0] & 63)) != 0
    }

    package static func == (one: Expression, other: Expression) -> Bool {
        one.pattern == other.pattern
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(pattern) }
}

/// Why a pattern is none.
package struct ExpressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    package let pattern: String
    /// Where it goes wrong, in characters from 1 on; one more than it has where it ends too early.
    package let column: Int
    /// PCRE2's own words.
    package let problem: String

    package var description: String { "\(problem) at character \(column)" }
}

/// The compiled code. Unchecked Sendable, because PCRE2 only reads it once it is made.
@safe
final class Program: @unchecked Sendable {
    let code: OpaquePointer
    /// A match can begin at one place alone.
    let isAnchored: Bool
    /// Bytes of ASCII that a text may begin with in which an anchored one is found: one bit each.
    let firstBytes: (UInt64, UInt64)

    init(_ pattern: String) throws(ExpressionError) {
        let bytes = Array(pattern.utf8)
        guard bytes.count <= Expression.longest else {
            throw ExpressionError(
                pattern: pattern, column: 1,
                problem: "longer than \(Expression.longest) bytes")
        }
        var code: Int32 = 0
        var place = 0
        let context = unsafe pcre2_compile_context_create_8(nil)
        defer { unsafe pcre2_compile_context_free_8(context) }
        // Debian's default, and other systems' too; Go knows no other.
        unsafe pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
        let options =
            PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY | PCRE2_USE_OFFSET_LIMIT
        // An empty array has no address, and PCRE2 wants one.
        let compiled = unsafe (bytes + [0]).withUnsafeBufferPointer { buffer in
            unsafe pcre2_compile_8(
                buffer.baseAddress, buffer.count - 1, options, &code, &place, context)
        }
        guard let compiled = unsafe compiled else {
            let before = bytes.prefix(max(0, min(place, bytes.count)))
            throw ExpressionError(
                pattern: pattern, column: String(decoding: before, as: UTF8.self).count + 1,
                problem: Self.text(of: code))
        }
        unsafe self.code = compiled
        // Where memory may not be executable, PCRE2 interprets; the result is the same.
        unsafe pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE)
        var all: UInt32 = 0
        unsafe pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_ALLOPTIONS), &all)
        isAnchored = all & PCRE2_ANCHORED != 0
        unsafe firstBytes = isAnchored ? Self.firstBytes(of: compiled) : (.max, .max)
    }

    deinit { unsafe pcre2_code_free_8(code) }

    /// A text of one byte is matched as the beginning of a longer one: what PCRE2 says no to then
    /// no further byte can mend.
    private static func firstBytes(of code: OpaquePointer) -> (UInt64, UInt64) {
        let scratch = MatchScratch.ofThread
        unsafe pcre2_set_offset_limit_8(scratch.context, ~0)
        var words: (UInt64, UInt64) = (0, 0)
        for byte in UInt8(0)..<128 {
            let result = unsafe [byte].withUnsafeBufferPointer { text in
                unsafe pcre2_match_8(
                    code, text.baseAddress, 1, 0, PCRE2_NO_UTF_CHECK | PCRE2_PARTIAL_HARD,
                    scratch.data, scratch.context)
            }
            guard result != PCRE2_ERROR_NOMATCH else { continue }
            if byte < 64 { words.0 |= 1 << byte } else { words.1 |= 1 << (byte - 64) }
        }
        return words
    }

    private static func text(of code: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe pcre2_get_error_message_8(code, $0.baseAddress, $0.count)
        }
        return count > 0
            ? String(decoding: bytes.prefix(Int(count)), as: UTF8.self) : "error \(code)"
    }
}
