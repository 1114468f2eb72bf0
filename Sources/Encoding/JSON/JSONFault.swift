/// Why a text is not taken into a document as JSON.
struct JSONFault: Error, Hashable {
    let reason: Reason
    /// Of the byte at which it goes wrong.
    let place: Int

    /// What goes wrong there.
    enum Reason: Hashable, CaseIterable {
        case noObject, unexpectedEnd, unexpected, badNumber, badEscape, controlCharacter
        case behindTheEnd, tooDeep, tooManyKeys, tooLong

        var text: String {
            switch self {
            case .noObject: "no object"
            case .unexpectedEnd: "unexpected end"
            case .unexpected: "unexpected character"
            case .badNumber: "no number"
            case .badEscape: "no escape"
            case .controlCharacter: "control character in a string"
            case .behindTheEnd: "text behind the object"
            case .tooDeep: "nested too deep"
            case .tooManyKeys: "too many keys"
            case .tooLong: "too long for one record"
            }
        }
    }

    /// As `error.message` has it, in ASCII that needs no escapes.
    var text: String { "Error decoding JSON: \(reason.text) at byte \(place)" }

    /// Bytes of the longest of those texts.
    static let longest =
        (Reason.allCases.map { JSONFault(reason: $0, place: .max).text.utf8.count }.max() ?? 0)
}
