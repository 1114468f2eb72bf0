/// A JSON Web Token that nobody has signed, as Kafka takes it where it is told nothing else.
package struct UnsignedToken: Sendable {
    /// The three parts with dots between them; the last one is empty.
    package let text: String

    /// `claims` is a JSON object.
    package init(claims: String) {
        let parts = [#"{"alg":"none"}"#, claims].map { Self.encoded(Array($0.utf8)) }
        text = parts.joined(separator: ".") + "."
    }

    /// Of `subject`, until so many seconds since 1970.
    package init(subject: String, expires: Int64) {
        self.init(claims: #"{"sub":"\#(subject)","iat":1700000000,"exp":\#(expires)}"#)
    }

    private static func encoded(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = (0..<3).reduce(UInt32(0)) { bits, place in
                let byte = start + place < group.endIndex ? UInt32(bytes[start + place]) : 0
                return bits << 8 | byte
            }
            for place in 0...group.count {
                text.append(alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)])
            }
        }
        return text
    }
}
