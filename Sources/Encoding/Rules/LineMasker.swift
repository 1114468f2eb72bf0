import Expressions
import Platform

/// Replaces what masks match in one message after the other. Keeps its room.
///
/// Each mask looks at the message as it was read. Where two overlap, both of their bytes go, and
/// the text of the one that begins first stands there.
///
/// A line that is longer than a record may be comes in parts, and a secret may lie over a cut. So
/// the last bytes of a part that more follows (`overlap`) are left for the next part, and what a
/// match has there goes with them. That hangs on the line and the masks alone: after a restart the
/// same parts come out.
struct LineMasker {
    private let masks: [LineRules.Mask]
    /// The message as it is to be encoded, where anything in it was replaced.
    private(set) var bytes: [UInt8] = []
    private var pieces: [Piece] = []
    /// Bytes of the original message that are done with when all of this is encoded.
    private(set) var end = 0
    /// A limit kept a mask from being told: all that it could not look at is replaced.
    private(set) var isLimited = false

    /// Replaced bytes, and those that stand for them.
    private struct Piece {
        var original: Range<Int>
        var masked: Range<Int>
        let mask: Int
    }

    /// Bytes of a match that a cut never comes between: half of the part, where that is less.
    static let overlap = 1024

    init(_ masks: [LineRules.Mask]) { self.masks = masks }

    var isEmpty: Bool { masks.isEmpty }

    /// Matches that stand in `bytes`.
    var count: Int { pieces.count }

    /// Masks `message` from its byte `start` on. `isOpen`: its line goes on behind it. Whether
    /// anything was replaced; if not, its first `end` bytes are to be encoded as they are.
    mutating func apply(_ message: Span<UInt8>, from start: Int, isOpen: Bool) -> Bool {
        pieces.removeAll(keepingCapacity: true)
        isLimited = false
        ExpressionText.with(message.extracting(start..<message.count)) { text in
            for index in masks.indices { find(index, text, start) }
        }
        end = message.count
        if pieces.isEmpty, !isOpen { return false }
        if masks.count > 1 { merge() }
        if isOpen { cut(message, start) }
        guard !pieces.isEmpty else { return false }
        build(message)
        return true
    }

    private mutating func find(_ mask: Int, _ text: borrowing ExpressionText, _ start: Int) {
        var place = 0
        while place <= text.original {
            switch text.first(masks[mask].pattern, from: place) {
            case .none: return
            case .match(let range):
                if range.isEmpty {
                    // One character on; the next match is found from wherever that begins.
                    place = text.next(after: range.upperBound)
                } else {
                    add(range, mask, start)
                    place = range.upperBound
                }
            case .limit:
                isLimited = true
                if place < text.original { add(place..<text.original, mask, start) }
                return
            }
        }
    }

    private mutating func add(_ range: Range<Int>, _ mask: Int, _ start: Int) {
        pieces.append(
            Piece(
                original: range.lowerBound + start..<range.upperBound + start, masked: 0..<0,
                mask: mask))
    }

    private mutating func merge() {
        pieces.sort {
            ($0.original.lowerBound, $0.mask) < ($1.original.lowerBound, $1.mask)
        }
        var kept = 0
        for index in pieces.indices {
            let piece = pieces[index]
            if kept > 0, piece.original.lowerBound < pieces[kept - 1].original.upperBound {
                let before = pieces[kept - 1].original
                pieces[kept - 1].original =
                    before.lowerBound..<max(before.upperBound, piece.original.upperBound)
            } else {
                pieces[kept] = piece
                kept += 1
            }
        }
        pieces.removeSubrange(kept...)
    }

    private mutating func cut(_ message: Span<UInt8>, _ start: Int) {
        let overlap = min(Self.overlap, (message.count - start) / 2)
        var end = ByteSearch.boundary(in: message, upTo: message.count - overlap)
        if let piece = pieces.first(where: {
            $0.original.lowerBound < end && $0.original.upperBound > end
        }) {
            // Of what is all one match, no less can be taken than that.
            let begin = piece.original.lowerBound
            end = begin > start ? begin : piece.original.upperBound
        }
        if end <= start { end = message.count }
        pieces.removeAll { $0.original.lowerBound >= end }
        self.end = end
    }

    private mutating func build(_ message: Span<UInt8>) {
        bytes.removeAll(keepingCapacity: true)
        var place = 0
        for index in pieces.indices {
            let piece = pieces[index]
            for byte in place..<piece.original.lowerBound { bytes.append(message[byte]) }
            let begin = bytes.count
            bytes.append(contentsOf: masks[piece.mask].replacement)
            pieces[index].masked = begin..<bytes.count
            place = piece.original.upperBound
        }
        for byte in place..<end { bytes.append(message[byte]) }
    }

    /// The beginning of a replacement that byte `count` of the masked message lies within, unless
    /// the message begins with it: a record is cut there and not within.
    func begin(ofPieceOver count: Int) -> Int? {
        for piece in pieces where piece.masked.lowerBound < count && count < piece.masked.upperBound
        {
            return piece.masked.lowerBound > 0 ? piece.masked.lowerBound : nil
        }
        return nil
    }

    /// Bytes of the original message that are done with when `count` of the masked ones are. Of a
    /// replacement that is longer than a record the rest does not come.
    func original(_ count: Int) -> Int {
        if count == bytes.count { return end }
        var shift = 0
        for piece in pieces {
            if count <= piece.masked.lowerBound { break }
            if count < piece.masked.upperBound { return piece.original.upperBound }
            shift = piece.original.upperBound - piece.masked.upperBound
        }
        return count + shift
    }
}
