import FoundationEssentials
import Platform

/// A JSON Web Token, with which the client proves to brokers who it is. Of what it says of itself
/// only the time is looked at; whether it is right the brokers decide.
struct BearerToken: Hashable, Sendable {
    /// As the brokers are given it. It never appears in a log, an error or an output.
    let text: String
    /// Whose it is, for librdkafka's log; empty where it does not say.
    let subject: String
    /// When it expires, milliseconds since 1970.
    let expiry: Int64

    /// Why a text is none, in words that repeat nothing of it.
    struct Refusal: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    /// The content of a file, in which blanks and newlines may stand around it.
    init(_ contents: [UInt8]) throws(Refusal) {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let bytes = contents.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        if bytes.isEmpty { throw Refusal(description: "empty; expected a token") }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw .noJWT("it has \(parts.count) parts with dots between them, expected 3")
        }
        for part in parts where !part.allSatisfy({ Base64URL.value(of: $0) != nil }) {
            throw .noJWT("it has a character that base64url has not")
        }
        guard let claims = Base64URL.bytes(of: parts[1]) else {
            throw .noJWT("its second part is not base64url")
        }
        let found: Claims
        do {
            found = try JSONDecoder().decode(Claims.self, from: Data(claims))
        } catch {
            // What the decoder says may repeat what it read.
            throw .noJWT("its second part is no JSON object with a time exp")
        }
        guard let expiry = Self.milliseconds(found.exp) else {
            throw .noJWT("its exp is no time")
        }
        text = String(decoding: bytes, as: UTF8.self)
        subject = found.sub ?? ""
        self.expiry = expiry
    }

    private struct Claims: Decodable {
        let exp: Double
        let sub: String?
    }

    /// Of seconds since 1970, which may have a fraction; nil beyond the year 9999.
    private static func milliseconds(_ seconds: Double) -> Int64? {
        guard seconds > 0, seconds < 253_402_300_800 else { return nil }
        return Int64(seconds * 1000)
    }
}

extension BearerToken.Refusal {
    fileprivate static func noJWT(_ why: String) -> Self { Self(description: "not a JWT: \(why)") }
}

/// The alphabet of RFC 4648, section 5, without padding.
private enum Base64URL {
    static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }

    /// Nil for a character of another alphabet, and for a length that no bytes give.
    static func bytes(of text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var count = 0
        for character in text {
            guard let value = value(of: character) else { return nil }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            bits &= 1 << UInt32(count) - 1
        }
        return bytes
    }
}
