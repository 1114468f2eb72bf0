import Platform

/// A day in the name of a topic, as in `{+yyyy.MM.dd}`; UTC.
package struct DateFormat: Hashable, Sendable {
    private enum Piece: Hashable {
        case year, month, day
        case separator(Character)
    }

    /// As it was written behind the `+`.
    package let text: String
    private let pieces: [Piece]

    /// The form that messages show.
    static let expected =
        "{+yyyy.MM.dd}: yyyy, MM and dd once at the most, MM beside dd, with ., - or _ between them"

    /// Nil for any other letters: nothing is finer than a day, or topics would be made by the hour.
    init?(_ text: Substring) {
        var pieces: [Piece] = []
        var rest = text
        while let first = rest.first {
            let piece: Piece
            let count: Int
            switch first {
            case "y": (piece, count) = (.year, 4)
            case "M": (piece, count) = (.month, 2)
            case "d": (piece, count) = (.day, 2)
            case ".", "-", "_": (piece, count) = (.separator(first), 1)
            default: return nil
            }
            guard rest.prefix(count).allSatisfy({ $0 == first }), rest.count >= count else {
                return nil
            }
            if case .separator = piece {} else if pieces.contains(piece) { return nil }
            pieces.append(piece)
            rest = rest.dropFirst(count)
        }
        guard pieces.contains(.year), pieces.contains(.month) || !pieces.contains(.day) else {
            return nil
        }
        self.text = String(text)
        self.pieces = pieces
    }

    /// The name's piece for a day, counted from 1970-01-01 on.
    package func text(ofDay day: Int) -> String {
        let date = CivilDate(daysSince1970: day)
        var text = ""
        for piece in pieces {
            switch piece {
            case .year: text += Self.digits(date.year, 4)
            case .month: text += Self.digits(date.month, 2)
            case .day: text += Self.digits(date.day, 2)
            case .separator(let character): text.append(character)
            }
        }
        return text
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
