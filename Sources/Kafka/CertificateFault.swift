/// Why a broker's certificate is not believed.
enum CertificateFault: Hashable, Sendable {
    /// No authority that is trusted has signed it.
    case authority
    case expired
    case notYetValid
    /// It is that of another host.
    case host
    /// OpenSSL's number of any other reason.
    case other(Int32)

    /// The numbers are OpenSSL's X509_V_ERR constants.
    init(code: Int32) {
        self =
            switch code {
            // A chain that ends at an unknown issuer, or in a root or leaf that nobody vouches for.
            case 2, 18, 19, 20, 21, 27: .authority
            case 9: .notYetValid
            case 10: .expired
            // The name, or the address, is another.
            case 62, 64: .host
            default: .other(code)
            }
    }

    /// The words by which `init(text:)` knows it again: librdkafka carries a text alone.
    var words: String {
        switch self {
        case .authority: "signed by no trusted authority"
        case .expired: "expired"
        case .notYetValid: "not valid yet"
        case .host: "for another host"
        case .other(let code): "X.509 error \(code)"
        }
    }

    /// Writes it to C's `text` of `size` bytes.
    @unsafe func write(to text: UnsafeMutablePointer<CChar>?, size: Int) {
        guard let text = unsafe text, size > 0 else { return }
        var length = 0
        for byte in words.utf8.prefix(size - 1) {
            unsafe text[length] = CChar(bitPattern: byte)
            length += 1
        }
        unsafe text[length] = 0
    }

    /// The fault that a line of librdkafka's log ends in; nil where it ends in none.
    init?(text: String) {
        let known: [CertificateFault] = [.authority, .expired, .notYetValid, .host]
        if let fault = known.first(where: { text.hasSuffix($0.words) }) {
            self = fault
        } else if let number = text.split(separator: " ").last.flatMap({ Int32($0) }),
            text.hasSuffix(Self.other(number).words)
        {
            self = .other(number)
        } else {
            return nil
        }
    }
}
