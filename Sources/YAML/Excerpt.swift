/// Text from a file as a message can carry it.
package enum Excerpt {
    /// `text` on one line, with what an eye or a terminal would trip over as `\u{…}`, and cut after
    /// `longest` characters.
    package static func of(_ text: String, longest: Int = 80) -> String {
        var result = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == longest { return result + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
